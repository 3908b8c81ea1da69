package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"andon/internal/clock"
	"andon/internal/config"
	"andon/internal/journal"
	"andon/internal/opcua"
)

// offsetAtMost is how wrong a clock may be before sequences of events on
// different machines cannot be told apart.
const offsetAtMost = 500 * time.Millisecond

func clockFinding() Finding { return judgeClock(clock.Read()) }

func judgeClock(s clock.State) Finding {
	f := Finding{Check: "clock", Subject: "this machine"}
	switch {
	case s.Source == "none":
		f.Found, f.Why = "nobody can say whether it is right", "the kernel refuses adjtimex(2), or this system has no such call"
		f.Do = "in a service with SystemCallFilter, allow adjtimex on the last line, as systemd/andon.service does"
	case !s.Synced:
		f.Found, f.Why = "nothing keeps it right", "the kernel says that it is not synchronised"
		f.Do = "run chronyd or systemd-timesyncd with a time server that this network reaches; records say that the clock is not synchronised meanwhile"
	case s.Offset.Abs() > offsetAtMost:
		f.Found, f.Why = fmt.Sprintf("about %v wrong", s.Offset), "its discipline has not caught up"
		f.Do = "see `chronyc tracking` or `timedatectl`; wait until it has settled before product runs"
	default:
		f.OK, f.Found = true, fmt.Sprintf("synchronised, off by about %v, at most %v", s.Offset, s.Uncertainty)
	}
	return f
}

// disk looks at the place of the record: whether it can be written, how fast a
// flush is, and whether the quota fits.
func disk(c *config.Config) []Finding {
	dir := c.Data.Dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{{Check: "disk", Subject: dir, Found: "is not there", Why: err.Error(),
			Do: "`andon run` makes it where it may; under systemd StateDirectory does"}}
	case err != nil:
		return []Finding{{Check: "disk", Subject: dir, Found: "cannot be seen", Why: err.Error(), Do: cure(err)}}
	case !info.IsDir():
		return []Finding{{Check: "disk", Subject: dir, Found: "is not a directory", Why: "a file has its name", Do: "choose another data.dir, or move the file away"}}
	}
	list := []Finding{flushes(dir)}
	if f, ok := space(dir, c.Data.Quota); ok {
		list = append(list, f)
	}
	return list
}

// Flushes are timed this often; a commit takes two or three of them.
const (
	flushTries  = 15
	flushAtMost = 100 * time.Millisecond
)

// flushes writes a file of its own and flushes it, as each commit does.
func flushes(dir string) Finding {
	f := Finding{Check: "disk", Subject: dir}
	took, err := timeFlushes(dir)
	if err != nil {
		f.Found, f.Why, f.Do = "cannot be written", err.Error(), cure(err)
		return f
	}
	slices.Sort(took)
	middle, worst := took[len(took)/2], took[len(took)-1]
	f.Found = fmt.Sprintf("a flush takes %v, at worst %v", middle.Round(10*time.Microsecond), worst.Round(10*time.Microsecond))
	if f.OK = middle <= flushAtMost; !f.OK {
		f.Why = "each commit waits for two or three of them"
		f.Do = "use a disk with power-loss protection, not a memory card or a network share; see SMART"
	}
	return f
}

