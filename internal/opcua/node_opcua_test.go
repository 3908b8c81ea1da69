package opcua

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// plain are options for the peer without security, with all its variables.
func plain(endpoint string, names ...string) Options {
	o := Options{Name: "plc", Endpoint: endpoint, Policy: "None", Mode: "None", Insecure: true, Publish: 100 * time.Millisecond}
	for i, name := range names {
		o.Items = append(o.Items, Item{Tag: sample.Tag(i + 1), Node: "nsu=urn:andon:peer;s=" + name})
	}
	return o
}

// secured are options for the peer with our own certificate and its pinned.
func secured(t *testing.T, n *nodeServer, policy, mode string, names ...string) Options {
	t.Helper()
	o := plain(n.endpoint, names...)
	o.Insecure, o.Policy, o.Mode, o.Trust = false, policy, mode, n.certificate
	var err error
	o.Certificate, o.Key, err = EnsureIdentity(t.TempDir(), "test", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func millis(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// TestNodeExcursion: every value of an excursion arrives once, exact, in order,
// with its source time and status, while a value that does not change is
// confirmed and neither lost nor repeated.
//
//andon:req Q18
func TestNodeExcursion(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{
		{Name: "TC1", Type: "Double", Value: 20, Source: "2020-01-01T00:00:00.000Z"},
		{Name: "Steady", Type: "Int32", Value: 7, Source: "2020-02-02T00:00:00.000Z"}}})
	before := time.Now()
	s, r := start(t, plain(n.endpoint, "TC1", "Steady"))
	r.until(t, "the first values", func(all []record.Body) bool {
		return has(2, sample.IntValue(7))(all) && has(1, sample.FloatValue(20))(all)
	})

	base := time.Now().UnixMilli()
	var samples []command
	for i := range int64(40) {
		c := command{"var": "TC1", "value": 880 + float64(i)/8, "time": millis(base + 10*i)}
		if i%10 == 7 {
			c["status"] = "BadSensorFailure"
		}
		if i%10 == 8 {
			c["status"] = "UncertainLastUsableValue"
		}
		samples = append(samples, c)
	}
	n.do(command{"cmd": "play", "samples": samples[:20]})
	n.do(command{"cmd": "run", "samples": samples[20:], "every": 10})
	r.until(t, "the last value", has(1, sample.FloatValue(880+39.0/8)))

	got := points(r.since(0), 1)[1:]
	if len(got) != len(samples) {
		t.Fatalf("%d values, want %d", len(got), len(samples))
	}
	for i, p := range got {
		want := point{time: sample.At(time.UnixMilli(base + 10*int64(i))), Reading: sample.Reading{Tag: 1, Value: sample.FloatValue(880 + float64(i)/8)}}
		switch i % 10 {
		case 7:
			want.Quality, want.Status = sample.Bad, "BadSensorFailure"
			p.Value = want.Value // a bad value may come or not
		case 8:
			want.Quality, want.Status = sample.Uncertain, "UncertainLastUsableValue"
		}
		if p != want {
			t.Errorf("value %d: got %+v, want %+v", i, p, want)
		}
	}

	steady := points(r.since(0), 2)
	if len(steady) != 1 || steady[0].time != sample.At(time.Date(2020, 2, 2, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("the steady value: %+v, want one of 2020", steady)
	}
	if asOf := steady[0].asOf.Std(); asOf.Before(before.Add(-time.Second)) || asOf.After(time.Now().Add(time.Second)) {
		t.Errorf("the steady value is held as of %v, want now", asOf)
	}
	mark := len(confirms(r.since(0)))
	r.until(t, "confirmations", func(all []record.Body) bool { return len(confirms(all)) > mark+10 })
	all := r.since(0)
	if l := losses(all); len(l) > 0 {
		t.Errorf("losses %+v", l[0])
	}
	last := confirms(all)[len(confirms(all))-1]
	if age := time.Since(last.Time.Std()); age < 0 || age > 2*time.Second || len(last.Except) > 0 {
		t.Errorf("confirmation %+v is %v old", last, age)
	}
	if st := s.Status(); !st.Connected || st.Samples < 41 || len(st.Refused) > 0 {
		t.Errorf("status %+v", st)
	}
}

// TestNodeAcknowledge: the server may forget a notification only once its batch
// is committed.
func TestNodeAcknowledge(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{{Name: "TC1", Type: "Double", Value: 0}}})
	s, err := New(plain(n.endpoint, "TC1"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder() // it commits nothing
	run(t, s, r)
	r.until(t, "the first value", has(1, sample.FloatValue(0)))
	for i := range 5 {
		n.do(command{"cmd": "set", "var": "TC1", "value": i + 1})
		r.until(t, "the value", has(1, sample.FloatValue(float64(i+1))))
	}
	mark := len(confirms(r.since(0)))
	r.until(t, "a few answers more", func(all []record.Body) bool { return len(confirms(all)) > mark+5 })
	if got := n.do(command{"cmd": "stats"})["unacknowledged"].(float64); got != 6 {
		t.Errorf("%v notifications are kept at the server before the commit, want 6", got)
	}

	r.mu.Lock()
	var token uint64 // of the batch with the value 3
	for _, b := range r.batches {
		if has(1, sample.FloatValue(3))(b.Inputs) {
			token = b.Token
		}
	}
	r.mu.Unlock()
	s.Committed(token)
	for deadline := time.Now().Add(patience); ; {
		got := n.do(command{"cmd": "stats"})["unacknowledged"].(float64)
		if got == 2 {
			break
		}
		if got < 2 || time.Now().After(deadline) {
			t.Fatalf("%v notifications are kept at the server after the commit, want 2", got)
		}
	}
}

// TestNodeInterruptions: each is one Loss of everything, and then every value is
// there again, those that have not changed as held.
func TestNodeInterruptions(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{
		{Name: "TC1", Type: "Double", Value: 0}, {Name: "Steady", Type: "Int32", Value: 7, Source: "2020-02-02T00:00:00.000Z"}}})
	p, endpoint := startProxy(t, n.endpoint)
	noLeak(t)
	s, r := start(t, plain(endpoint, "TC1", "Steady"))
	r.until(t, "the first values", func(all []record.Body) bool {
		return has(2, sample.IntValue(7))(all) && has(1, sample.FloatValue(0))(all)
	})

	for i, event := range []struct {
		name string
		do   func()
	}{
		{"cut", p.cut},
		{"cut and outage", func() {
			p.refuse(true)
			p.cut()
			r.until(t, "the loss", func(all []record.Body) bool { return len(losses(all)) == 2 })
			p.refuse(false)
		}},
		{"half a frame", func() { p.cutAfter(30) }},
		{"session killed", func() { n.do(command{"cmd": "kill", "delete": true}) }},
		{"session killed, subscription kept", func() { n.do(command{"cmd": "kill"}) }},
		{"subscription deleted", func() { n.do(command{"cmd": "delete"}) }},
		{"restart", func() { n.do(command{"cmd": "stop"}); n.do(command{"cmd": "start"}) }},
		{"stall", func() {
			p.hold()
			r.until(t, "the loss", func(all []record.Body) bool { return len(losses(all)) == 8 })
			p.flow()
		}},
	} {
		mark := r.mark()
		event.do()
		r.until(t, event.name+": the loss", func(all []record.Body) bool { return len(losses(all)) > i })
		n.do(command{"cmd": "set", "var": "TC1", "value": i + 1})
		r.until(t, event.name+": values", func(all []record.Body) bool {
			return has(1, sample.FloatValue(float64(i+1)))(all[mark:]) && has(2, sample.IntValue(7))(all[mark:])
		})
		got := losses(r.since(mark))
		if len(got) != 1 || got[0].Cause != CauseLink || len(got[0].Tags) != 0 || got[0].Detail == "" {
			t.Errorf("%s: losses %+v, want one of the link", event.name, got)
		}
		t.Logf("%s: %s", event.name, got[0].Detail)
		for _, q := range points(r.since(mark), 2) {
			if q.asOf == 0 {
				t.Errorf("%s: the steady value came again and is not held: %+v", event.name, q)
			}
		}
		orderly(t, r.since(mark))
	}
	if st := s.Status(); st.Connects != 9 {
		t.Errorf("%d connections, want 9", st.Connects)
	}
}

