package panel

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"andon/internal/sample"
)

// message is one event of a stream.
type message struct {
	event, id string
	change    changeMessage
	beat      beatMessage
}

// listener reads a stream.
type listener struct {
	t    *testing.T
	resp *http.Response
	scan *bufio.Scanner
}

func (s *stand) listen(t *testing.T, last string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL()+"api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() }) // its end is the test's
	scan := bufio.NewScanner(resp.Body)
	scan.Buffer(nil, 1<<20)
	return &listener{t, resp, scan}
}

// next is the next event; ok is false at the end.
func (l *listener) next() (m message, ok bool) {
	l.t.Helper()
	for l.scan.Scan() {
		word, rest, _ := strings.Cut(l.scan.Text(), ": ")
		var err error
		switch {
		case word == "event":
			m.event = rest
		case word == "id":
			m.id = rest
		case word == "data" && m.event == "beat":
			err = json.Unmarshal([]byte(rest), &m.beat)
		case word == "data":
			err = json.Unmarshal([]byte(rest), &m.change)
		case word == "" && m.event != "":
			return m, true
		}
		if err != nil {
			l.t.Fatalf("%s: %v", l.scan.Text(), err)
		}
	}
	return m, false
}

// change is the next event that is no beat.
func (l *listener) change() message {
	l.t.Helper()
	for {
		m, ok := l.next()
		if !ok {
			l.t.Fatal("the stream ended")
		}
		if m.event == "change" {
			return m
		}
	}
}

func names(m message) []string {
	var list []string
	for name := range m.change.Parts {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// TestStream: first the whole state, then what changes, and after a break what
// has changed since: nothing that has not, and null for what is gone.
func TestStream(t *testing.T) {
	s := newStand(t, nil)
	l := s.listen(t, "")
	if ct := l.resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("content type %s", ct)
	}
	first := l.change()
	if !first.change.Whole || !slices.Contains(names(first), "parameter/furn-03/HT-1/hot") || !slices.Contains(names(first), "alarms") {
		t.Fatalf("first: %v %v", first.change.Whole, names(first))
	}
	next := *plant()
	next.Equipment[0].Parameters[0].Inputs[0].Value = Value{sample.FloatValue(886)}
	next.Equipment[0].Parameters = next.Equipment[0].Parameters[:3]
	s.gateway.state.Store(&next)
	s.Wake()
	m := l.change()
	want := []string{"equipment/furn-03", "parameter/furn-03/HT-1/good", "parameter/furn-03/HT-1/recipe"}
	if m.change.Whole || !slices.Equal(names(m), want) || string(m.change.Parts[want[2]]) != "null" {
		t.Errorf("second: %v %v, want %v", m.change.Whole, names(m), want)
	}
	back := s.listen(t, first.id).change()
	if back.change.Whole || !slices.Equal(names(back), want) {
		t.Errorf("after a break: %v %v, want %v", back.change.Whole, names(back), want)
	}
	for _, id := range []string{"other-1", "nonsense", s.hub.instance + "-99999"} {
		if m := s.listen(t, id).change(); !m.change.Whole {
			t.Errorf("id %s: not the whole state", id)
		}
	}
}

// TestBeat: a browser hears of us when nothing changes, and that the pipeline
// stands or that nothing is recorded.
func TestBeat(t *testing.T) {
	s := newStand(t, nil)
	idle := *plant()
	idle.Recording = false
	s.gateway.state.Store(&idle)
	s.gateway.progress.Store(time.Now().Add(-time.Minute).UnixNano())
	l := s.listen(t, "")
	began := time.Now()
	beats := 0
	for beats < 3 {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if m.event != "beat" {
			continue
		}
		beats++
		if m.beat.Recording || m.beat.StandingMS < 59_000 || m.beat.Now == 0 || m.beat.Build != s.assets.version {
			t.Errorf("beat %+v", m.beat)
		}
	}
	if d := time.Since(began); d > 4*beat {
		t.Errorf("three beats took %v", d)
	}
}

// TestAlarmsDoNotWait: what is coalesced is not alarms.
func TestAlarmsDoNotWait(t *testing.T) {
	s := newStand(t, nil)
	l := s.listen(t, "")
	l.change()
	for i := range 5 {
		next := *plant()
		next.Alarms[0].Count = i + 2
		s.gateway.state.Store(&next)
		began := time.Now()
		s.Wake()
		m := l.change()
		if d := time.Since(began); d > coalesce/2 || !slices.Equal(names(m), []string{"alarms"}) {
			t.Errorf("alarm told after %v: %v", d, names(m))
		}
	}
}

// TestStreamsBounded: one more than there may be, and the oldest begins again.
func TestStreamsBounded(t *testing.T) {
	s := newStand(t, nil)
	first := s.listen(t, "")
	first.change()
	for range mostStreams {
		s.listen(t, "").change()
	}
	for {
		if _, ok := first.next(); !ok {
			break
		}
	}
	if n := s.Streams(); n > mostStreams {
		t.Errorf("%d streams, want at most %d", n, mostStreams)
	}
}

// TestStopEndsStreams: streams do not keep the panel from stopping.
func TestStopEndsStreams(t *testing.T) {
	s := newStand(t, nil)
	l := s.listen(t, "")
	l.change()
	began := time.Now()
	s.stop()
	for {
		if _, ok := l.next(); !ok {
			break
		}
	}
	if d := time.Since(began); d > stopTimeout {
		t.Errorf("stopping took %v", d)
	}
}
