package opcua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/record"
	"andon/internal/sample"
)

// second is an instant so many seconds after the epoch of these tests, by the
// server's clock.
func second(s float64) time.Time { return time.Unix(1_000_000, int64(s*1e9)).UTC() }

func seconds(t sample.Time) string {
	if t == 0 {
		return "?"
	}
	return fmt.Sprintf("%g", t.Sub(sample.At(second(0))).Seconds())
}

// val is one value of a notification: handle, value, source time in seconds (0
// is none) and status.
type val struct {
	handle uint32
	value  float64
	at     float64
	status ua.StatusCode
}

func data(vals ...val) *ua.DataChangeNotification {
	n := &ua.DataChangeNotification{}
	for _, v := range vals {
		dv := &ua.DataValue{Value: ua.MustVariant(v.value), Status: v.status}
		if v.at != 0 {
			dv.SourceTimestamp = second(v.at)
		}
		dv.UpdateMask()
		n.MonitoredItems = append(n.MonitoredItems, &ua.MonitoredItemNotification{ClientHandle: v.handle, Value: dv})
	}
	return n
}

// published is a step whose answer was made at so many seconds.
func published(at float64, data ...any) step {
	s := step{answer: answer{resp: &ua.PublishResponse{ResponseHeader: &ua.ResponseHeader{}, NotificationMessage: message(1, second(at), data...)}}}
	if at == 0 {
		s.resp.NotificationMessage.PublishTime = time.Time{}
	}
	return s
}

// words writes inputs: lost CAUSE TAGS, scan TIME[@ASOF] TAG=VALUE..., sure TIME
// [but TAGS].
func words(in []record.Body) string {
	var lines []string
	for _, b := range in {
		switch b := b.(type) {
		case *record.Loss:
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("lost %s %v", b.Cause, b.Tags), " []"))
		case *record.Confirm:
			s := "sure " + seconds(b.Time)
			if len(b.Except) > 0 {
				s += fmt.Sprintf(" but %v", b.Except)
			}
			lines = append(lines, s)
		case *record.Scan:
			s := "scan " + seconds(b.Time)
			if b.AsOf != 0 {
				s += "@" + seconds(b.AsOf)
			}
			for _, r := range b.Readings {
				s += fmt.Sprintf(" %d=%v", r.Tag, r.Value)
				if r.Quality != sample.Good {
					s += "!" + r.Status
				}
			}
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "; ")
}

// watching is a watch of three items, sampled every 0, 0.5 and 2 seconds, that
// the server took on at second 100.
func watching(t *testing.T) *watch {
	t.Helper()
	var items []*item
	for i, every := range []time.Duration{0, 500 * time.Millisecond, 2 * time.Second} {
		it, err := newItem(Item{Tag: sample.Tag(i + 1), Node: "i=1", Every: every})
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	w := newWatch("plc", items)
	w.publish = 250 * time.Millisecond
	for i, it := range w.items {
		r := &ua.MonitoredItemCreateResult{MonitoredItemID: uint32(i + 50), RevisedSamplingInterval: float64(it.Every / time.Millisecond)}
		if got := w.created(uint32(i+1), r, sample.At(second(100))); got != nil {
			t.Fatalf("item %d: %+v", i, got)
		}
	}
	return w
}

func TestWatch(t *testing.T) {
	first := published(101, data(val{1, 1, 100.5, 0}, val{2, 2, 7, 0}, val{3, 3, 7, 0}))
	late := func(s step) step { s.late = true; return s }
	after := func(n uint32, s step) step { s.missed = n; return s }
	more := func(s step) step { s.resp.MoreNotifications = true; return s }
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"first values are held, each interval is confirmed for itself", []step{first},
			[]string{"scan 7@100 2=2 3=3; scan 100.5 1=1; sure 99; sure 100.5 but [3]; sure 101 but [2 3]"}},
		{"what has not come yet is not confirmed", []step{published(101, data(val{2, 2, 7, 0}))},
			[]string{"scan 7@100 2=2; sure 100.5 but [1 3]"}},
		{"nothing is confirmed before anything came", []step{published(101)}, []string{""}},
		{"keep-alive", []step{first, published(103)}, []string{"*", "sure 101; sure 102.5 but [3]; sure 103 but [2 3]"}},
		{"later values are not held", []step{first, published(104, data(val{2, 5, 50, 0}))},
			[]string{"*", "scan 50 2=5; sure 102; sure 103.5 but [3]; sure 104 but [2 3]"}},
		{"one time is one scan, others are in order", []step{first, more(published(104, data(val{1, 1, 103, 0}, val{1, 2, 104, 0}, val{2, 3, 103, 0}, val{3, 4, 102, 0})))},
			[]string{"*", "scan 102 3=4; scan 103 1=1 2=3; scan 104 1=2"}},
		{"a tag is once in a scan", []step{first, more(published(104, data(val{1, 1, 103, 0}, val{1, 2, 103, 0})))},
			[]string{"*", "scan 103 1=1; scan 103 1=2"}},
		{"a clock that steps back does not reorder a tag", []step{first, more(published(104, data(val{1, 1, 103, 0}, val{1, 2, 50, 0}, val{2, 3, 102, 0}, val{1, 4, 51, 0})))},
			[]string{"*", "scan 102 2=3; scan 103 1=1; scan 50 1=2; scan 51 1=4"}},
		{"overflow is told before its value", []step{first, more(published(104, data(val{1, 1, 103, 0x480}, val{2, 3, 103, 0}, val{1, 2, 103.5, 0}, val{3, 2, 102, 0})))},
			[]string{"*", "scan 102 3=2; lost overflow [1]; scan 103 1=1 2=3; scan 103.5 1=2"}},
		{"two overflow at once", []step{first, more(published(104, data(val{1, 1, 103, 0x480}, val{2, 3, 103, 0x480})))},
			[]string{"*", "lost overflow [1 2]; scan 103 1=1 2=3"}},
		{"more to come confirms nothing", []step{first, more(published(103))}, []string{"*", ""}},
		{"after missed ones nothing is confirmed", []step{first, after(2, published(104, data(val{1, 1, 103, 0})))},
			[]string{"*", "lost missed; scan 103 1=1"}},
		{"late ones confirm nothing", []step{first, late(published(104, data(val{1, 1, 103, 0})))}, []string{"*", "scan 103 1=1"}},
		{"no publish time, no confirmation", []step{first, published(0)}, []string{"*", ""}},
		{"waiting for data is not a first value", []step{published(101, data(val{1, 0, 90, ua.StatusBadWaitingForInitialData})), published(102, data(val{1, 1, 90, 0}))},
			[]string{"scan 90 1=0!BadWaitingForInitialData", "scan 90@101 1=1; sure 102 but [2 3]"}},
		{"a bad first value is held as well", []step{published(101, data(val{1, 0, 90, ua.StatusBadSensorFailure}))},
			[]string{"scan 90@100 1=0!BadSensorFailure; sure 101 but [2 3]"}},
		{"a node that goes away is not confirmed", []step{first, published(104, data(val{1, 0, 103, ua.StatusBadNodeIDUnknown}))},
			[]string{"*", "scan 103 1=0!BadNodeIdUnknown; sure 102 but [1]; sure 103.5 but [1 3]"}},
		{"no time at all", []step{first, more(published(104, data(val{1, 5, 0, 0})))}, []string{"*", "scan 104 1=5!" + StatusNoTime}},
		{"two kinds of data", []step{first, more(published(104, data(val{1, 5, 103, 0}), data(val{2, 6, 103, 0})))}, []string{"*", "scan 103 1=5; scan 103 2=6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := watching(t)
			for i, s := range c.steps {
				in, err := w.inputs(s)
				if err != nil {
					t.Fatal(err)
				}
				if got := words(in); c.want[i] != "*" && got != c.want[i] {
					t.Errorf("step %d:\n got %s\nwant %s", i, got, c.want[i])
				}
			}
		})
	}
}