// orderly checks that nothing is confirmed between a loss and the values after
// it.
func orderly(t *testing.T, all []record.Body) {
	t.Helper()
	lost := false
	for _, in := range all {
		switch in := in.(type) {
		case *record.Loss:
			lost = true
		case *record.Scan:
			lost = false
		case *record.Confirm:
			if lost {
				t.Errorf("confirmed although lost: %+v", in)
			}
		}
	}
}

// TestNodeGone: a node that is not there, or goes away, is bad alone, and is
// watched again when it is back.
func TestNodeGone(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{{Name: "TC1", Type: "Double", Value: 1}, {Name: "TC2", Type: "Double", Value: 2}}})
	s, r := start(t, plain(n.endpoint, "TC1", "TC2", "TC9"))
	r.until(t, "the first values", func(all []record.Body) bool {
		return has(1, sample.FloatValue(1))(all) && has(2, sample.FloatValue(2))(all)
	})
	r.until(t, "a confirmation", func(all []record.Body) bool { return len(confirms(all)) > 0 })
	if got := confirms(r.since(0))[0].Except; len(got) != 1 || got[0] != 3 {
		t.Errorf("confirmed but for %v, want tag 3", got)
	}
	if got := s.Status().Refused; got[3] != "BadNodeIdUnknown" {
		t.Errorf("refused %v", got)
	}
	if got := points(r.since(0), 3); len(got) != 1 || got[0].Quality != sample.Bad || got[0].Status != "BadNodeIdUnknown" {
		t.Errorf("unknown node: %+v", got)
	}

	n.do(command{"cmd": "remove", "var": "TC2"})
	r.until(t, "the bad value", func(all []record.Body) bool {
		got := points(all, 2)
		return got[len(got)-1].Status == "BadNodeIdInvalid"
	})
	mark := r.mark()
	n.do(command{"cmd": "set", "var": "TC1", "value": 10})
	r.until(t, "the other's value", has(1, sample.FloatValue(10)))
	n.do(command{"cmd": "add", "var": "TC2"})
	n.do(command{"cmd": "set", "var": "TC2", "value": 20})
	r.until(t, "the value of the node that is back", func(all []record.Body) bool { return has(2, sample.FloatValue(20))(all[mark:]) })
	if l := losses(r.since(0)); len(l) > 0 {
		t.Errorf("losses %+v", l[0])
	}
}

