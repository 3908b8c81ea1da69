package systemtest

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// summary is the object with which `andon demo --json` ends.
type summary struct {
	Samples         int `json:"samples"`
	Deviations      tally
	Nonconformances tally
	Gaps            struct{ Expected, Recorded int }
	Alarms, Lots    int
	Records         struct{ Sent, Received, Missing, Duplicated int }
	Journal         struct {
		Size     int64
		Root     string
		Verified bool
	}
	Latency map[string]struct {
		P50 *float64
		P99 *float64
	} `json:"latency_ms"`
	Mismatches []string
}

type tally struct{ Expected, Raised, Receipted, Pending int }

// TestDemo: the whole way on one machine, without any set-up. SOAK=duration
// makes it that long.
func TestDemo(t *testing.T) {
	t.Parallel()
	length := "30s"
	if soak := os.Getenv("SOAK"); soak != "" {
		length = soak
	} else if testing.Short() {
		t.Skip("takes half a minute")
	}
	d, err := time.ParseDuration(length)
	if err != nil {
		t.Fatalf("SOAK=%s: want a duration like 10m", length)
	}
	dir := t.TempDir()
	begin := time.Now()
	p := andon(t, "demo", "--for", length, "--json", "--dir", dir)
	select {
	case <-p.ended:
	case <-time.After(d + patience):
		t.Fatalf("demo --for %s has not ended after %v", length, time.Since(begin))
	}
	p.exits(0)
	var s summary
	if err := json.Unmarshal([]byte(p.stdout.String()), &s); err != nil {
		t.Fatalf("%v in\n%s", err, p.stdout.String())
	}
	s.check(t)
	if r := verifyDir(t, dir+"/data"); !r.OK || r.Size != s.Journal.Size || r.Root != s.Journal.Root {
		t.Errorf("journal verify says %+v, the demonstration %+v", r, s.Journal)
	}
	if took := time.Since(begin); took > d+15*time.Second {
		t.Errorf("it took %v, want at most 10 s for the drain", took)
	}
}

func (s *summary) check(t *testing.T) {
	t.Helper()
	if len(s.Mismatches) > 0 {
		t.Errorf("mismatches %q", s.Mismatches)
	}
	n := s.Deviations.Expected
	if n == 0 || s.Deviations != (tally{n, n, n, 0}) {
		t.Errorf("deviations %+v, want some, all raised and receipted", s.Deviations)
	}
	if m := s.Nonconformances.Expected; s.Nonconformances != (tally{m, m, m, 0}) {
		t.Errorf("nonconformances %+v, want all raised and receipted", s.Nonconformances)
	}
	if s.Gaps.Expected == 0 || s.Gaps.Expected != s.Gaps.Recorded {
		t.Errorf("gaps %+v, want some, all recorded", s.Gaps)
	}
	if s.Samples == 0 || s.Records.Sent != s.Samples || s.Records.Received != s.Samples || s.Records.Missing != 0 {
		t.Errorf("%d samples, records %+v", s.Samples, s.Records)
	}
	if s.Journal.Size == 0 || s.Journal.Root == "" || !s.Journal.Verified || s.Alarms == 0 || s.Lots == 0 {
		t.Errorf("journal %+v, alarms %d, lots %d", s.Journal, s.Alarms, s.Lots)
	}
	for _, what := range []string{"sample_to_durable", "sample_to_alarm", "sample_to_receipt"} {
		if l := s.Latency[what]; l.P50 == nil || l.P99 == nil || *l.P50 > *l.P99 || *l.P99 <= 0 {
			t.Errorf("latency %s: %+v", what, l)
		}
	}
}
