package panel

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// livelyWithin is how long the deciding goroutine may take to go round before it
// is taken for stuck. It goes round every second when there is nothing to do.
const livelyWithin = 10 * time.Second

// oldPending is how long a record may wait for the quality system's receipt
// before that is a fault.
const oldPending = 15 * time.Minute

// Health is what is well and what is not.
type Health struct {
	OK     bool    `json:"ok" doc:"the pipeline makes progress and can record; a PLC or broker that is away does not change this"`
	Checks []Check `json:"checks"`
	Config string  `json:"config_sha256"`
	Build  string  `json:"version"`
}

// Check is one thing that was looked at.
type Check struct {
	Name  string `json:"name"`
	Level string `json:"level" enum:"ok,warn,fault"`
	Text  string `json:"text"`
	Cure  string `json:"cure,omitempty" doc:"what to do about it"`
	Vital bool   `json:"vital" doc:"without it there is no recording: it decides OK and /readyz"`
}

// OK says whether nothing is wrong with it.
func (c Check) OK() bool { return c.Level == "ok" }

const (
	fine  = "ok"
	warn  = "warn"
	fault = "fault"
)

// health looks at everything.
func (p *Panel) health() Health {
	h := Health{OK: true, Build: p.o.Version, Checks: []Check{p.checkPipeline()}}
	s := p.o.Gateway.State()
	if s == nil {
		h.Checks = append(h.Checks, Check{"recording", fault, "nothing has been committed yet: the gateway is starting", "wait; if it lasts, look at its log", true})
	} else {
		h.Config, h.Build = s.Gateway.Config, s.Gateway.Version
		h.Checks = append(h.Checks, checkRecording(s), checkSpecs(s))
		for i := range s.Sources {
			h.Checks = append(h.Checks, checkSource(&s.Sources[i]))
		}
		h.Checks = append(h.Checks, checkOutbox(s, p.o.Now()), checkDead(s), checkClock(s))
	}
	h.Checks = append(h.Checks, Check{"panel", fine, fmt.Sprintf("screens being told of changes: %d", p.Streams()), "", false})
	for _, c := range h.Checks {
		h.OK = h.OK && (c.OK() || !c.Vital)
	}
	return h
}

func (p *Panel) standing() time.Duration { return p.o.Now().Sub(p.o.Gateway.Progress()) }

func (p *Panel) checkPipeline() Check {
	if d := p.standing(); d > livelyWithin {
		return Check{"pipeline", fault, "judging and recording have not gone round for " + d.Round(time.Second).String(), "restart the gateway; keep its log", true}
	}
	if s := p.o.Gateway.State(); s == nil || !s.Recording {
		return Check{"pipeline", fine, "it goes round, and waits until it can record: nothing is judged meanwhile", "", true}
	}
	return Check{"pipeline", fine, "values are taken, judged and recorded", "", true}
}

func checkRecording(s *State) Check {
	if !s.Recording {
		return Check{"recording", fault, "NOT RECORDING since the last commit at " + Format(s.Head.Time),
			"make room on the disk of data.dir or mend it; recording goes on by itself. Hold product made meanwhile: the time is a gap", true}
	}
	return Check{"recording", fine, fmt.Sprintf("%d commits, the last at %s", s.Head.Size, Format(s.Head.Time)), "", true}
}

func checkSpecs(s *State) Check {
	refs := inForce(s.Specs)
	if len(refs) == 0 {
		return Check{"specification", fault, "none is in force: values are recorded, nothing is judged", "have quality approve one and install it: andon spec install", true}
	}
	var names []string
	for _, r := range refs {
		names = append(names, r.ID+" rev "+r.Revision)
	}
	return Check{"specification", fine, strings.Join(names, ", ") + " in force", "", true}
}

