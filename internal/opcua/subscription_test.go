package opcua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/record"
	"andon/internal/sample"
)

// fakeLink is a server without a wire, for a synctest bubble.
type fakeLink struct {
	answer func(req ua.Request) (ua.Response, error) // of everything but Publish; nil, nil is none

	mu      sync.Mutex
	asked   []string // every request but Publish, with the time since start
	started time.Time
	waiting []chan<- reply // publish requests
	acked   []uint32
	dead    error
}

func (l *fakeLink) send(req ua.Request, to chan<- reply) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead != nil {
		return 0, l.dead
	}
	if p, ok := req.(*ua.PublishRequest); ok {
		for _, a := range p.SubscriptionAcknowledgements {
			l.acked = append(l.acked, a.SequenceNumber)
		}
		l.waiting = append(l.waiting, to)
		return 1, nil
	}
	l.asked = append(l.asked, fmt.Sprintf("%s@%v", service(req), time.Since(l.started)))
	resp, err := l.answer(req)
	if resp == nil && err == nil {
		return 1, nil
	}
	if resp != nil {
		resp.SetHeader(&ua.ResponseHeader{Timestamp: time.Now()})
	}
	to <- reply{resp: resp, err: err, at: sample.At(time.Now())}
	return 1, nil
}

func (l *fakeLink) forget(uint32) {}
func (l *fakeLink) close()        {}

// publish answers the oldest publish request.
func (l *fakeLink) publish(m *ua.NotificationMessage, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.waiting[0]
	l.waiting = l.waiting[1:]
	resp := &ua.PublishResponse{SubscriptionID: 5, NotificationMessage: m, ResponseHeader: &ua.ResponseHeader{Timestamp: time.Now()}}
	if err != nil {
		to <- reply{err: err}
		return
	}
	to <- reply{resp: resp, at: sample.At(time.Now())}
}

func (l *fakeLink) requests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// behave answers as a server does, with the items that refuse names refused.
func behave(refuse func(handle uint32) ua.StatusCode) func(req ua.Request) (ua.Response, error) {
	return func(req ua.Request) (ua.Response, error) {
		switch req := req.(type) {
		case *ua.ReadRequest:
			r := &ua.ReadResponse{}
			for range req.NodesToRead {
				r.Results = append(r.Results, &ua.DataValue{EncodingMask: ua.DataValueStatusCode, Status: ua.StatusBadNodeIDUnknown})
			}
			return r, nil
		case *ua.CreateSubscriptionRequest:
			return &ua.CreateSubscriptionResponse{SubscriptionID: 5, RevisedPublishingInterval: req.RequestedPublishingInterval,
				RevisedLifetimeCount: req.RequestedLifetimeCount, RevisedMaxKeepAliveCount: req.RequestedMaxKeepAliveCount}, nil
		case *ua.CreateMonitoredItemsRequest:
			r := &ua.CreateMonitoredItemsResponse{}
			for _, it := range req.ItemsToCreate {
				h := it.RequestedParameters.ClientHandle
				result := &ua.MonitoredItemCreateResult{MonitoredItemID: h + 100}
				if code := refuse(h); code != 0 {
					result = &ua.MonitoredItemCreateResult{StatusCode: code}
				}
				r.Results = append(r.Results, result)
			}
			return r, nil
		case *ua.DeleteMonitoredItemsRequest:
			return &ua.DeleteMonitoredItemsResponse{Results: make([]ua.StatusCode, len(req.MonitoredItemIDs))}, nil
		}
		return nil, fmt.Errorf("unexpected %T", req)
	}
}

func nobody(uint32) ua.StatusCode { return 0 }

// living is a subscription over a fake link, within a bubble.
type living struct {
	t      *testing.T
	link   *fakeLink
	ledger *ledger
	got    []string
	token  uint64
	// confirmed counts confirmations.
	confirmed int
	block     chan struct{} // put waits for it, unless nil
	end       chan error
	cancel    context.CancelFunc
}

