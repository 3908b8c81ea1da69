package panel

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// streamWrite is how long one write to a browser may take. One that reads more
// slowly is cut; it begins again with what has changed.
const streamWrite = 5 * time.Second

// beatMessage is what a browser hears every second: that we are alive, and that
// the pipeline is. A page that hears nothing, or that the pipeline stands,
// says NOT LIVE.
type beatMessage struct {
	Now        Instant `json:"now"`
	StandingMS int64   `json:"standing_ms" doc:"since when the pipeline has not gone round"`
	Recording  bool    `json:"recording"`
	Build      string  `json:"build" doc:"of the page's files: another one, and the page loads itself again"`
}

// changeMessage carries the parts that have changed; all of them when Whole.
type changeMessage struct {
	Whole bool                       `json:"whole"`
	Parts map[string]json.RawMessage `json:"parts"`
}

// stream serves GET /api/v1/stream as server-sent events: `change` with the
// parts of the state that have changed, and `beat` every second. The first
// change is the whole state, or what a browser has missed since the event id
// with which it comes back.
func (p *Panel) stream(w http.ResponseWriter, r *http.Request) {
	ctx, end := context.WithCancel(r.Context())
	defer end()
	c, ok := p.hub.join(end)
	if !ok {
		problem(w, http.StatusServiceUnavailable, "the gateway is stopping", "")
		return
	}
	defer p.hub.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	s := &streamer{w: w, control: http.NewResponseController(w), hub: p.hub}
	s.version, s.known = p.hub.resume(r.Header.Get("Last-Event-ID"))
	// the server's read time-out would end the stream
	if s.err = s.control.SetReadDeadline(time.Time{}); s.err != nil {
		return
	}
	s.raw(": connected\nretry: 1000\n\n")
	p.hub.refresh()
	p.follow(ctx, s)
}

// follow tells of changes and beats until ctx ends or a write fails.
func (p *Panel) follow(ctx context.Context, s *streamer) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for s.err == nil {
		changed := s.changes()
		p.beat(s)
	waiting:
		for s.err == nil {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				p.beat(s)
			case <-changed:
				break waiting
			}
		}
	}
}

func (p *Panel) beat(s *streamer) {
	now := p.o.Now()
	m := beatMessage{Now: instantOf(now), Build: p.assets.version, StandingMS: now.Sub(p.o.Gateway.Progress()).Milliseconds()}
	if st := p.o.Gateway.State(); st != nil {
		m.Recording = st.Recording
	}
	s.event("beat", "", m)
}

// resume reads the id of the last event that a browser has; known is false when
// it must begin from the whole.
func (h *hub) resume(id string) (version uint64, known bool) {
	instance, number, _ := strings.Cut(id, "-")
	version, err := strconv.ParseUint(number, 10, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil || instance != h.instance || version > h.version {
		return 0, false
	}
	return version, true
}

// streamer writes one stream. After the first error it writes nothing more.
type streamer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	hub     *hub
	version uint64 // of what the browser has
	known   bool   // it has something of this run
	err     error
}

// changes tells of what has changed, and returns when to look again.
func (s *streamer) changes() <-chan struct{} {
	parts, version, changed := s.hub.since(s.version, !s.known)
	if len(parts) > 0 || !s.known {
		s.event("change", fmt.Sprintf("%s-%d", s.hub.instance, version), changeMessage{!s.known, parts})
	}
	s.version, s.known = version, true
	return changed
}

func (s *streamer) event(name, id string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.err = err
		return
	}
	text := "event: " + name + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	s.raw(text + "data: " + string(b) + "\n\n")
}

func (s *streamer) raw(text string) {
	if s.err != nil {
		return
	}
	if s.err = s.control.SetWriteDeadline(time.Now().Add(streamWrite)); s.err != nil {
		return
	}
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = s.control.Flush()
	}
}
