package sample

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTimeText: at least milliseconds, as many digits as there are, always UTC.
func TestTimeText(t *testing.T) {
	base := time.Date(2026, 3, 4, 9, 12, 31, 0, time.UTC)
	for want, d := range map[string]time.Duration{
		"2026-03-04T09:12:31.000Z":       0,
		"2026-03-04T09:12:31.250Z":       250 * time.Millisecond,
		"2026-03-04T09:12:31.000001Z":    time.Microsecond,
		"2026-03-04T09:12:31.000000001Z": 1,
	} {
		if got := At(base.Add(d)).String(); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := At(base.In(time.FixedZone("x", 3600))).String(); got != "2026-03-04T09:12:31.000Z" {
		t.Errorf("another zone: %s", got)
	}
}

// TestTimeUnknown: what cannot be represented is not known, and says so.
func TestTimeUnknown(t *testing.T) {
	for _, x := range []time.Time{{}, time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := At(x); got != 0 {
			t.Errorf("%v: %v, want not known", x, got)
		}
	}
	b, err := json.Marshal(Time(0))
	if err != nil || string(b) != "null" {
		t.Errorf("not known is %s, %v", b, err)
	}
	var back Time
	if err := json.Unmarshal([]byte(`"9999-01-01T00:00:00Z"`), &back); err == nil {
		t.Errorf("the year 9999 was read as %v", back)
	}
}

func TestTimeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := Time(rapid.Int64Range(int64(At(time.Date(1679, 1, 1, 0, 0, 0, 0, time.UTC))), int64(At(time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)))).Draw(t, "at"))
		b, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		var back Time
		if err := json.Unmarshal(b, &back); err != nil || back != at {
			t.Fatalf("%s read back as %d, %v; want %d", b, back, err, at)
		}
	})
}

// TestExactRoundTrip: a saved value keeps its type and every bit.
func TestExactRoundTrip(t *testing.T) {
	for _, v := range []Value{{}, BoolValue(true), IntValue(-1), IntValue(math.MinInt64), UintValue(math.MaxUint64), FloatValue(3), FloatValue(math.NaN()),
		FloatValue(math.Copysign(0, -1)), FloatValue(math.Inf(-1)), StringValue(""), StringValue("s\"<&>é")} {
		b, err := json.Marshal(Exact{v})
		if err != nil {
			t.Fatal(err)
		}
		var back Exact
		if err := json.Unmarshal(b, &back); err != nil || back.Value != v {
			t.Errorf("%s read back as %#v, %v; want %#v", b, back.Value, err, v)
		}
	}
	for _, bad := range []string{`""`, `"x1"`, `"fzz"`, `7`} {
		if err := json.Unmarshal([]byte(bad), new(Exact)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b Value
		want bool
	}{
		{IntValue(2), FloatValue(2), true},
		{IntValue(2), UintValue(2), true},
		{IntValue(-1), UintValue(math.MaxUint64), false},
		{IntValue(1 << 53), UintValue(1<<53 + 1), false},
		{BoolValue(true), IntValue(1), true},
		{StringValue("2"), IntValue(2), false},
		{StringValue("a"), StringValue("a"), true},
		{FloatValue(math.NaN()), FloatValue(1), false},
	} {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("%#v and %#v: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestJSONNumbers: numbers as people write them; what JSON has no number for is
// text.
func TestJSONNumbers(t *testing.T) {
	for want, v := range map[string]Value{"899.4": FloatValue(899.4), "3": FloatValue(3), "-7": IntValue(-7), "18446744073709551615": UintValue(math.MaxUint64),
		`"NaN"`: FloatValue(math.NaN()), `"+Inf"`: FloatValue(math.Inf(1)), "true": BoolValue(true), "null": {}} {
		if b, err := json.Marshal(v); err != nil || string(b) != want {
			t.Errorf("%#v: %s, %v; want %s", v, b, err, want)
		}
	}
}

func TestQualityText(t *testing.T) {
	for _, q := range []Quality{Good, Uncertain, Bad} {
		b, err := q.MarshalText()
		var back Quality
		if err != nil || back.UnmarshalText(b) != nil || back != q {
			t.Errorf("%s read back as %v", b, back)
		}
	}
	if err := new(Quality).UnmarshalText([]byte("fine")); err == nil {
		t.Error("fine was taken for a quality")
	}
}