// live subscribes to n items every second, publishing every 250 ms, and runs.
func live(t *testing.T, n int, answer func(req ua.Request) (ua.Response, error)) *living {
	t.Helper()
	l := &living{t: t, link: &fakeLink{answer: answer, started: time.Now()}, ledger: &ledger{}, end: make(chan error, 1)}
	var items []*item
	for i := range n {
		it, err := newItem(Item{Tag: sample.Tag(i + 1), Node: "i=1", Every: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	o := &Options{Publish: 250 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), Now: time.Now}
	ctx, cancel := context.WithCancel(t.Context())
	l.cancel = cancel
	sub, first, err := subscribe(ctx, &session{link: l.link}, o, newWatch("plc", items))
	if err != nil {
		l.end <- err
		return l
	}
	sub.ledger = l.ledger
	l.note(first)
	go func() { l.end <- sub.run(ctx, l.put) }()
	synctest.Wait()
	return l
}

func (l *living) note(in []record.Body) {
	for _, b := range in {
		switch b := b.(type) {
		case *record.Scan:
			for _, r := range b.Readings {
				l.got = append(l.got, fmt.Sprintf("%d=%v%s", r.Tag, r.Value, r.Status))
			}
		case *record.Confirm:
			l.confirmed++
		case *record.Loss:
			l.got = append(l.got, "lost "+b.Cause)
		}
	}
}

func (l *living) put(s step, in []record.Body) error {
	if l.block != nil {
		<-l.block
	}
	l.note(in)
	l.token++
	if s.resp != nil && !s.keepAlive() {
		l.ledger.add(l.token, s.seq())
	}
	return nil
}

// say publishes and lets everything settle.
func (l *living) say(m *ua.NotificationMessage, err error) {
	l.link.publish(m, err)
	synctest.Wait()
}

// ended returns why the subscription ended, which it must have.
func (l *living) ended() error {
	l.t.Helper()
	synctest.Wait()
	select {
	case err := <-l.end:
		return err
	default:
		l.t.Fatal("the subscription goes on")
		return nil
	}
}

// stop ends a subscription that goes on.
func (l *living) stop() {
	l.t.Helper()
	l.cancel()
	if err := l.ended(); !errors.Is(err, context.Canceled) {
		l.t.Errorf("ended with %v before it was stopped", err)
	}
}

func one(seq uint32, v float64) *ua.NotificationMessage { return notification(seq, v, time.Now()) }

func TestSubscriptionWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, 1, behave(nobody))
		defer l.stop()
		if n := l.link.requests(); n != window {
			t.Fatalf("%d publish requests at the server, want %d", n, window)
		}
		for seq := range uint32(3) {
			l.say(one(seq+1, float64(seq)), nil)
		}
		if n := l.link.requests(); n != window || len(l.link.acked) != 0 {
			t.Errorf("%d publish requests and acknowledged %v, want %d and nothing", n, l.link.acked, window)
		}
		l.ledger.commit(2)
		l.say(message(4, time.Now()), nil)
		if got := fmt.Sprint(l.link.acked); got != "[1 2]" {
			t.Errorf("after commit 2: acknowledged %s", got)
		}
		l.ledger.commit(4)
		l.say(message(4, time.Now()), nil)
		if got := fmt.Sprint(l.link.acked); got != "[1 2 3]" {
			t.Errorf("after commit 4: acknowledged %s", got)
		}
	})
}

func TestSubscriptionSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, 1, behave(nobody))
		// Keep-alives every second: 4 publishing intervals. Two of them, and one
		// interval for the way.
		const silence = 2*time.Second + 250*time.Millisecond
		for range 3 {
			time.Sleep(silence - time.Millisecond)
			l.say(message(1, time.Now()), nil)
		}
		begin := time.Now()
		if err := <-l.end; !errors.Is(err, errSilent) || time.Since(begin) != silence {
			t.Errorf("ended with %v after %v, want %v after %v", err, time.Since(begin), errSilent, silence)
		}
	})
}