// TestNodeOverflow: when the server's queue was too short, that is said before
// the value after it.
func TestNodeOverflow(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{{Name: "TC1", Type: "Double", Value: 0}, {Name: "TC2", Type: "Double", Value: 0}}})
	o := plain(n.endpoint, "TC1", "TC2")
	o.Items[0].Queue = 5
	_, r := start(t, o)
	r.until(t, "the first value", has(1, sample.FloatValue(0)))
	var samples []command
	base := time.Now().UnixMilli()
	for i := range int64(20) {
		samples = append(samples, command{"var": "TC1", "value": i + 1, "time": millis(base + i)})
	}
	n.do(command{"cmd": "play", "samples": samples})
	r.until(t, "the last value", has(1, sample.FloatValue(20)))
	all := r.since(0)
	l := losses(all)
	if len(l) != 1 || l[0].Cause != CauseOverflow || fmt.Sprint(l[0].Tags) != "[1]" {
		t.Fatalf("losses %+v", l)
	}
	got := points(all, 1)
	if len(got) != 6 {
		t.Errorf("%d values, want the first and a queue of 5", len(got))
	}
	for i, in := range all {
		if in == record.Body(l[0]) {
			if next := points(all[i+1:i+2], 1); len(next) != 1 || next[0].Quality != sample.Good {
				t.Errorf("after the overflow comes %+v", all[i+1])
			}
		}
	}
}

// TestNodeSecurity: every policy and mode, with a password.
//
//andon:req Q40
func TestNodeSecurity(t *testing.T) {
	n := startNode(t, nodeOptions{Users: map[string]string{"andon": "sécret"}, Lifetime: 2000,
		Vars: []variable{{Name: "TC1", Type: "Double", Value: 42}}})
	for _, policy := range []string{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"} {
		for _, mode := range []string{"Sign", "SignAndEncrypt"} {
			t.Run(policy+" "+mode, func(t *testing.T) {
				t.Parallel() // each lives through renewals
				o := secured(t, n, policy, mode, "TC1")
				o.Username, o.Password = "andon", "sécret"
				s, r := start(t, o)
				r.until(t, "the value", has(1, sample.FloatValue(42)))
				begin := time.Now()
				r.until(t, "confirmations after two renewals", func(all []record.Body) bool {
					return time.Since(begin) > 4*time.Second && len(confirms(all)) > 20
				})
				if l := losses(r.since(0)); len(l) > 0 {
					t.Errorf("losses %+v", l[0])
				}
				if st := s.Status(); st.Policy != policy || st.Mode != mode {
					t.Errorf("status %+v", st)
				}
			})
		}
	}
}

