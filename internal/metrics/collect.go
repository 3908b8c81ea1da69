package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector exports the facts.
type collector struct{ facts func() Facts }

// fact is one metric of the table below.
type fact struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func gauge(name, help string, labels ...string) fact {
	return fact{prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil), prometheus.GaugeValue}
}

func counter(name, help string, labels ...string) fact {
	return fact{prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil), prometheus.CounterValue}
}

// The metrics of facts.
var (
	recording = gauge("recording", "1 while what comes is recorded.")
	progress  = gauge("watchdog_last_progress_timestamp_seconds", "When the deciding goroutine last got through a turn.")

	commits = gauge("journal_commits", "Commits of this epoch: the tree's size.")
	kept    = gauge("journal_samples", "Samples of this epoch.")
	bytes   = gauge("buffer_bytes", "Size of the journal's file.")
	quota   = gauge("buffer_quota_bytes", "What the journal's file may have.")

	sourceUp         = gauge("source_up", "1 while the source is connected and delivers.", "source")
	sourceReconnects = counter("source_reconnects_total", "Connections made after the first.", "source")
	sourceLastGood   = gauge("source_last_good_timestamp_seconds", "When a tag of the source was last good or confirmed.", "source")
	sourceSkew       = gauge("source_clock_skew_seconds", "The source's clock less ours, at its last answer.", "source")

	alarms  = gauge("alarms_active", "Alarms that are not normal, by priority and state.", "priority", "state")
	shelved = gauge("shelved_alarms", "Alarms that have been put aside for a limited time.")
	screens = gauge("hmi_clients", "Screens that are being told of changes; absent without a panel.")
	events  = gauge("deviations_open", "Deviations and nonconformances of which the parameter has not returned.", "kind", "class")
	gaps    = gauge("gaps_open", "Stretches without sight that have not ended.")

	waiting   = gauge("buffer_records", "Entries of the outbox that wait for receipts.", "lane")
	oldest    = gauge("buffer_oldest_timestamp_seconds", "When the oldest waiting entry was made; absent when none waits.", "lane")
	raised    = gauge("outbox_raised", "Entries raised in this epoch: receipted + pending + rejected.", "lane")
	receipted = gauge("outbox_receipted", "Entries of this epoch that all consumers hold.", "lane")
	rejected  = gauge("outbox_rejected", "Entries of this epoch that a consumer rejected: dead letters.", "lane")

	brokerConnected = gauge("broker_connected", "1 while there is a connection to a broker.")
	brokerConnects  = counter("broker_connections_total", "Connections made to brokers.")
	inFlight        = gauge("publish_in_flight", "Messages sent and not acknowledged by the broker.")
	published       = counter("publish_total", "Messages by what became of them at the broker.", "result")
	sent            = counter("publish_sent_total", "Messages sent, again or for the first time.", "again")
	receipts        = counter("receipts_total", "Receipts by what was made of them.", "result")
	lastReceipt     = gauge("receipt_last_timestamp_seconds", "When the last believed receipt came.")

	clockSynced      = gauge("clock_synced", "1 while something keeps the gateway's clock right.")
	clockOffset      = gauge("clock_offset_seconds", "Estimate of the clock's error.")
	clockUncertainty = gauge("clock_uncertainty_seconds", "Bound of the clock's error.")

	specInfo      = gauge("spec_info", "Always 1; a revision that judges here.", "id", "revision", "hash")
	specEffective = gauge("spec_effective_timestamp_seconds", "From when the revision is effective.", "id", "revision")
	certificate   = gauge("cert_not_after_timestamp_seconds", "When a certificate of ours ends.", "certificate")
)

// all lists them for Describe.
func all() []fact {
	return []fact{recording, progress, commits, kept, bytes, quota, sourceUp, sourceReconnects, sourceLastGood, sourceSkew, alarms, shelved, screens, events, gaps,
		waiting, oldest, raised, receipted, rejected, brokerConnected, brokerConnects, inFlight, published, sent, receipts, lastReceipt,
		clockSynced, clockOffset, clockUncertainty, specInfo, specEffective, certificate}
}

// Describe names the metrics.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range all() {
		ch <- f.desc
	}
}

// Collect asks for the facts and exports them.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	f := c.facts()
	x := export(ch)
	x.when(progress, f.Progress)
	x.put(commits, float64(f.Commits))
	x.put(kept, float64(f.Samples))
	x.put(bytes, float64(f.Bytes))
	x.put(quota, float64(f.Quota))
	x.clock(f.Clock)
	for _, k := range f.Certificates {
		x.when(certificate, k.NotAfter, k.Name)
	}
	if !f.Known {
		return
	}
	x.yes(recording, f.Recording)
	x.put(gaps, float64(f.Gaps))
	x.put(shelved, float64(f.Shelved))
	if f.Screens != nil {
		x.put(screens, float64(*f.Screens))
	}
	for k, n := range f.Alarms {
		x.put(alarms, float64(n), k.Priority, k.State)
	}
	for k, n := range f.Events {
		x.put(events, float64(n), k.Kind, k.Class)
	}
	for _, s := range f.Specs {
		x.put(specInfo, 1, s.ID, s.Revision, s.SHA256)
		x.when(specEffective, s.Effective, s.ID, s.Revision)
	}
	x.sources(f.Sources)
	x.outbox(f.Lanes)
	x.broker(f.Broker)
}

type export chan<- prometheus.Metric

func (x export) put(f fact, v float64, labels ...string) {
	x <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...) // panics on a wrong number of labels: ours, and tested
}

func (x export) yes(f fact, b bool, labels ...string) {
	v := 0.0
	if b {
		v = 1
	}
	x.put(f, v, labels...)
}

// when exports an instant that is known.
func (x export) when(f fact, t time.Time, labels ...string) {
	if !t.IsZero() {
		x.put(f, float64(t.UnixNano())/1e9, labels...)
	}
}

func (x export) clock(c Clock) {
	x.yes(clockSynced, c.Synced)
	if c.Known && c.Synced { // a clock that runs free says 0, which is no measurement
		x.put(clockOffset, c.Offset.Seconds())
		x.put(clockUncertainty, c.Uncertainty.Seconds())
	}
}

func (x export) sources(list []Source) {
	for _, s := range list {
		x.yes(sourceUp, s.Up, s.Name)
		x.put(sourceReconnects, float64(s.Reconnects), s.Name)
		x.put(sourceSkew, s.Skew.Seconds(), s.Name)
		x.when(sourceLastGood, s.LastGood, s.Name)
	}
}

func (x export) outbox(list []Lane) {
	for _, l := range list {
		x.put(raised, float64(l.Raised), l.Name)
		x.put(receipted, float64(l.Receipted), l.Name)
		x.put(rejected, float64(l.Rejected), l.Name)
		x.put(waiting, float64(l.Pending), l.Name)
		x.when(oldest, l.Oldest, l.Name)
	}
}

func (x export) broker(b *Broker) {
	if b == nil {
		return
	}
	x.yes(brokerConnected, b.Connected)
	x.put(brokerConnects, float64(b.Connections))
	x.put(inFlight, float64(b.InFlight))
	x.put(published, float64(b.Acknowledged), "acknowledged")
	x.put(published, float64(b.Poisoned), "poisoned")
	x.put(sent, float64(b.Sent-b.SentAgain), "no")
	x.put(sent, float64(b.SentAgain), "yes")
	for what, n := range b.Receipts {
		x.put(receipts, float64(n), what)
	}
	x.when(lastReceipt, b.LastReceipt)
}
