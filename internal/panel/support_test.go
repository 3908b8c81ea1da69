package panel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"andon/internal/people"
	"andon/internal/record"
	"andon/internal/sample"
)

// toy is a gateway that says what the test wants.
type toy struct {
	state    atomic.Pointer[State]
	events   atomic.Pointer[EventList]
	progress atomic.Int64
	// hand answers an act; nil, or no answer, takes it.
	hand func(context.Context, *record.Act) (Handed, error)
	// samples are all that is on record; stuck reading does not end by itself.
	samples []record.Sample
	stuck   bool
	tree    Tree
	audit   AuditList
	// past is what the record holds besides the events; dead what was rejected.
	past   Past
	dead   DeadLetters
	sought []PastQuery
	asked  AuditRange

	mu   sync.Mutex
	acts []*record.Act
}

func (g *toy) State() *State { return g.state.Load() }

func (g *toy) Events() EventList {
	if l := g.events.Load(); l != nil {
		return *l
	}
	return EventList{Events: []Event{}}
}

func (g *toy) Hand(ctx context.Context, act *record.Act) (Handed, error) {
	if g.hand != nil {
		h, err := g.hand(ctx, act)
		if h != nil || err != nil {
			return h, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acts = append(g.acts, act)
	return func(context.Context) (Settled, error) { return Settled{Size: 8}, nil }, nil
}

func (g *toy) EachSample(ctx context.Context, r SampleRange, fn func(record.Sample) bool) error {
	if g.stuck {
		<-ctx.Done()
		return ctx.Err()
	}
	for _, s := range g.samples {
		if s.I > r.After && (r.From == 0 || s.T >= r.From) && (r.To == 0 || s.T <= r.To) && !fn(s) {
			break
		}
	}
	return nil
}

// HasTag: tc1 and tc2 are in the settings.
func (g *toy) HasTag(equipment, tag string) bool {
	return equipment == "furn-03" && (tag == "tc1" || tag == "tc2")
}

func (g *toy) Audit(_ context.Context, r AuditRange) (AuditList, error) {
	g.asked = r
	return g.audit, nil
}

func (g *toy) Past(_ context.Context, q PastQuery) (Past, error) {
	g.sought = append(g.sought, q)
	return g.past, nil
}

func (g *toy) DeadLetters(context.Context) (DeadLetters, error) { return g.dead, nil }

func (g *toy) Tree() Tree { return g.tree }

func (g *toy) Progress() time.Time { return time.Unix(0, g.progress.Load()) }

// taken are the acts that have gone in.
func (g *toy) taken() []*record.Act {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*record.Act{}, g.acts...)
}

const (
	at0 = sample.Time(1767225600e9) // 2026-01-01T00:00:00Z
	pin = "271828"
)

func ptr[T any](x T) *T { return &x }

// plant is a state with one of everything: a parameter in, one out with its
// alarm, one that is stale, one of text.
func plant() *State {
	ref := SpecRef{ID: "HT-1", Revision: "A", SHA256: strings.Repeat("ab", 32)}
	param := func(id string, v sample.Value, verdict string, rule Rule) Parameter {
		rule.Verdict = verdict
		p := Parameter{ID: id, Name: "The " + id, Spec: ref, Unit: "[degF]", Precision: 0.1, Verdict: verdict, Rules: []Rule{rule},
			Inputs: []Input{{Tag: "t-" + id, Value: Value{v}, Quality: "good", T: Instant(at0), Heard: Instant(at0)}}}
		return p
	}
	good := param("good", sample.FloatValue(885.04), In, Rule{ID: "over", Kind: "high", High: ptr(895.0), Class: "major"})
	out := param("hot", sample.FloatValue(895.04), Out, Rule{ID: "over", Kind: "high", Low: ptr(875.0), High: ptr(895.0), Class: "major"})
	out.Shown.Rank, out.Shown.Unacked = 1, true
	stale := param("blind", sample.FloatValue(1), Unknown, Rule{ID: "over", Kind: "high", High: ptr(2.0), Class: "major"})
	stale.Inputs[0].Blind, stale.Inputs[0].Cause = true, "link"
	recipe := param("recipe", sample.StringValue("R-1<b>"), NotApplicable, Rule{ID: "is", Kind: "equals", Expected: &Value{sample.StringValue("R-1")}, Class: "major"})
	recipe.Unit = ""
	e := Equipment{Name: "furn-03", Title: "Furnace 3", Specs: []SpecRef{ref}, Parameters: []Parameter{good, out, stale, recipe},
		Context: []Field{{Name: "lot", Value: "L-1", Known: true, By: "tag", From: FromTag, Tag: "lot"}, {Name: "operator", Value: "unknown", From: FromPanel},
			{Name: "material", Value: "M-1", Known: true, By: "mes", From: FromMES}, {Name: "heat", Value: "H-1", Known: true, By: "mes"}}}
	for i := range e.Parameters {
		e.Parameters[i].Show()
	}
	return &State{
		Gateway: Identity{ID: "g1", Site: "acme", Version: "v1", Config: strings.Repeat("0", 64)}, Recording: true,
		Head: Head{Size: 7, Root: "cm9vdA==", Epoch: "e1", Time: Instant(at0)}, Clock: Clock{Source: "ntp", Synced: true},
		Sources: []Source{{Name: "plc", Kind: "opcua", Tags: 4, Blind: 1, Cause: "link", Heard: Instant(at0)}}, Equipment: []Equipment{e},
		Alarms: []Alarm{{ID: "alm-1", Equipment: "furn-03", Parameter: "hot", Name: "The hot", Rule: "over", State: "UNACK", Priority: "high", Rank: 1,
			Text: "too hot", Action: "hold the load", ValueText: "895.04 °F", Limit: "at most 895 °F", RaisedAt: Instant(at0), Count: 1}},
		Gaps:   []Gap{{ID: "gap-1", Equipment: "furn-03", Cause: "link", Tags: []string{"t-blind"}, From: Instant(at0)}},
		Outbox: Outbox{Lanes: map[string]Lane{"quality": {Raised: 3, Receipted: 2, Pending: 1}}, Dead: []DeadLetter{}, Consumers: []string{"qms"}, Receipts: "signed"},
		Specs: []Spec{{SpecRef: ref, Title: "Heat treat", Status: "in force", Equipment: []string{"furn-03"},
			Approvals:  []Approval{{User: "u1", Name: "Q. Quality", Role: "quality", Meaning: "approved", At: Instant(at0)}},
			Parameters: []SpecLimit{{ID: "hot", Name: "The hot", Inputs: []string{"t-hot"}, Unit: "[degF]", USL: ptr(895.0), Rules: []string{"over: at most 895 °F"}}}}},
	}
}

// stand is a running panel over a toy gateway, with an operator, a viewer and
// somebody who may not sign any more.
type stand struct {
	*Panel
	gateway *toy
	store   *people.Store
	stop    func()
}

func newStand(t *testing.T, change func(*Options)) *stand {
	t.Helper()
	store, err := people.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	by := people.By{Who: "test", At: time.Now()}
	for id, role := range map[string]people.Role{"op1": people.Operator, "look": people.Viewer} {
		if err := store.Add(t.Context(), people.New{ID: id, Name: "Printed " + id, Role: role, PIN: pin}, by); err != nil {
			t.Fatal(err)
		}
	}
	g := &toy{}
	g.state.Store(plant())
	g.progress.Store(time.Now().UnixNano())
	o := Options{Gateway: g, People: store, Listen: "127.0.0.1:0", Hosts: []string{"line2.example"}, Version: "v1"}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the panel ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return &stand{p, g, store, stop}
}

// reply is the head of an answer.
type reply struct {
	StatusCode int
	Status     string
	Header     http.Header
}

// ask sends a request; headers are pairs, Host among them.
func (s *stand) ask(t *testing.T, method, path, body string, headers ...string) (reply, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(s.URL(), "/")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Status, resp.Header}, string(b)
}

func (s *stand) nonce(t *testing.T) string {
	t.Helper()
	_, body := s.ask(t, "GET", "/api/v1/nonce", "")
	var n struct{ Nonce string }
	if err := json.Unmarshal([]byte(body), &n); err != nil || n.Nonce == "" {
		t.Fatalf("nonce: %s %v", body, err)
	}
	return n.Nonce
}

// join makes one more person known; each costs a hash.
func (s *stand) join(t *testing.T, id string, role people.Role) {
	t.Helper()
	if err := s.store.Add(t.Context(), people.New{ID: id, Name: "Printed " + id, Role: role, PIN: pin}, people.By{Who: "test", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// actWith is the body of a signed act that says more.
func actWith(user, meaning, comment, nonce string, more map[string]any) string {
	m := map[string]any{"user": user, "pin": pin, "meaning": meaning, "comment": comment, "nonce": nonce}
	maps.Copy(m, more)
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// act is the body of a signed act.
func act(user, pin, meaning, comment, nonce string) string {
	b, err := json.Marshal(map[string]string{"user": user, "pin": pin, "meaning": meaning, "comment": comment, "nonce": nonce})
	if err != nil {
		panic(err)
	}
	return string(bytes.TrimSpace(b))
}