// TestWatchClaims: the server's clock in scans, and what stands for a publish
// time that is left out.
func TestWatchClaims(t *testing.T) {
	w := watching(t)
	s := published(0, data(val{1, 1, 100.5, 0}))
	s.resp.ResponseHeader.Timestamp = second(101)
	in, err := w.inputs(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := words(in); got != "scan 100.5 1=1; sure 101 but [2 3]" {
		t.Errorf("time of sending: %s", got)
	}
	if got := in[0].(*record.Scan).Server; got != sample.At(second(101)) {
		t.Errorf("server's clock %v", got)
	}
	s = published(0)
	s.resp.ResponseHeader.Timestamp = second(103)
	s.starved = true // it may have been made long before it was sent
	if in, err = w.inputs(s); err != nil || len(in) > 0 {
		t.Errorf("starved: %s, %v", words(in), err)
	}
}

func TestWatchRefuses(t *testing.T) {
	for name, n := range map[string]any{
		"no such item":     data(val{4, 1, 1, 0}),
		"item 0":           data(val{0, 1, 1, 0}),
		"status change":    &ua.StatusChangeNotification{Status: ua.StatusBadTimeout},
		"unknown kind":     nil,
		"an argument type": &ua.Argument{},
	} {
		w := watching(t)
		if in, err := w.inputs(published(101, data(val{1, 1, 100.5, 0}), n)); err == nil || len(in) != 1 {
			t.Errorf("%s: got %v, inputs %s; want an error after the first scan", name, err, words(in))
		}
	}
}

// TestWatchCreated: a refusal is told once, and again when its reason changes.
func TestWatchCreated(t *testing.T) {
	w := watching(t)
	refuse := func(code ua.StatusCode) *sample.Reading {
		return w.created(2, &ua.MonitoredItemCreateResult{StatusCode: code}, 0)
	}
	if r := refuse(ua.StatusBadNodeIDUnknown); r == nil || *r != (sample.Reading{Tag: 2, Quality: sample.Bad, Status: "BadNodeIdUnknown"}) {
		t.Errorf("first refusal: %+v", r)
	}
	if r := refuse(ua.StatusBadNodeIDUnknown); r != nil {
		t.Errorf("the same again: %+v", r)
	}
	if r := refuse(ua.StatusBadUserAccessDenied); r == nil || r.Status != "BadUserAccessDenied" {
		t.Errorf("another reason: %+v", r)
	}
	if got := fmt.Sprint(w.refusedItems()); got != "[2]" {
		t.Errorf("refused items %s", got)
	}
	for ms, want := range map[float64]time.Duration{-1: w.publish, 0: 0, 100: 100 * time.Millisecond, 1e300: time.Hour} {
		if w.created(2, &ua.MonitoredItemCreateResult{MonitoredItemID: 1, RevisedSamplingInterval: ms}, 0); w.items[1].sampling != want {
			t.Errorf("revised to %v ms: %v, want %v", ms, w.items[1].sampling, want)
		}
	}
}