// TestSubscriptionBlocked: while the gateway takes nothing, the server's
// silence is our own fault; what came meanwhile is handed over afterwards.
func TestSubscriptionBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, 1, behave(nobody))
		l.block = make(chan struct{})
		l.say(one(1, 1), nil)
		l.say(one(2, 2), nil)
		l.say(one(3, 3), nil)
		if n := l.link.requests(); n != 0 {
			t.Errorf("%d publish requests while blocked, want 0", n)
		}
		time.Sleep(time.Hour)
		close(l.block)
		synctest.Wait()
		if n := l.link.requests(); n != window || fmt.Sprint(l.got) != "[1=1 1=2 1=3]" {
			t.Errorf("%d publish requests and %v", n, l.got)
		}
		l.stop()
	})
}

// TestSubscriptionStarved: a server that tells no publish time, and had no
// request at hand, may have made an answer long before it sent it: that
// confirms nothing.
func TestSubscriptionStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, 1, behave(nobody))
		untimed := func(seq uint32) *ua.NotificationMessage { return message(seq, time.Time{}) }
		l.say(one(1, 1), nil)
		l.say(untimed(2), nil)
		if l.confirmed != 2 {
			t.Errorf("%d confirmations, want 2", l.confirmed)
		}
		l.block = make(chan struct{})
		l.say(untimed(2), nil) // is being handed over; its request is there again
		l.say(untimed(2), nil) // wait, and
		l.say(untimed(2), nil) // the server has no request any more
		time.Sleep(time.Minute)
		close(l.block)
		synctest.Wait()
		before := l.confirmed
		l.say(untimed(2), nil) // may have been made within that minute
		l.say(untimed(2), nil)
		if l.confirmed != before {
			t.Errorf("%d confirmations by answers of unknown age", l.confirmed-before)
		}
		l.say(untimed(2), nil)
		if l.confirmed != before+1 {
			t.Errorf("%d confirmations afterwards, want 1", l.confirmed-before)
		}
		l.stop()
	})
}

func TestSubscriptionFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []ua.StatusCode
		ends   string
	}{
		{"stray ones", []ua.StatusCode{ua.StatusBadNothingToDo, ua.StatusBadNothingToDo, ua.StatusBadTimeout}, ""},
		{"too many requests", []ua.StatusCode{ua.StatusBadTooManyPublishRequests}, ""},
		{"no end of them", []ua.StatusCode{ua.StatusBadTimeout, ua.StatusBadTimeout, ua.StatusBadTimeout, ua.StatusBadTimeout, ua.StatusBadTimeout, ua.StatusBadTimeout}, "BadTimeout"},
		{"no subscription", []ua.StatusCode{ua.StatusBadNoSubscription}, "Publish: BadNoSubscription"},
		{"session closed", []ua.StatusCode{ua.StatusBadSessionClosed}, "Publish: BadSessionClosed"},
		{"no request at all", []ua.StatusCode{ua.StatusBadTooManyPublishRequests, ua.StatusBadTooManyPublishRequests}, "BadTooManyPublishRequests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := live(t, 1, behave(nobody))
				for _, code := range c.faults {
					l.say(nil, code)
				}
				if c.ends != "" {
					if err := l.ended(); !strings.Contains(err.Error(), c.ends) {
						t.Errorf("ended with %v, want %q", err, c.ends)
					}
					return
				}
				want := window
				if c.faults[0] == ua.StatusBadTooManyPublishRequests {
					want = window - 1
				}
				if n := l.link.requests(); n != want {
					t.Errorf("%d publish requests, want %d", n, want)
				}
				l.say(one(1, 1), nil)
				if fmt.Sprint(l.got) != "[1=1]" {
					t.Errorf("got %v", l.got)
				}
				l.stop()
			})
		})
	}
}

// TestSubscriptionMissed: a gap in the sequence is told, what came is handed
// over, and then every value is asked for anew.
func TestSubscriptionMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := live(t, 1, behave(nobody))
		l.say(one(1, 1), nil)
		l.say(one(3, 3), nil) // 2 may still come
		if fmt.Sprint(l.got) != "[1=1]" {
			t.Fatalf("got %v before it was sure", l.got)
		}
		l.say(message(4, time.Now()), nil)
		if err := l.ended(); !errors.Is(err, errMissed) || fmt.Sprint(l.got) != "[1=1 lost missed 1=3]" {
			t.Errorf("ended with %v, got %v", err, l.got)
		}
	})
}

