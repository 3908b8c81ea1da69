package judge

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
	"andon/internal/spec"
)

// TestEnvelopeExcursion: time outside and area of an envelope that widens,
// narrows and jumps, against integration by small steps. A stretch counts when
// one of its ends is out.
func TestEnvelopeExcursion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		profile := drawProfile(rt)
		j := judging(spec.Rule{Kind: spec.Envelope, Profile: profile}, 1, time.Hour)
		limits := func(t sample.Time) (low, high float64) { return worked(profile, t.Sub(secs(0)).Seconds()) }
		out := func(t sample.Time, x float64) bool { low, high := limits(t); return x < low || x > high }
		at, last := secs(0), 0.0
		tell(j, at, last)
		var seconds, area float64
		for range rapid.IntRange(1, 12).Draw(rt, "samples") {
			next := at + sample.Time(rapid.Int64Range(1e8, 5e9).Draw(rt, "dt"))
			x := rapid.Float64Range(-9, 9).Draw(rt, "x")
			if rapid.IntRange(0, 3).Draw(rt, "confirmed") == 0 {
				x = last
				stands(j, next)
			} else {
				tell(j, next, x)
			}
			if out(at, last) || out(next, x) {
				s, a := brute(at, next, last, x, limits)
				seconds, area = seconds+s, area+a
			}
			if got := j.S.Rules[0].Verdict == Out; got != out(next, x) {
				rt.Fatalf("%v: out at %v with %v: %v", profile, next.Sub(secs(0)), x, got)
			}
			at, last = next, x
		}
		gotS, gotA := excursions(j)
		if !near(gotS.Seconds(), seconds, 0.03) || !near(gotA, area, 0.05) {
			rt.Fatalf("%v: outside %v s, area %v; want %v, %v", profile, gotS.Seconds(), gotA, seconds, area)
		}
	})
}

func drawProfile(rt *rapid.T) (profile []spec.ProfilePoint) {
	var at time.Duration
	for range rapid.IntRange(1, 5).Draw(rt, "points") {
		p := spec.ProfilePoint{T: at, Low: rapid.Float64Range(-6, -1).Draw(rt, "low"), High: rapid.Float64Range(1, 6).Draw(rt, "high")}
		switch rapid.IntRange(0, 5).Draw(rt, "side") {
		case 0:
			p.Low = math.Inf(-1)
		case 1:
			p.High = math.Inf(1)
		}
		profile = append(profile, p)
		at += time.Duration(rapid.Int64Range(1, 10e9).Draw(rt, "dt"))
	}
	return profile
}

// worked is a profile's limits, in seconds, worked out by going along it.
func worked(profile []spec.ProfilePoint, s float64) (low, high float64) {
	low, high = profile[0].Low, profile[0].High
	line := func(a, b, f float64) float64 {
		if math.IsInf(a, 0) || math.IsInf(b, 0) {
			return a
		}
		return a + (b-a)*f
	}
	for i, p := range profile {
		from := p.T.Seconds()
		if s < from {
			break
		}
		low, high = p.Low, p.High
		if i+1 < len(profile) {
			if to := profile[i+1].T.Seconds(); s < to {
				f := (s - from) / (to - from)
				low, high = line(p.Low, profile[i+1].Low, f), line(p.High, profile[i+1].High, f)
			}
		}
	}
	return low, high
}

// TestEnvelopeAtLimit: a value on the line, in decimals, is in, and a tenth
// beyond is out.
func TestEnvelopeAtLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from, step := rapid.IntRange(-9000, 9000).Draw(rt, "from"), rapid.IntRange(-50, 50).Draw(rt, "step")
		n := rapid.IntRange(1, 60).Draw(rt, "seconds")
		at := func(i int) float64 { return float64(from+i*step) / 10 }
		profile := []spec.ProfilePoint{{T: 0, Low: at(0), High: at(0) + 100}, {T: time.Duration(n) * time.Second, Low: at(n), High: at(n) + 100}}
		j := judging(spec.Rule{Kind: spec.Envelope, Profile: profile}, 1, time.Hour)
		for i := range n + 1 {
			tell(j, secs(float64(i)), at(i))
			if v := j.S.Rules[0].Verdict; v != In {
				rt.Fatalf("%v: %v at %d s is %v", profile, at(i), i, v)
			}
		}
		tell(j, secs(float64(n)+1), float64(from+n*step-1)/10)
		if v := j.S.Rules[0].Verdict; v != Out {
			rt.Fatalf("%v: a tenth below is %v", profile, v)
		}
	})
}
