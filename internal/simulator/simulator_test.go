package simulator

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// length is how long the plant of a run misbehaves.
const length = 5 * time.Minute

// seeds is how many runs it takes to see 10,000 excursions and 1,000 restarts.
const seeds = 90

// TestExcursions is recall 1 and precision 1: in 10,000 excursions and 1,000
// restarts, everything that happened has been told once, and nothing else.
// SIMULATOR_RUNS=N plays N seeds instead.
func TestExcursions(t *testing.T) {
	runs := uint64(seeds)
	if testing.Short() {
		runs = 8
	}
	if n, err := strconv.ParseUint(os.Getenv("SIMULATOR_RUNS"), 10, 32); err == nil {
		runs = n // a soak
	}
	var mu sync.Mutex
	var total Result
	played := uint64(0)
	t.Run("runs", func(t *testing.T) {
		for seed := uint64(1); seed <= runs; seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				r := play(t, seed)
				mu.Lock()
				defer mu.Unlock()
				played++
				total.Excursions += r.Excursions
				total.Restarts += r.Restarts
				total.Uncertain += r.Uncertain
				total.Gaps += r.Gaps
				total.Lost += r.Lost
				total.Inputs += r.Inputs
				total.Samples += r.Samples
				total.Doubled += r.Doubled
			})
		}
	})
	t.Logf("%d runs: %d excursions, %d gaps, %d losses of monitoring; %d restarts, %d uncertain commits; %d inputs, %d samples, %d entries sent again",
		played, total.Excursions, total.Gaps, total.Lost, total.Restarts, total.Uncertain, total.Inputs, total.Samples, total.Doubled)
	if played == seeds && (total.Excursions < 10_000 || total.Restarts < 1_000) {
		t.Errorf("%d excursions and %d restarts in %d runs, want 10000 and 1000", total.Excursions, total.Restarts, seeds)
	}
}

// play runs one seed and reports what should not have been.
func play(t *testing.T, seed uint64) *Result {
	r := Run(NewPlan(seed, length))
	for _, p := range r.Problems {
		t.Error(p)
	}
	if t.Failed() {
		t.Logf("this run alone: go test ./internal/simulator -run 'TestExcursions/runs/seed=%d$'", seed)
	}
	return r
}

// TestSameSeedSameRun: byte for byte.
func TestSameSeedSameRun(t *testing.T) {
	for seed := uint64(1000); seed < 1003; seed++ {
		a, b := Run(NewPlan(seed, time.Minute)), Run(NewPlan(seed, time.Minute))
		if a.Digest != b.Digest || a.Inputs == 0 {
			t.Errorf("seed %d: %d inputs, digests %x and %x", seed, a.Inputs, a.Digest, b.Digest)
		}
	}
	if a, b := Run(NewPlan(1000, time.Minute)), Run(NewPlan(1001, time.Minute)); a.Digest == b.Digest {
		t.Error("two seeds gave the same run")
	}
}

// TestOracleSees: what the engine is told wrong, or not told, is found. Each
// row deceives it in one way that the oracle does not know of.
func TestOracleSees(t *testing.T) {
	tests := []struct {
		name    string
		deceive func(n int, body record.Body) record.Body
	}{
		{"a value a quarter off", func(_ int, body record.Body) record.Body {
			return value(body, func(x float64) float64 { return x + 0.25 })
		}},
		{"a sample late by a millisecond", func(_ int, body record.Body) record.Body {
			if b, ok := body.(*record.Scan); ok {
				c := *b
				c.Time++
				return &c
			}
			return body
		}},
		{"a loss that is not told", func(_ int, body record.Body) record.Body {
			if _, ok := body.(*record.Loss); ok {
				return &record.Tick{}
			}
			return body
		}},
		{"a scan that is swallowed", func(n int, body record.Body) record.Body {
			if _, ok := body.(*record.Scan); ok && n%50 == 0 {
				return &record.Tick{}
			}
			return body
		}},
		{"bad values that look good", func(_ int, body record.Body) record.Body {
			b, ok := body.(*record.Scan)
			if !ok {
				return body
			}
			c := *b
			c.Readings = append([]sample.Reading{}, b.Readings...)
			for i := range c.Readings {
				c.Readings[i].Quality = sample.Good
			}
			return &c
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(NewPlan(7, 3*time.Minute))
			w.gw.deceive = tt.deceive
			if r := w.run(); len(r.Problems) == 0 {
				t.Error("nobody has noticed")
			}
		})
	}
}

// value changes the numbers of a scan that are about the upper limit.
func value(body record.Body, change func(float64) float64) record.Body {
	b, ok := body.(*record.Scan)
	if !ok {
		return body
	}
	c := *b
	c.Readings = append([]sample.Reading{}, b.Readings...)
	for i := range c.Readings {
		if x, ok := c.Readings[i].Value.Number(); ok {
			c.Readings[i].Value = sample.FloatValue(change(x))
		}
	}
	return &c
}