// TestSubscriptionRetry: a refused item is asked for on a timer of its own, its
// refusal is told once, and the others go on.
func TestSubscriptionRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := false
		l := live(t, 3, behave(func(h uint32) ua.StatusCode {
			if h == 2 && !there {
				return ua.StatusBadNodeIDUnknown
			}
			return 0
		}))
		if fmt.Sprint(l.got) != "[2=BadNodeIdUnknown]" {
			t.Errorf("got %v", l.got)
		}
		alive := func(d time.Duration) {
			for range int(d / time.Second) {
				time.Sleep(time.Second)
				l.say(message(1, time.Now()), nil)
			}
		}
		alive(4 * time.Minute)
		var at []string
		for _, a := range l.link.asked {
			if when, ok := strings.CutPrefix(a, "CreateMonitoredItems@"); ok {
				at = append(at, when)
			}
		}
		if got, want := strings.Join(at, " "), "0s 1s 3s 7s 15s 31s 1m3s 2m3s 3m3s"; got != want {
			t.Errorf("asked at %s, want %s", got, want)
		}
		there = true
		alive(time.Minute + time.Second)
		n := len(l.link.asked)
		alive(10 * time.Minute)
		if len(l.link.asked) != n || fmt.Sprint(l.got) != "[2=BadNodeIdUnknown]" {
			t.Errorf("asked on: %v, got %v", l.link.asked[n:], l.got)
		}
		l.stop()
	})
}

// TestSubscriptionBatches: the number of items in a call is that which the
// server takes, whether it tells it or not.
func TestSubscriptionBatches(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("told %v", told), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sizes []int
				inner := behave(nobody)
				l := live(t, 1203, func(req ua.Request) (ua.Response, error) {
					switch req := req.(type) {
					case *ua.ReadRequest:
						if told {
							resp, err := inner(req)
							resp.(*ua.ReadResponse).Results[1] = given(uint32(100), 0)
							return resp, err
						}
					case *ua.CreateMonitoredItemsRequest:
						if len(req.ItemsToCreate) > 100 {
							return nil, ua.StatusBadTooManyOperations
						}
						sizes = append(sizes, len(req.ItemsToCreate))
					}
					return inner(req)
				})
				total := 0
				for _, n := range sizes {
					total += n
				}
				if total != 1203 || len(sizes) > 25 {
					t.Errorf("%d items in %d calls: %v", total, len(sizes), sizes)
				}
				l.stop()
			})
		})
	}
}

// TestSubscriptionStalls: a server that answers a service never, or the link's
// end, ends it within the time-out.
func TestSubscriptionStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		l := live(t, 1, func(ua.Request) (ua.Response, error) { return nil, nil })
		if err := l.ended(); !errors.Is(err, errTimeout) || time.Since(begin) != requestTimeout {
			t.Errorf("ended with %v after %v", err, time.Since(begin))
		}
		l = live(t, 1, behave(nobody))
		l.link.mu.Lock()
		l.link.dead = io.ErrClosedPipe
		l.link.mu.Unlock()
		l.say(message(1, time.Now()), nil)
		if err := l.ended(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestKeepAlives(t *testing.T) {
	for _, c := range []struct {
		every, publish time.Duration
		want           uint32
	}{
		{time.Second, 250 * time.Millisecond, 4}, {time.Minute, 250 * time.Millisecond, 4}, {500 * time.Millisecond, 250 * time.Millisecond, 2},
		{100 * time.Millisecond, 250 * time.Millisecond, 1}, {0, 250 * time.Millisecond, 1}, {time.Minute, 5 * time.Second, 1},
	} {
		if got := keepAlives([]*watched{{item: &item{Item: Item{Every: c.every}}}}, c.publish); got != c.want {
			t.Errorf("every %v, publish %v: %d, want %d", c.every, c.publish, got, c.want)
		}
	}
}