// TestNodeRefused: what must not be believed or is not allowed is refused with
// a sentence that says what to do.
func TestNodeRefused(t *testing.T) {
	n := startNode(t, nodeOptions{Users: map[string]string{"andon": "secret"}, Vars: []variable{{Name: "TC1", Type: "Double", Value: 42}}})
	other, _, err := EnsureIdentity(t.TempDir(), "other", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		name   string
		change func(o *Options)
		want   string
	}{
		{"another certificate", func(o *Options) { o.Trust = other }, "is not accepted"},
		{"no certificate", func(o *Options) { o.Trust = empty }, "put the server's certificate there"},
		{"wrong password", func(o *Options) { o.Password = "wrong" }, "BadUserAccessDenied"},
		{"no user", func(o *Options) { o.Username = "" }, "set a user name"},
		{"certificate expired", func(o *Options) { o.Now = func() time.Time { return time.Now().AddDate(100, 0, 0) } }, "expired"},
		{"password in clear", func(o *Options) { o.Policy, o.Mode, o.Insecure = "None", "None", true; o.Password = "wrong" }, "ActivateSession"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := secured(t, n, "Basic256Sha256", "SignAndEncrypt", "TC1")
			o.Username, o.Password = "andon", "secret"
			c.change(&o)
			s, r := start(t, o)
			r.until(t, "the loss", func(all []record.Body) bool { return len(losses(all)) > 0 })
			all := r.since(0)
			if got := losses(all)[0]; !strings.Contains(got.Detail, c.want) || got.Cause != CauseLink || len(points(all, 1)) > 0 {
				t.Errorf("got %+v and %d values, want %q and none", got, len(points(all, 1)), c.want)
			}
			if _, err := s.Read(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read: %v, want %q", err, c.want)
			}
		})
	}
}

// TestNodeAccept: once a person puts the certificate into the trust folder, the
// running source comes up by itself.
func TestNodeAccept(t *testing.T) {
	n := startNode(t, nodeOptions{Vars: []variable{{Name: "TC1", Type: "Double", Value: 42}}})
	o := secured(t, n, "Basic256Sha256", "SignAndEncrypt", "TC1")
	o.Trust = t.TempDir()
	_, r := start(t, o)
	r.until(t, "the loss", func(all []record.Body) bool { return len(losses(all)) > 0 })
	b, err := os.ReadFile(n.certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Trust, "plc.der"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the value", has(1, sample.FloatValue(42)))
	if l := losses(r.since(0)); len(l) != 1 {
		t.Errorf("%d losses, want 1", len(l))
	}
}

// TestNodeRead reads every kind of node once, in more calls than one.
func TestNodeRead(t *testing.T) {
	n := startNode(t, nodeOptions{Limits: map[string]int{"maxNodesPerRead": 4}, Vars: []variable{
		{Name: "f", Type: "Double", Value: 1.5}, {Name: "i", Type: "Int16", Value: -3}, {Name: "b", Type: "Boolean", Value: true},
		{Name: "s", Type: "String", Value: "L-7"}, {Name: "u", Type: "UInt32", Value: 9}}})
	o := plain(n.endpoint, "f", "i", "b", "s", "u", "gone", "f")
	o.Items[0].Scale, o.Items[0].Offset = 2, 1
	o.Items[1].Type, o.Items[6].Type = "int16", "float32"
	o.Items = append(o.Items, Item{Tag: 8, Node: "i=2258"}, Item{Tag: 9, Node: "nsu=urn:none;i=1"})
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sample.Reading{
		{Tag: 1, Value: sample.FloatValue(4), Raw: sample.FloatValue(1.5)},
		{Tag: 2, Value: sample.IntValue(-3)},
		{Tag: 3, Value: sample.BoolValue(true)},
		{Tag: 4, Value: sample.StringValue("L-7")},
		{Tag: 5, Value: sample.UintValue(9)},
		{Tag: 6, Quality: sample.Bad, Status: "BadNodeIdUnknown"},
		{Tag: 7, Quality: sample.Bad, Status: StatusType},
		{Tag: 8, Quality: sample.Bad, Status: StatusType}, // a date is none of our types
		{Tag: 9, Quality: sample.Bad, Status: StatusNamespace},
	}
	for i, w := range want {
		if got[i].Reading != w {
			t.Errorf("%s: got %+v, want %+v", o.Items[i].Node, got[i].Reading, w)
		}
		if i < 5 && (got[i].Time == 0 || got[i].Server == 0) {
			t.Errorf("%s: no times: %+v", o.Items[i].Node, got[i])
		}
	}
}

// TestNodeManyItems: more items than the server takes in one call.
func TestNodeManyItems(t *testing.T) {
	var vars []variable
	var names []string
	for i := range 251 {
		names = append(names, fmt.Sprintf("v%d", i))
		vars = append(vars, variable{Name: names[i], Type: "Int32", Value: i})
	}
	n := startNode(t, nodeOptions{Limits: map[string]int{"maxMonitoredItemsPerCall": 100}, Vars: vars})
	s, r := start(t, plain(n.endpoint, names...))
	r.until(t, "all values", func(all []record.Body) bool {
		for i := range vars {
			if !has(sample.Tag(i+1), sample.IntValue(int64(i)))(all) {
				return false
			}
		}
		return true
	})
	if st := s.Status(); len(st.Refused) != 0 || st.Connects != 1 {
		t.Errorf("status %+v", st)
	}
}
