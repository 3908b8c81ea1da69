package plant

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"andon/internal/sample"
)

// run sets a plant in motion for the length of a test and counts goroutines.
func run(t *testing.T, o Options) *Plant {
	t.Helper()
	before := runtime.NumGoroutine()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("Run did not end with its context")
		}
		eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return p
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited 10 s: %s", what)
		}
	}
}

// seen is one value as a subscriber got it.
type seen struct {
	Tag    string
	Value  sample.Value
	Status string
	Time   sample.Time
}

// subscriber is the stock client with one subscription to every tag.
type subscriber struct {
	client *opcua.Client
	notes  chan *opcua.PublishNotificationData
	tags   []string // by client handle
	got    map[string][]seen
	ended  bool
}

// subscribe connects, subscribes and waits for the first message. The stock
// client now and then never asks for one: its first pause and its first resume
// wait in two channels, and a loop that starts late takes them in any order.
// Then another client is made.
func subscribe(t *testing.T, p *Plant) *subscriber {
	t.Helper()
	for range 5 {
		s := trySubscribe(t, p)
		select {
		case n := <-s.notes:
			s.add(t, n)
			return s
		case <-time.After(3 * time.Second):
			s.ended = true
		}
	}
	t.Fatal("five clients got nothing")
	return nil
}

func trySubscribe(t *testing.T, p *Plant) *subscriber {
	t.Helper()
	ctx := t.Context()
	c, err := opcua.NewClient(p.Endpoint(), opcua.SecurityMode(ua.MessageSecurityModeNone), opcua.AutoReconnect(false))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	s := &subscriber{client: c, notes: make(chan *opcua.PublishNotificationData, 1000), got: make(map[string][]seen)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil && !s.ended {
			t.Errorf("close client: %v", err)
		}
	})
	sub, err := c.Subscribe(ctx, &opcua.SubscriptionParameters{Interval: 20 * time.Millisecond, MaxKeepAliveCount: 50, LifetimeCount: 1000}, s.notes)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := c.FindNamespace(ctx, Namespace)
	if err != nil {
		t.Fatal(err)
	}
	var reqs []*ua.MonitoredItemCreateRequest
	for _, e := range p.opt.Equipment {
		for _, tag := range furnaceTags() {
			node := ua.NewStringNodeID(ns, e+"."+tag)
			req := opcua.NewMonitoredItemCreateRequestWithDefaults(node, ua.AttributeIDValue, uint32(len(s.tags)))
			req.RequestedParameters.QueueSize = 100
			reqs = append(reqs, req)
			s.tags = append(s.tags, e+"/"+tag)
		}
	}
	res, err := sub.Monitor(ctx, ua.TimestampsToReturnBoth, reqs...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range res.Results {
		if r.StatusCode != ua.StatusOK {
			t.Fatalf("monitor %s: %v", s.tags[i], r.StatusCode)
		}
	}
	return s
}

// take reads notifications until a condition holds.
func (s *subscriber) take(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case n := <-s.notes:
			s.add(t, n)
		case <-deadline:
			t.Fatalf("waited 20 s: %s", what)
		}
	}
}

func (s *subscriber) add(t *testing.T, n *opcua.PublishNotificationData) {
	t.Helper()
	d, ok := n.Value.(*ua.DataChangeNotification)
	if !ok || n.Error != nil {
		t.Fatalf("got a %T, %v", n.Value, n.Error)
	}
	for _, m := range d.MonitoredItems {
		v := seen{Tag: s.tags[m.ClientHandle], Time: sample.At(m.Value.SourceTimestamp)}
		if m.Value.Status != ua.StatusOK {
			v.Status = m.Value.Status.Error()
		}
		if m.Value.Value != nil {
			v.Value = valueOf(m.Value.Value.Value())
		}
		s.got[v.Tag] = append(s.got[v.Tag], v)
	}
}

// last is the source time of a tag's last value.
func (s *subscriber) last(tag string) sample.Time {
	vs := s.got[tag]
	if len(vs) == 0 {
		return 0
	}
	return vs[len(vs)-1].Time
}

// want is what the plant put out, by tag, from the value that was held at from
// on.
func want(p *Plant, from, to sample.Time) map[string][]seen {
	out := make(map[string][]seen)
	for _, v := range p.Served() {
		switch {
		case v.Time > to:
		case v.Time <= from:
			out[v.Tag] = []seen{{v.Tag, v.Value, statusText(v.Status), v.Time}}
		default:
			out[v.Tag] = append(out[v.Tag], seen{v.Tag, v.Value, statusText(v.Status), v.Time})
		}
	}
	return out
}

func statusText(name string) string {
	if name == "BadSensorFailure" {
		return ua.StatusBadSensorFailure.Error()
	}
	return name
}

