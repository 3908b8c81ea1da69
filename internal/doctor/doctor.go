// Package doctor finds out, on the machine and over the network, what keeps a
// gateway from doing its work: each PLC, each broker, the clock, the disk, the
// secrets and certificates. For each failure it says what, why and what to do.
//
// It changes nothing, stores nothing, and may run beside the daemon; a PLC then
// sees one more connection for a moment. What can be known without the network
// is `check`'s part.
package doctor

import (
	"context"
	"os"
	"time"

	"andon/internal/config"
	"andon/internal/gateway"
	"andon/internal/uplink"
)

// Finding is what was found about one thing.
type Finding struct {
	Check   string `json:"check"`         // source, broker, clock, disk, secret, certificate
	Subject string `json:"subject"`       // its name
	OK      bool   `json:"ok"`            // whether the gateway can do its work with it
	Found   string `json:"found"`         // what it is like
	Why     string `json:"why,omitempty"` // what is behind a failure
	Do      string `json:"do,omitempty"`  // what a person can do about it
}

// Each thing is given this long; a PLC has all its tags read in it.
const (
	sourceAtMost = 20 * time.Second
	brokerAtMost = 10 * time.Second
)

// Examine looks at everything that the settings name, the network last. tell is
// called with each finding as it is made. It reports whether all was well.
func Examine(ctx context.Context, c *config.Config, tell func(Finding) error) (well bool, err error) {
	well = true
	say := func(list ...Finding) {
		for _, f := range list {
			well = well && f.OK
			if err == nil {
				err = tell(f)
			}
		}
	}
	say(clockFinding())
	say(disk(c)...)
	say(secrets(c)...)
	say(certificates(c, time.Now())...)
	for i := range c.Sources {
		say(source(ctx, c, &c.Sources[i])...)
	}
	if c.MQTT != nil {
		for _, b := range c.MQTT.Brokers {
			say(broker(ctx, c, b.URL()))
		}
	}
	return well, err
}

// source reads every tag of one source once.
func source(ctx context.Context, c *config.Config, s *config.Source) []Finding {
	ctx, cancel := context.WithTimeout(ctx, sourceAtMost)
	defer cancel()
	one := *c
	one.Sources = []config.Source{*s}
	list := gateway.ReadOnce(ctx, gateway.Options{Config: &one})
	if len(list) == 0 {
		return []Finding{{Check: "source", Subject: s.Name, Found: "not read by this version", Why: s.Kind() + " over this transport is not built yet",
			Do: "reach it over TCP, or wait for the version that reads it"}}
	}
	if err := list[0].Err; err != nil {
		return []Finding{{Check: "source", Subject: s.Name, Found: "cannot be read", Why: err.Error(), Do: cure(err)}}
	}
	return readings(s.Name, list[0].Readings)
}

// readings turns what was read into one finding a bad tag, or one for all.
func readings(name string, list []gateway.TagReading) []Finding {
	var bad []Finding
	for _, r := range list {
		if r.Bad {
			bad = append(bad, Finding{Check: "source", Subject: name + " " + r.Tag, Found: "no good value", Why: r.Quality,
				Do: "is the node or address right, and the sensor connected? compare with `andon browse` or `andon probe`"})
		}
	}
	if bad == nil {
		return []Finding{{Check: "source", Subject: name, OK: true, Found: plural(len(list), "tag") + " read, none bad"}}
	}
	return bad
}

func broker(ctx context.Context, c *config.Config, url string) Finding {
	f := Finding{Check: "broker", Subject: url}
	m := c.MQTT
	o := uplink.Options{Gateway: c.Gateway.ID, Username: m.Username, Prefix: m.Prefix, TLS: uplink.TLSFiles(m.TLS)}
	var err error
	if !m.Password.None() {
		o.PasswordFile, err = m.Password.Path(os.Getenv("CREDENTIALS_DIRECTORY"))
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, brokerAtMost)
		defer cancel()
		err = uplink.Probe(ctx, o, url)
	}
	if err != nil {
		f.Found, f.Why, f.Do = "does not take us", err.Error(), cure(err)
		return f
	}
	f.OK, f.Found = true, "takes us, and lets us hear receipts"
	return f
}
