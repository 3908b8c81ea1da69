package panel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// recorded are n samples of one tag, one a second from at0 on; the first is text
// that JSON may write in two ways.
func recorded(n int) []record.Sample {
	var list []record.Sample
	for i := range n {
		at := at0.Add(time.Duration(i) * time.Second)
		s := record.Sample{I: uint64(i + 1), Equipment: "furn-03", Tag: "tc1", T: at, TA: at, V: sample.FloatValue(float64(i))}
		if i == 0 {
			s.V = sample.StringValue("<&>")
		}
		list = append(list, s)
	}
	return list
}

// fetch asks for something and reads the answer into to.
func (s *stand) fetch(t *testing.T, path string, to any) string {
	t.Helper()
	resp, body := s.ask(t, "GET", "/api/v1/"+path, "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", path, resp.Status, body)
	}
	if err := json.Unmarshal([]byte(body), to); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return body
}

type listed struct {
	Records []json.RawMessage
	Next    uint64
}

// TestRecords: samples come with the bytes that are hashed, page by page, none
// twice and none left out, and only those of the time asked for.
func TestRecords(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.samples = recorded(25)
	var got []string
	for after, pages := uint64(0), 0; pages == 0 || after != 0; pages++ {
		var l listed
		s.fetch(t, fmt.Sprintf("records?limit=10&after=%d", after), &l)
		for _, r := range l.Records {
			got = append(got, string(r))
		}
		after = l.Next
	}
	if len(got) != 25 {
		t.Fatalf("%d samples, want 25", len(got))
	}
	for i, x := range s.gateway.samples {
		if got[i] != string(x.JSON()) {
			t.Errorf("sample %d: %s, want %s", i+1, got[i], x.JSON())
		}
	}
	var l listed
	s.fetch(t, "records?from=2026-01-01T00:00:03Z&to=2026-01-01T00:00:05Z", &l)
	if len(l.Records) != 3 || l.Next != 0 || string(l.Records[0]) != string(s.gateway.samples[3].JSON()) {
		t.Errorf("three seconds: %s, next %d", l.Records, l.Next)
	}
	if body := s.fetch(t, "records?from=2027-01-01T00:00:00Z", &l); !strings.Contains(body, `"records":[]`) {
		t.Errorf("nothing: %s", body)
	}
}

// TestReadingRefused: what cannot be answered is a problem that says why.
func TestReadingRefused(t *testing.T) {
	s := newStand(t, nil)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"records?from=yesterday", 422, "from"},
		{"records?from=1500-01-01T00:00:00Z", 422, "1678"},
		{"records?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "to is before from"},
		{"records?limit=10001", 422, "limit"},
		{"records?after=-1", 422, "after"},
	} {
		resp, body := s.ask(t, "GET", "/api/v1/"+c.path, "")
		if resp.StatusCode != c.status || !strings.Contains(body, c.says) || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s, want %d with %q", c.path, resp.Status, body, c.status, c.says)
		}
	}
	s.gateway.state.Store(nil)
	if resp, body := s.ask(t, "GET", "/api/v1/records", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while starting: %s %s", resp.Status, body)
	}
}

// TestReadingEnds: a client that goes away ends its reading and makes room for
// the next one.
func TestReadingEnds(t *testing.T) {
	s := newStand(t, nil)
	s.gateway.stuck = true
	client := http.Client{Timeout: 50 * time.Millisecond}
	for range 2 * readAtOnce {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"api/v1/records", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(r); err == nil {
			t.Errorf("answered %s", resp.Status)
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for range readAtOnce {
		select {
		case s.reads <- struct{}{}:
		case <-time.After(5 * time.Second):
			t.Fatal("the reading goes on although nobody waits for it")
		}
	}
}
