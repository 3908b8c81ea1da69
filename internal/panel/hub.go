package panel

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"
)

const (
	// coalesce is how long changes are gathered before browsers are told; alarms
	// do not wait.
	coalesce = 250 * time.Millisecond
	// beat is how often a browser hears of us when nothing changes. It says NOT
	// LIVE when it has heard nothing for less than three of them.
	beat = time.Second
	// mostStreams bounds how many browsers are told of changes; one more and the
	// oldest has to begin again (a browser that was closed may leave its behind).
	mostStreams = 32
	// eventsTold is how many of the newest events the stream carries.
	eventsTold = 30
)

// hub cuts the state into parts, each a piece of JSON under a name, and knows
// when each of them last changed. A browser is told of the parts that have
// changed since what it has: after a break of a second or an hour it gets the
// same answer, and a slow one never holds anybody up.
type hub struct {
	gateway Gateway
	now     func() time.Time
	// instance tells versions of this run from those of another.
	instance string
	woken    chan struct{}

	mu      sync.Mutex
	version uint64
	parts   map[string]part
	last    *State
	changed chan struct{} // closed at the next change
	clients []*client     // oldest first
	closed  bool
}

// part is one piece of the state. Its JSON is nil when it is gone.
type part struct {
	json []byte
	at   uint64 // version of its last change
}

// client is one stream.
type client struct{ end context.CancelFunc }

func newHub(g Gateway, now func() time.Time) *hub {
	return &hub{gateway: g, now: now, instance: rand.Text()[:8], woken: make(chan struct{}, 1),
		parts: map[string]part{}, changed: make(chan struct{})}
}

func (h *hub) wake() {
	select {
	case h.woken <- struct{}{}:
	default:
	}
}

// run keeps the parts fresh until ctx ends.
func (h *hub) run(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var told time.Time
	var gathering <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-gathering:
		case <-h.woken:
			if wait := coalesce - time.Since(told); wait > 0 && !h.urgent() {
				if gathering == nil {
					gathering = time.After(wait)
				}
				continue
			}
		}
		gathering = nil
		if h.streams() > 0 {
			h.refresh()
			told = time.Now()
		}
	}
}

// urgent says whether an alarm has changed, or whether we record.
func (h *hub) urgent() bool {
	s := h.gateway.State()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s == nil || h.last == nil {
		return s != h.last
	}
	return s.Recording != h.last.Recording || !slices.EqualFunc(s.Alarms, h.last.Alarms, sameAlarm)
}

// sameAlarm says whether nothing about an alarm has changed.
func sameAlarm(a, b Alarm) bool { return reflect.DeepEqual(a, b) }

// refresh looks at the state and tells the streams when something has changed.
func (h *hub) refresh() {
	s := h.gateway.State()
	next := cut(s, h.gateway.Events())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = s
	version, any := h.version+1, false
	for name, b := range next {
		if !bytes.Equal(h.parts[name].json, b) {
			h.parts[name], any = part{b, version}, true
		}
	}
	for name, p := range h.parts {
		if _, still := next[name]; !still && p.json != nil {
			h.parts[name], any = part{nil, version}, true
		}
	}
	if any {
		h.version = version
		close(h.changed)
		h.changed = make(chan struct{})
	}
}

// equipmentPart is equipment without its parameters, which are parts of their
// own: Keys names them in order.
type equipmentPart struct {
	Equipment
	Parameters any      `json:"parameters,omitempty"` // hides Equipment's
	Keys       []string `json:"keys"`
}

// cut makes the parts of a state.
func cut(s *State, events EventList) map[string][]byte {
	parts := map[string][]byte{}
	put := func(name string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			panic("panel: encode " + name + ": " + err.Error()) // our own structs; Value holds no NaN as a number
		}
		parts[name] = b
	}
	if s == nil {
		put("recording", false)
		return parts
	}
	put("gateway", s.Gateway)
	put("recording", s.Recording)
	put("head", s.Head)
	put("clock", s.Clock)
	put("sources", s.Sources)
	put("alarms", s.Alarms)
	put("gaps", s.Gaps)
	put("outbox", s.Outbox)
	put("specs", inForce(s.Specs))
	names := make([]string, len(s.Equipment))
	for i := range s.Equipment {
		e := &s.Equipment[i]
		names[i] = e.Name
		x := equipmentPart{Equipment: *e, Keys: []string{}}
		for k := range e.Parameters {
			q := &e.Parameters[k]
			key := "parameter/" + e.Name + "/" + q.Spec.ID + "/" + q.ID
			x.Keys = append(x.Keys, key)
			put(key, q)
		}
		put("equipment/"+e.Name, x)
	}
	put("equipment", names)
	put("events", brief(events.Events[:min(len(events.Events), eventsTold)]))
	return parts
}

// inForce names the revisions that may judge now.
func inForce(list []Spec) []SpecRef {
	refs := []SpecRef{}
	for i := range list {
		if list[i].Status == "in force" {
			refs = append(refs, list[i].SpecRef)
		}
	}
	return refs
}

// brief is a list of events without their documents.
func brief(list []Event) []Event {
	out := slices.Clone(list)
	for i := range out {
		out[i].Document, out[i].Gap = nil, nil
	}
	return out
}

// since are the parts that have changed after a version, the version that they
// lead to, and a channel that is closed at the next change. Parts that are gone
// are null. With all, those are left out: there is nothing to take them from.
func (h *hub) since(version uint64, all bool) (parts map[string]json.RawMessage, now uint64, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	parts = map[string]json.RawMessage{}
	for name, p := range h.parts {
		switch {
		case p.json == nil && (all || p.at <= version):
		case p.json == nil:
			parts[name] = json.RawMessage("null")
		case all || p.at > version:
			parts[name] = p.json
		}
	}
	return parts, h.version, h.changed
}

// join takes a stream in; end ends it. false: the panel is stopping.
func (h *hub) join(end context.CancelFunc) (*client, bool) {
	c := &client{end}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	if len(h.clients) >= mostStreams {
		h.clients[0].end()
		h.clients = h.clients[1:]
	}
	h.clients = append(h.clients, c)
	return c, true
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients = slices.DeleteFunc(h.clients, func(x *client) bool { return x == c })
}

func (h *hub) streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// close ends all streams and takes no more.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, c := range h.clients {
		c.end()
	}
	h.clients = nil
}