func timeFlushes(dir string) (took []time.Duration, err error) {
	t, err := os.CreateTemp(dir, "doctor-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close(), os.Remove(t.Name())) }()
	page := make([]byte, 4096)
	for range flushTries {
		began := time.Now()
		if _, err := t.WriteAt(page, 0); err != nil {
			return nil, err
		}
		if err := t.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// space holds the quota against what is free; ok is false where that cannot be
// known.
func space(dir string, quota int64) (f Finding, ok bool) {
	free, kind, ok := statfs(dir)
	if !ok {
		return f, false
	}
	f = Finding{Check: "disk", Subject: dir + " space"}
	have := int64(0)
	if info, err := os.Stat(filepath.Join(dir, journal.File)); err == nil {
		have = info.Size()
	} // without a journal yet, all of the quota is still to be had
	f.Found = fmt.Sprintf("%s free, the journal has %s of its %s", size(free), size(have), size(quota))
	switch {
	case kind != "":
		f.Why = "it is a " + kind + ", where a power cut or a broken link can take what was committed"
		f.Do = "put data.dir on a disk of this machine"
	case free < quota-have:
		f.Why = "the disk will be full before the quota is used up"
		f.Do = "make room, or lower data.quota: the gateway then warns in time"
	default:
		f.OK = true
	}
	return f, true
}

func size(n int64) string {
	const unit = 1 << 10
	switch {
	case n >= unit*unit*unit:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	case n >= unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	}
	return fmt.Sprintf("%d B", n)
}

// secrets are the files with passwords and keys: there, and for nobody else.
func secrets(c *config.Config) []Finding {
	var list []Finding
	look := func(what string, file string) {
		if file != "" {
			list = append(list, secret(what, file))
		}
	}
	for i := range c.Sources {
		if u := c.Sources[i].OPCUA; u != nil {
			look("password of source "+c.Sources[i].Name, u.Identity.Password.File)
			look("key of source "+c.Sources[i].Name, u.Identity.Key)
		}
	}
	if c.MQTT != nil {
		look("password of the broker", c.MQTT.Password.File)
		look("key for the broker", c.MQTT.TLS.Key)
	}
	if c.Panel != nil {
		look("key of the panel", c.Panel.TLS.Key)
	}
	return list
}

func secret(what, file string) Finding {
	f := Finding{Check: "secret", Subject: what}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		f.Found, f.Why, f.Do = "cannot be read", err.Error(), cure(err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0:
		f.Found, f.Why = "can be read by everybody", fmt.Sprintf("%s has mode %04o", file, info.Mode().Perm())
		f.Do = "chmod o= " + file + ", and change the secret if others were at it"
	default:
		f.OK, f.Found = true, file
	}
	return f
}

// renewBefore is how long before its end a certificate is to be renewed.
const renewBefore = 30 * 24 * time.Hour

func certificates(c *config.Config, now time.Time) []Finding {
	var list []Finding
	look := func(what, file string, needed bool) {
		if file == "" {
			return
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && !needed {
			return // the first start makes it
		}
		list = append(list, certificate(what, file, now))
	}
	look("our own for OPC UA", filepath.Join(c.Data.Dir, "own", opcua.CertificateFile), false)
	if c.MQTT != nil {
		look("our own for the broker", c.MQTT.TLS.Certificate, true)
		look("the broker's CA", c.MQTT.TLS.CA, true)
	}
	if c.Panel != nil {
		look("the panel's", c.Panel.TLS.Certificate, true)
	}
	return list
}

func certificate(what, file string, now time.Time) Finding {
	f := Finding{Check: "certificate", Subject: what}
	b, err := os.ReadFile(file)
	if err != nil {
		f.Found, f.Why, f.Do = "cannot be read", err.Error(), cure(err)
		return f
	}
	if p, _ := pem.Decode(b); p != nil {
		b = p.Bytes
	}
	cert, err := x509.ParseCertificate(b)
	if err != nil {
		f.Found, f.Why, f.Do = "is no certificate", fmt.Sprintf("%s: %v", file, err), "name a certificate in PEM or DER"
		return f
	}
	f.Found = fmt.Sprintf("valid from %s to %s", cert.NotBefore.UTC().Format(time.DateOnly), cert.NotAfter.UTC().Format(time.DateOnly))
	switch left := cert.NotAfter.Sub(now); {
	case now.Before(cert.NotBefore):
		f.Why, f.Do = "it is not valid yet", "is this machine's clock right?"
	case left < 0:
		f.Why, f.Do = "it has expired", "renew it; the other side must trust the new one"
	case left < renewBefore:
		f.Why, f.Do = "it ends within 30 days", "renew it, and let the other side trust the new one first"
	default:
		f.OK = true
	}
	return f
}
