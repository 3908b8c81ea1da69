package metrics

import (
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Meter counts what happens and exports it with the facts. Its methods may be
// called from any goroutine and return at once.
type Meter struct {
	registry *prometheus.Registry

	samples     *prometheus.CounterVec
	losses      *prometheus.CounterVec
	transitions *prometheus.CounterVec
	ackSeconds  *prometheus.HistogramVec
	commit      prometheus.Histogram
	age         prometheus.Histogram
	eval        prometheus.Histogram
	receiptLag  prometheus.Histogram
	failures    prometheus.Counter
}

// Buckets, in seconds. Deciding is a computation without a wait; a commit is a few flushes of the disk; a sample waits for
// its group first; people and quality systems take their time.
var (
	evalBuckets    = []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1}
	commitBuckets  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	receiptBuckets = []float64{.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14400, 86400}
	ackBuckets     = []float64{5, 15, 30, 60, 180, 300, 600, 1800, 3600, 14400}
)

// New makes a meter with a registry of its own. facts is called at each scrape,
// on the scraper's goroutine.
func New(version string, facts func() Facts) (*Meter, error) {
	m := &Meter{
		registry:    prometheus.NewRegistry(),
		samples:     counters("samples_total", "Samples on record since the start, by source and quality.", "source", "quality"),
		losses:      counters("losses_total", "Times a source said that samples were lost.", "source"),
		transitions: counters("alarm_transitions_total", "Transitions of alarms, by priority and the state they came to.", "priority", "state"),
		ackSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "alarm_ack_seconds",
			Help: "From an alarm's raise to its acknowledgement.", Buckets: ackBuckets}, []string{"priority"}),
		commit:     histogram("buffer_commit_seconds", "Time of one commit of the record, flushes included.", commitBuckets),
		age:        histogram("sample_age_seconds", "From a scan's arrival to its being durable.", commitBuckets),
		eval:       histogram("eval_duration_seconds", "Time to decide one input: judging, alarms and events, without recording.", evalBuckets),
		receiptLag: histogram("deviation_receipt_lag_seconds", "From a quality event to its receipt by all consumers. Events raised before the start are not in it.", receiptBuckets),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "buffer_commit_failures_total",
			Help: "Commits that were refused or whose fate was unknown: NOT RECORDING."}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "Always 1; what is running.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()}})
	info.Set(1)
	var errs []error
	for _, c := range []prometheus.Collector{m.samples, m.losses, m.transitions, m.ackSeconds, m.commit, m.age, m.eval, m.receiptLag, m.failures, info,
		collector{facts}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		errs = append(errs, m.registry.Register(c))
	}
	return m, errors.Join(errs...)
}

const namespace = "andon"

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

// scrapeAtMost bounds one scrape, which may have to read the record's file.
const scrapeAtMost = 10 * time.Second

// Handler answers scrapes. A metric that cannot be had does not keep the others
// from being had.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
		Timeout: scrapeAtMost, Registry: m.registry})
}

// Samples counts n samples that are on record.
func (m *Meter) Samples(source, quality string, n int) {
	m.samples.WithLabelValues(source, quality).Add(float64(n))
}

// Loss counts one loss that a source told of.
func (m *Meter) Loss(source string) { m.losses.WithLabelValues(source).Inc() }

// Transition counts one transition of an alarm.
func (m *Meter) Transition(priority, state string) {
	m.transitions.WithLabelValues(priority, state).Inc()
}

// Acknowledged: an operator took d to take notice of an alarm.
func (m *Meter) Acknowledged(priority string, d time.Duration) {
	m.ackSeconds.WithLabelValues(priority).Observe(d.Seconds())
}

// Commit: one commit took d.
func (m *Meter) Commit(d time.Duration) { m.commit.Observe(d.Seconds()) }

// CommitFailed: one commit was not made, or nobody knows.
func (m *Meter) CommitFailed() { m.failures.Inc() }

// Durable: a scan was durable d after it arrived.
func (m *Meter) Durable(d time.Duration) { m.age.Observe(d.Seconds()) }

// Evaluated: one input was decided within d.
func (m *Meter) Evaluated(d time.Duration) { m.eval.Observe(d.Seconds()) }

// Receipt: a quality event was receipted d after it was raised.
func (m *Meter) Receipt(d time.Duration) { m.receiptLag.Observe(d.Seconds()) }
