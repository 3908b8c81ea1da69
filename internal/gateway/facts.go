package gateway

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"andon/internal/alarm"
	"andon/internal/clock"
	"andon/internal/journal"
	"andon/internal/metrics"
	"andon/internal/opcua"
	"andon/internal/outbox"
	"andon/internal/uplink"
)

// parts are those of the running session that can be asked how they do.
type parts struct {
	sources []source
	uplink  *uplink.Uplink // nil for none
}

// facts are what a scrape is told: the committed view, and how the parts do.
// What cannot be found out is left out and said in the log.
func (g *Gateway) facts() metrics.Facts {
	f := metrics.Facts{Progress: g.Progress(), Quota: g.o.Config.Data.Quota, Clock: clockFacts(clock.Read())}
	if info, err := os.Stat(filepath.Join(g.o.Config.Data.Dir, journal.File)); err == nil {
		f.Bytes = info.Size()
	} else {
		g.log.Warn("size of the journal is not known", "err", err)
	}
	f.Certificates = g.certificates()
	c := g.Committed()
	if c == nil {
		return f
	}
	f.Known, f.Recording = true, c.Recording
	f.Commits, f.Samples = c.Head.Size, c.Head.I
	f.Alarms, f.Events, f.Gaps, f.Specs = c.ByAlarm, c.Open, c.Gaps, c.InForce
	for k, n := range c.ByAlarm {
		if k.State == alarm.Shelved.String() {
			f.Shelved += n
		}
	}
	if g.panel != nil {
		n := g.panel.Streams()
		f.Screens = &n
	}
	f.Lanes = g.lanes(c)
	if p := g.parts.Load(); p != nil {
		for _, s := range p.sources {
			f.Sources = append(f.Sources, s.facts(c))
		}
		f.Broker = brokerFacts(p.uplink)
	}
	return f
}

func clockFacts(s clock.State) metrics.Clock {
	return metrics.Clock{Known: s.Source != "none", Synced: s.Synced, Offset: s.Offset, Uncertainty: s.Uncertainty}
}

// facts are a source's own, and when one of its tags was last heard.
func (s *source) facts(c *Committed) metrics.Source {
	var m metrics.Source
	if s.status != nil {
		m = s.status()
	}
	m.Name = s.name
	if t := c.LastGood[s.name]; t != 0 {
		m.LastGood = t.Std()
	}
	return m
}

func opcuaFacts(st opcua.Status) metrics.Source {
	m := metrics.Source{Up: st.Connected, Skew: st.Skew}
	if st.Connects > 0 {
		m.Reconnects = st.Connects - 1
	}
	return m
}

func brokerFacts(u *uplink.Uplink) *metrics.Broker {
	if u == nil {
		return nil
	}
	s := u.Status()
	r := s.Receipts
	return &metrics.Broker{Connected: s.Connected, Connections: s.Connections, InFlight: s.InFlight, Sent: s.Sent, SentAgain: s.SentAgain,
		Acknowledged: s.Acked, Poisoned: s.Poisoned, LastReceipt: r.Last,
		Receipts: map[string]uint64{"accepted": r.Accepted, "repeated": r.Repeated, "refused": r.Refused, "suppressed": r.Suppressed, "dropped": r.Dropped}}
}

// lanes are the outbox's counts and the age of what waits.
func (g *Gateway) lanes(c *Committed) []metrics.Lane {
	var list []metrics.Lane
	for _, name := range outbox.Lanes() {
		n := c.Outbox.Count(name)
		l := metrics.Lane{Name: name, Raised: n.Raised, Receipted: n.Receipted, Pending: n.Pending + n.Withheld, Rejected: n.Rejected}
		var err error
		if l.Oldest, err = oldest(&g.j.View, c, name); err != nil {
			g.log.Warn("age of what waits is not known", "lane", name, "err", err)
		}
		list = append(list, l)
	}
	return list
}

// oldest is when the oldest entry that waits for receipts was made, zero when
// none waits.
func oldest(j *journal.View, c *Committed, lane string) (at time.Time, err error) {
	left := c.Outbox.Outstanding(lane)
	if len(left) == 0 {
		return at, nil
	}
	first := left[0][0]
	var b []byte
	if lane == outbox.Record {
		o := &sending{j: j}
		err = o.read(c, first, first, func(_ uint64, element []byte) bool { b = element; return false })
	} else {
		var entries []journal.Entry
		if entries, err = j.Entries(lane, first, 1); len(entries) > 0 {
			b = entries[0].Payload
		}
	}
	if err != nil || b == nil { // nil: retired meanwhile
		return at, err
	}
	var made struct{ Time, TA time.Time } // of an event, of a sample; a sample's tombstone has neither
	if err := json.Unmarshal(b, &made); err != nil {
		return at, fmt.Errorf("%s %d: %w", lane, first, err)
	}
	if made.Time.IsZero() {
		return made.TA, nil
	}
	return made.Time, nil
}

// certificates are those that we present, as far as they can be read.
func (g *Gateway) certificates() []metrics.Certificate {
	c := g.o.Config
	files := map[string]string{"opcua": filepath.Join(ownDir(c), opcua.CertificateFile)}
	if c.MQTT != nil {
		files["mqtt"] = c.MQTT.TLS.Certificate
	}
	if c.Panel != nil {
		files["panel"] = c.Panel.TLS.Certificate
	}
	var list []metrics.Certificate
	for name, file := range files {
		cert, err := readCertificate(file)
		if file == "" || errors.Is(err, fs.ErrNotExist) {
			continue // none is used; a part that needs it says so itself
		}
		if err != nil {
			g.log.Warn("certificate cannot be read", "file", file, "err", err)
			continue
		}
		list = append(list, metrics.Certificate{Name: name, NotAfter: cert.NotAfter})
	}
	return list
}

// readCertificate reads the first certificate of a file, PEM or DER.
func readCertificate(file string) (*x509.Certificate, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if p, _ := pem.Decode(b); p != nil {
		b = p.Bytes
	}
	return x509.ParseCertificate(b)
}
