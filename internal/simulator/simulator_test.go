package simulator

import (
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)


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
