package config

import (
	"fmt"
	"time"

	"andon/internal/strictyaml"
)

// Defaults and bounds. The least quota is what the journal needs for its own
// pages, its reserve and an hour of a small line.
const (
	defaultDir    = "/var/lib/andon"
	defaultQuota  = 8 << 30
	leastQuota    = 64 << 20
	defaultCommit = 250 * time.Millisecond
	defaultRetain = 90 * 24 * time.Hour
)

func (r *reader) gateway(n strictyaml.Node) {
	r.c.Gateway.ID = shaped(n.Need("id"), idShape, idWords)
	r.c.Gateway.Site = shaped(n.Get("site"), siteShape, siteWords)
}

func (r *reader) data(n strictyaml.Node) {
	d := &r.c.Data
	d.Dir = r.pathOr(n.Get("dir"), defaultDir)
	d.Quota = defaultQuota
	if q := n.Get("quota"); q.Present() {
		d.Quota = q.Size()
		if q.OK() && d.Quota < leastQuota {
			q.Problem(fmt.Sprintf("the quota %s is too small", q.Written()), "give the journal 64MiB or more")
		}
	}
	d.CommitEvery = between(n.Get("commit_every"), defaultCommit, 10*time.Millisecond, 10*time.Second)
	d.Retain = between(n.Get("retain"), defaultRetain, time.Hour, 100*365*24*time.Hour)
}

func (r *reader) specs(n strictyaml.Node) {
	r.c.Specs.Dir = r.pathOr(n.Get("dir"), "specs")
	r.c.Specs.Approvers = r.pathOr(n.Get("approvers"), "approvers.yaml")
}

// between is a duration within bounds, or def when the key is absent. The
// bounds keep an option from switching off what it times: 0 is not "never".
func between(n strictyaml.Node, def, low, high time.Duration) time.Duration {
	if !n.Present() {
		return def
	}
	d := n.Duration()
	if n.OK() && (d < low || d > high) {
		n.Problem(n.Written()+" is out of bounds", fmt.Sprintf("from %s to %s", span(low), span(high)))
	}
	return d
}

// span writes a duration as the settings do: the largest unit that is whole.
func span(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}