// Every value of every tag reaches a subscriber once, in order and with its
// source time, over more than two cycles with everything that goes wrong but
// interruptions.
func TestEveryValueArrivesOnce(t *testing.T) {
	p := run(t, Options{Seed: 3, Step: 40 * time.Millisecond, Cycle: 30 * 40 * time.Millisecond, Record: true,
		Schedule: []Episode{
			{Kind: High, Equipment: "furn-03", Tags: []string{"tc1", "tc3"}, First: 11, Steps: 3, By: 6},
			{Kind: Bad, Equipment: "furn-03", Tags: []string{"tc2"}, First: 18, Steps: 4},
			{Kind: Low, Equipment: "furn-04", Tags: []string{"tc4"}, First: 25, Steps: 1, By: 3},
		}})
	s := subscribe(t, p)
	s.take(t, "the first values", func() bool { return len(s.got) == len(s.tags) })
	from := sample.Time(0)
	for _, vs := range s.got {
		from = max(from, vs[0].Time)
	}
	s.take(t, "65 steps", func() bool { return len(s.got["furn-04/tc4"]) > 65 })
	to := s.last("furn-04/tc4")
	if diff := cmp.Diff(want(p, from, to), s.got, cmp.Comparer(func(a, b sample.Value) bool { return a == b })); diff != "" {
		t.Errorf("put out (-), received (+):\n%s", diff)
	}
}

// An interruption drops the client and refuses new ones; afterwards the same
// address serves again, and the truth names the gap.
func TestInterruption(t *testing.T) {
	p := run(t, Options{Step: 40 * time.Millisecond, Cycle: 30 * 40 * time.Millisecond, Record: true,
		Schedule: []Episode{{Kind: Outage, First: 12, Steps: 8}}})
	client := func() *opcua.Client {
		c, err := opcua.NewClient(p.Endpoint(), opcua.SecurityMode(ua.MessageSecurityModeNone), opcua.AutoReconnect(false))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) }) // it was cut, or never connected
		return c
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c := client()
	if err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client is dropped", func() bool { return c.State() == opcua.Closed || c.State() == opcua.Disconnected })
	if err := client().Connect(ctx); err == nil {
		t.Error("connected during an interruption")
	}
	eventually(t, "the interruption ends", func() bool { g := p.Truth(time.Time{}).Gaps; return len(g) > 0 && g[0].To != 0 })
	again := subscribe(t, p)
	again.take(t, "values after the interruption", func() bool { return len(again.got["furn-03/tc1"]) > 3 })

	var hidden, around []sample.Time
	for _, v := range p.Served() {
		if v.Tag != "furn-03/tc1" {
			continue
		}
		if v.Hidden {
			hidden = append(hidden, v.Time)
		}
		if v.Step == 11 || v.Step == 20 {
			around = append(around, v.Time)
		}
	}
	if len(hidden) != 8 || len(around) != 2 {
		t.Fatalf("withheld steps: got %d, want 8", len(hidden))
	}
	var got []Gap
	for _, g := range p.Truth(time.Time{}).Gaps {
		got = append(got, Gap{g.Equipment, nil, g.Cause, g.From, g.To})
	}
	wanted := []Gap{{"furn-03", nil, "link", around[0], around[1]}, {"furn-04", nil, "link", around[0], around[1]}}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

// The port is free again once a plant has ended, clients and all. Somebody else
// on this machine may take it meanwhile: then the test tries another.
func TestPortIsGivenBack(t *testing.T) {
	for try := 1; ; try++ {
		addr := useOnce(t)
		again, err := New(Options{Listen: addr})
		if err == nil {
			again.Close()
			return
		}
		if try == 5 {
			t.Fatalf("five times: %v", err)
		}
	}
}

// useOnce runs a plant with a client and returns the address it had.
func useOnce(t *testing.T) string {
	t.Helper()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	addr := p.Endpoint()[len("opc.tcp://"):]
	if _, err := New(Options{Listen: addr}); err == nil {
		t.Fatal("two plants on one address")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s := subscribe(t, p)
	s.ended = true
	s.take(t, "the first values", func() bool { return len(s.got) == 20 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return addr
}

func TestNextStep(t *testing.T) {
	zero := time.Now()
	ms := func(n int) time.Time { return zero.Add(time.Duration(n) * time.Millisecond) }
	for _, tt := range []struct {
		name           string
		last, now      int // ms
		wantDue, wantA int
	}{
		{"in time", 0, 1, 100, 100},
		{"half a step late", 0, 50, 100, 100},
		{"late", 0, 130, 100, 180},
		{"catching up", 100, 180, 200, 230},
		{"caught up", 300, 340, 400, 400},
		{"the machine slept", 0, 60000, 60050, 60050},
	} {
		t.Run(tt.name, func(t *testing.T) {
			due, at := nextStep(ms(tt.last), ms(tt.now), 100*time.Millisecond)
			if !due.Equal(ms(tt.wantDue)) || !at.Equal(ms(tt.wantA)) {
				t.Errorf("got due %v, made %v; want %d, %d ms", due.Sub(zero), at.Sub(zero), tt.wantDue, tt.wantA)
			}
		})
	}
}

// A plant that starts later lets nobody see a value before.
func TestStart(t *testing.T) {
	start := time.Now().Add(150 * time.Millisecond)
	p := run(t, Options{Start: start})
	s := subscribe(t, p)
	s.take(t, "the first values", func() bool { return len(s.got) == len(s.tags) })
	for tag, vs := range s.got {
		if vs[0].Status != "" || vs[0].Time < sample.At(start) {
			t.Errorf("%s: got %+v before %v", tag, vs[0], start)
		}
	}
}
