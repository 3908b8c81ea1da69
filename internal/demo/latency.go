package demo

import (
	"slices"
	"sync"
	"time"
)

// kept bounds how many latencies of a kind are kept for the quantiles.
const kept = 200_000

// latencies is the gateway's Observer.
type latencies struct {
	mu                      sync.Mutex
	durable, alarm, receipt []time.Duration
}

// Durable takes the age of samples at their commit.
func (l *latencies) Durable(n int, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		if len(l.durable) < kept {
			l.durable = append(l.durable, d)
		}
	}
}

// Alarm takes the age of a transition when it could be seen.
func (l *latencies) Alarm(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.alarm) < kept {
		l.alarm = append(l.alarm, d)
	}
}

// Receipt takes the age of a quality event when it was receipted.
func (l *latencies) Receipt(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.receipt) < kept {
		l.receipt = append(l.receipt, d)
	}
}

// Quantiles are milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Latency is how long things took, from the arrival of the value behind them.
type Latency struct {
	Durable Quantiles `json:"sample_to_durable"`
	Alarm   Quantiles `json:"sample_to_alarm"`
	Receipt Quantiles `json:"sample_to_receipt"`
}

func (l *latencies) summary() Latency {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Latency{quantiles(l.durable), quantiles(l.alarm), quantiles(l.receipt)}
}

// quantiles are of the nearest rank.
func quantiles(list []time.Duration) Quantiles {
	if len(list) == 0 {
		return Quantiles{}
	}
	slices.Sort(list)
	at := func(q float64) float64 {
		i := min(len(list)-1, int(q*float64(len(list))))
		return float64(list[i].Microseconds()) / 1000
	}
	return Quantiles{at(0.5), at(0.99)}
}