func checkSource(s *Source) Check {
	name := "source " + s.Name
	switch {
	case s.Tags == 0:
		return Check{name, warn, "no tag is read from it", "remove it from the settings, or give it tags", false}
	case s.Blind == s.Tags:
		return Check{name, fault, "no good value of any tag: " + causeWords(s.Cause) + sinceHeard(s), "look at the PLC, its network and its power: andon doctor says what is reached", false}
	case s.Blind > 0:
		return Check{name, warn, fmt.Sprintf("%d of %d tags without a good value: %s", s.Blind, s.Tags, causeWords(s.Cause)), "look at the sensors behind these tags", false}
	case s.ByArrival:
		return Check{name, warn, fmt.Sprintf("its clock is %.0f ms off ours: times of arrival are used", s.SkewMS), "set the PLC's clock", false}
	}
	return Check{name, fine, fmt.Sprintf("%d tags, clock %+.0f ms from ours", s.Tags, s.SkewMS), "", false}
}

func sinceHeard(s *Source) string {
	if s.Heard == 0 {
		return ", never heard"
	}
	return ", last heard " + Format(s.Heard)
}

func checkOutbox(s *State, now time.Time) Check {
	waiting := uint64(0)
	for _, l := range s.Outbox.Lanes {
		waiting += l.Pending
	}
	q := s.Outbox.Lanes["quality"]
	text := fmt.Sprintf("%d quality records raised, %d receipted, %d waiting, %d rejected", q.Raised, q.Receipted, q.Pending, q.Rejected)
	if since := s.Outbox.OldestPending; since != 0 && now.Sub(since.Std()) > oldPending {
		return Check{"quality system", fault, text + "; nothing has been receipted since " + Format(since),
			"nothing is lost: look at the broker and at the quality system's receiver", false}
	}
	if len(s.Outbox.Consumers) == 0 && waiting > 0 {
		return Check{"quality system", warn, text + "; no consumer is named in the settings, so nothing can be receipted", "name uplink.mqtt.consumers", false}
	}
	return Check{"quality system", fine, text, "", false}
}

func checkDead(s *State) Check {
	n := uint64(0)
	for _, l := range s.Outbox.Lanes {
		n += l.Rejected
	}
	if n > 0 {
		return Check{"dead letters", fault, fmt.Sprintf("%d records were rejected by the quality system; they are kept", n), "andon outbox dead says why; mend the cause, then andon outbox requeue", false}
	}
	return Check{"dead letters", fine, "none", "", false}
}

func checkClock(s *State) Check {
	if !s.Clock.Synced {
		return Check{"clock", warn, "not synchronised: records are marked so", "start chrony or another NTP client on this machine", false}
	}
	text := "synchronised by " + s.Clock.Source
	if offset, bound := s.Clock.OffsetMS, s.Clock.UncertaintyMS; offset != nil && bound != nil {
		text += fmt.Sprintf(", %.1f ms off, ± %.1f ms", *offset, *bound)
	}
	return Check{"clock", fine, text, "", false}
}

// routeHealth serves what supervisors ask: /livez whether to restart us, /readyz
// whether we can record, /healthz?verbose everything in words.
func (p *Panel) routeHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answerCheck(w, []Check{p.checkPipeline()}, true)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		var vital []Check
		for _, c := range p.health().Checks {
			if c.Vital {
				vital = append(vital, c)
			}
		}
		answerCheck(w, vital, r.URL.Query().Has("verbose"))
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answerCheck(w, p.health().Checks, r.URL.Query().Has("verbose"))
	})
}

// answerCheck is 200 when all that is vital is well, 503 otherwise; what is not
// well is always named.
func answerCheck(w http.ResponseWriter, checks []Check, verbose bool) {
	status, text := http.StatusOK, ""
	for _, c := range checks {
		if c.Vital && !c.OK() {
			status = http.StatusServiceUnavailable
		}
		if !verbose && c.OK() {
			continue
		}
		text += fmt.Sprintf("[%s] %s: %s\n", c.Level, c.Name, c.Text)
		if c.Cure != "" {
			text += "       " + c.Cure + "\n"
		}
	}
	if status == http.StatusOK {
		text += "ok\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // whoever asked has gone
}
