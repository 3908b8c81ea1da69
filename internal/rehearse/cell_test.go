package rehearse

import (
	"math"
	"testing"

	"andon/internal/sample"
)

func TestInstant(t *testing.T) {
	const start = DefaultStart
	for text, want := range map[string]sample.Time{
		"0": start, "-0": start, "1.5": start + 15e8, "0.1": start + 1e8, ".25": start + 25e7, "3.": start + 3e9, "+2": start + 2e9,
		"-10": start - 10e9, "0.000000001": start + 1, "1e3": start + 1000e9, "1.5E+01": start + 15e9, "864000.001": start + 864000_001e6,
		"2026-01-01T00:00:01Z": start + 1e9, "2026-01-01T01:00:00+01:00": start, "2026-01-01T00:00:00.000000001Z": start + 1,
	} {
		if got, err := Instant(text, start); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "5m", "1h", "0x10p2", "1_000", "NaN", "Inf", "1e300", "99999999999999", "2026-01-01", "2026-01-01 00:00:00Z",
		"2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "9999-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "-1767225600", "1,5"} {
		if got, err := Instant(text, start); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestReading(t *testing.T) {
	good := func(v sample.Value) sample.Reading { return sample.Reading{Value: v} }
	for _, tt := range []struct {
		cell string
		text bool
		want sample.Reading
	}{
		{"885", false, good(sample.IntValue(885))},
		{"885.0", false, good(sample.FloatValue(885))},
		{"-1e-3", false, good(sample.FloatValue(-0.001))},
		{"18446744073709551615", false, good(sample.UintValue(math.MaxUint64))},
		{"18446744073709551616", false, good(sample.FloatValue(18446744073709551616))},
		{"true", false, good(sample.BoolValue(true))},
		{"FALSE", false, good(sample.BoolValue(false))},
		{"R-885", false, good(sample.StringValue("R-885"))},
		{"0040", true, good(sample.StringValue("0040"))},
		{"true", true, good(sample.StringValue("true"))},
		{"bad", false, sample.Reading{Quality: sample.Bad, Status: "Bad"}},
		{"bad", true, sample.Reading{Quality: sample.Bad, Status: "Bad"}},
		{"?885.1", false, sample.Reading{Value: sample.FloatValue(885.1), Quality: sample.Uncertain, Status: "Uncertain"}},
		{"? 885", false, sample.Reading{Value: sample.IntValue(885), Quality: sample.Uncertain, Status: "Uncertain"}},
		{"?R-1", true, sample.Reading{Value: sample.StringValue("R-1"), Quality: sample.Uncertain, Status: "Uncertain"}},
		{"-Inf", false, good(sample.FloatValue(math.Inf(-1)))},
		{"1_000", false, good(sample.StringValue("1_000"))},
		{"0x10p2", false, good(sample.StringValue("0x10p2"))},
		{"1,5", true, good(sample.StringValue("1,5"))},
	} {
		if got, err := reading(tt.cell, tt.text); err != nil || got != tt.want {
			t.Errorf("%q: %+v, %v; want %+v", tt.cell, got, err, tt.want)
		}
	}
	if got, err := reading("NaN", false); err != nil || got.Value.Finite() {
		t.Errorf("NaN: %+v, %v", got, err)
	}
	for _, cell := range []string{"885,1", "-1,5e3", "1e400", "?", "?1e400"} {
		if got, err := reading(cell, false); err == nil {
			t.Errorf("%q was read as %+v", cell, got)
		}
	}
}
