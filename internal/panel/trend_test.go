package panel

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// TestTrend: each bucket holds the extremes of its own samples, of the one tag,
// both ends included; what is bad or no number is counted and not drawn.
func TestTrend(t *testing.T) {
	s := newStand(t, nil)
	at := func(second int, v sample.Value, q sample.Quality, tag string) {
		n := uint64(len(s.gateway.samples) + 1)
		x := at0.Add(time.Duration(second) * time.Second)
		s.gateway.samples = append(s.gateway.samples, record.Sample{I: n, Equipment: "furn-03", Tag: tag, T: x, TA: x, V: v, Q: q})
	}
	at(0, sample.FloatValue(5), sample.Good, "tc1")
	at(1, sample.FloatValue(900), sample.Good, "tc1") // a peak of one sample
	at(2, sample.FloatValue(-3), sample.Uncertain, "tc1")
	at(3, sample.FloatValue(1e6), sample.Good, "tc2")
	at(12, sample.FloatValue(7), sample.Bad, "tc1")
	at(13, sample.StringValue("x"), sample.Good, "tc1")
	at(30, sample.FloatValue(8), sample.Good, "tc1")
	at(31, sample.FloatValue(9), sample.Good, "tc1") // behind the end
	var got trend
	s.fetch(t, "trend?equipment=furn-03&tag=tc1&points=3&from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:30Z", &got)
	if len(got.Buckets) != 3 || time.Duration(got.StepNS) < 10*time.Second {
		t.Fatalf("%+v", got)
	}
	a, b, c := got.Buckets[0], got.Buckets[1], got.Buckets[2]
	if a.N != 3 || *a.Min != -3 || *a.Max != 900 || a.Bad != 0 {
		t.Errorf("first bucket %+v", a)
	}
	if b.N != 0 || b.Min != nil || b.Max != nil || b.Bad != 2 {
		t.Errorf("second bucket %+v", b)
	}
	if c.N != 1 || *c.Min != 8 || *c.Max != 8 {
		t.Errorf("third bucket %+v", c)
	}
	s.fetch(t, "trend?equipment=furn-03&tag=tc1&points=2000&from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:01Z", &got)
	if len(got.Buckets) != 1 || got.Buckets[0].N != 1 || *got.Buckets[0].Max != 900 {
		t.Errorf("one instant: %+v", got)
	}
}

// TestTrendRefused: a trend without bounds, or of nothing, is refused.
func TestTrendRefused(t *testing.T) {
	s := newStand(t, nil)
	for query, says := range map[string]string{
		"tag=tc1&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z":                               "equipment",
		"equipment=furn-03&tag=tc1&to=2026-01-02T00:00:00Z":                                       "from",
		"equipment=furn-03&tag=tc1&from=2026-01-03T00:00:00Z&to=2026-01-02T00:00:00Z":             "to is before from",
		"equipment=furn-03&tag=tc1&from=1700-01-01T00:00:00Z&to=2200-01-02T00:00:00Z":             "290 years",
		"equipment=furn-03&tag=tc1&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&points=2001": "points",
	} {
		if resp, body := s.ask(t, "GET", "/api/v1/trend?"+query, ""); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, says) {
			t.Errorf("%s: %s %s, want %q", query, resp.Status, body, says)
		}
	}
}

// TestTrendOfNothing: a tag that there is has an empty trend, one of which nothing
// is known none; one that is only on record has one.
func TestTrendOfNothing(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.samples = []record.Sample{{I: 1, Equipment: "furn-03", Tag: "old", T: at0, TA: at0, V: sample.FloatValue(1)}}
	for tag, want := range map[string]int{"furn-03&tag=tc2": 200, "furn-03&tag=old": 200, "furn-03&tag=tc9": 404, "furn-04&tag=tc1": 404} {
		resp, body := s.ask(t, "GET", "/api/v1/trend?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&equipment="+tag, "")
		if resp.StatusCode != want || want == 404 && !strings.Contains(body, "no tag") {
			t.Errorf("%s: %s %s, want %d", tag, resp.Status, body, want)
		}
	}
}
