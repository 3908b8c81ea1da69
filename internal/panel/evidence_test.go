package panel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
)

// hashOf is the hash over samples as a program outside would compute it.
func hashOf(list []record.Sample) string {
	h := sha256.New()
	for _, s := range list {
		h.Write(append(s.JSON(), '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// proven is an event whose evidence are the samples 5 to 15 of recorded, beside
// which there are those of another tag, and one that came late.
func proven(s *stand) {
	all := recorded(30)
	want := all[4:15]
	other := record.Sample{I: 31, Equipment: "furn-03", Tag: "tc2", T: at0.Add(8 * time.Second), TA: at0, V: sample.FloatValue(1)}
	late := record.Sample{I: 32, Equipment: "furn-03", Tag: "tc1", T: at0.Add(9 * time.Second), TA: at0, V: sample.FloatValue(2)}
	s.gateway.samples = append(all, other, late)
	s.gateway.samples[7].Tag, all[7].Tag = "tc2", "tc2"
	want = append(append([]record.Sample{}, want[:3]...), want[4:]...)
	d := quality.Document{EventID: "dev-1", Revision: 3, Equipment: quality.Equipment{ID: "furn-03", Sensors: []quality.Sensor{{Input: "tc1"}}},
		Evidence: &quality.Evidence{Window: quality.Window{From: at0.Add(4 * time.Second), To: at0.Add(14 * time.Second)}, Records: [2]uint64{5, 15}, Count: 10, SHA256: hashOf(want)}}
	open := d
	open.EventID, open.Evidence = "dev-2", nil
	s.gateway.events.Store(&EventList{Events: []Event{{ID: "dev-1", Document: &Document{d}}, {ID: "dev-2", Document: &Document{open}}, {ID: "gap-1", Gap: &GapDocument{}}}})
}

// TestEvidence: the samples that an event names come back and match; a changed,
// a missing and an added one are found out, on every page.
func TestEvidence(t *testing.T) {
	s := newStand(t, nil)
	for _, c := range []struct {
		name   string
		change func(*toy)
		match  bool
		count  uint64
	}{
		{"untouched", func(*toy) {}, true, 10},
		{"changed", func(g *toy) { g.samples[9].V = sample.FloatValue(99) }, false, 10},
		{"missing", func(g *toy) { g.samples[14].Equipment = "furn-04" }, false, 9},
		{"added", func(g *toy) { g.samples[7].Tag = "tc1" }, false, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			proven(s)
			c.change(s.gateway)
			var a, rest evidenceAnswer
			s.fetch(t, "events/dev-1/evidence?limit=4", &a)
			if a.Match != c.match || a.Found.Count != c.count || len(a.Records) != 4 || a.Next == 0 || a.Told.Count != 10 {
				t.Errorf("match %v, told %+v, found %+v, %d samples, next %d", a.Match, a.Told, a.Found, len(a.Records), a.Next)
			}
			s.fetch(t, fmt.Sprintf("events/dev-1/evidence?after=%d", a.Next), &rest)
			if rest.Match != c.match || rest.Found != a.Found || uint64(len(rest.Records)+4) != c.count || rest.Next != 0 {
				t.Errorf("rest after %d: match %v, found %+v, %d samples, next %d", a.Next, rest.Match, rest.Found, len(rest.Records), rest.Next)
			}
		})
	}
}

// TestNoEvidence: what has none says so.
func TestNoEvidence(t *testing.T) {
	s := newStand(t, nil)
	proven(s)
	for id, says := range map[string]string{"dev-2": "once it is over", "gap-1": "a gap has none", "dev-9": "no event dev-9"} {
		if resp, body := s.ask(t, "GET", "/api/v1/events/"+id+"/evidence", ""); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, says) {
			t.Errorf("%s: %s %s, want %q", id, resp.Status, body, says)
		}
	}
}
