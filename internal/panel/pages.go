package panel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/sample"
)

// page is what a template is filled with.
type page struct {
	Page    string // board, alarms, ...
	Kiosk   bool
	Now     time.Time
	State   *State // never nil
	Started bool   // something has been committed
	Events  EventList
	Event   *Event
	Health  Health
	Specs   []Spec  // of /specs
	Asked   string  // the instant that /specs is asked for, as it was written
	At      Instant // the same, 0 when there is none
	// Standing: the pipeline has not gone round for too long.
	Standing bool
	People   []Signer
	Missing  string // what was asked for and is not there
}

// Signer is somebody who may sign, as the dialog offers them.
type Signer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (p *Panel) routePages(mux *http.ServeMux) {
	for path, name := range map[string]string{"/{$}": "board", "/alarms": "alarms", "/events": "events", "/events/{id}": "event", "/specs": "specs", "/health": "health"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { p.page(w, r, name) })
	}
	mux.HandleFunc("GET /screen.css", p.screen)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, p.assets.url("icon.svg"), http.StatusFound)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.missing(w, r, methods(mux, r)) })
}

// methods are those by which what a request names can be had.
func methods(mux *http.ServeMux, r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// missing answers for what there is not, or not by the method that was used.
func (p *Panel) missing(w http.ResponseWriter, r *http.Request, allowed []string) {
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem(w, http.StatusMethodNotAllowed, r.URL.Path+" is not for "+r.Method, "it can be had by "+strings.Join(allowed, " or "))
		return
	}
	if r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/api/") {
		problem(w, http.StatusNotFound, "there is no "+r.Method+" "+r.URL.Path, "the API is described at "+apiPath+"/openapi.json")
		return
	}
	v := p.view(r, "missing")
	v.Missing = "There is no page " + r.URL.Path
	p.render(w, http.StatusNotFound, "missing.html", v)
}

func (p *Panel) page(w http.ResponseWriter, r *http.Request, name string) {
	v := p.view(r, name)
	switch name {
	case "event":
		var err error
		if v.Event, err = p.findEvent(r.Context(), r.PathValue("id")); err != nil {
			v.Missing = err.Error()
			p.render(w, statusOf(err), "missing.html", v)
			return
		}
	case "specs":
		if err := p.specsPage(r, v); err != nil {
			v.Missing = err.Error()
			p.render(w, statusOf(err), "missing.html", v)
			return
		}
	case "health":
		v.Health = p.health()
	}
	p.render(w, http.StatusOK, name+".html", v)
}

// statusOf is the status that a problem has.
func statusOf(err error) int {
	var problem huma.StatusError
	if errors.As(err, &problem) {
		return problem.GetStatus()
	}
	return http.StatusInternalServerError
}

// view is what every page needs.
func (p *Panel) view(r *http.Request, name string) *page {
	v := &page{Page: name, Kiosk: r.URL.Query().Get("kiosk") == "1", Now: p.o.Now(), State: p.o.Gateway.State(),
		Events: p.o.Gateway.Events(), Standing: p.standing() > livelyWithin}
	if v.Started = v.State != nil; !v.Started {
		v.State = &State{}
	}
	list, err := p.o.People.List(p.o.Now())
	if err != nil {
		p.o.Log.Error("people cannot be read: ids must be typed", "err", err)
	}
	for _, who := range list {
		if !who.Disabled {
			v.People = append(v.People, Signer{who.ID, who.Name})
		}
	}
	return v
}

func (p *Panel) render(w http.ResponseWriter, status int, name string, v any) {
	var b bytes.Buffer
	if err := p.assets.pages.ExecuteTemplate(&b, name, v); err != nil {
		p.o.Log.Error("page cannot be made", "page", name, "err", err)
		problem(w, http.StatusInternalServerError, "the page cannot be made", "the log says why")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked has gone
}

// What sizes are made of: a digit's height is to be seen at an angle that reads
// comfortably at the viewing distance and well enough at half as far again
// (24 minutes of arc, where 16 are the least), and a digit is this part of its
// font's size.
const (
	arcMinutes    = 24
	digitHeight   = 0.716
	millimetreIn  = 25.4
	commonPixels  = 2203 // of the diagonal of 1920 x 1080, until the script has asked the screen
	defaultInches = 21.5
	defaultMetres = 2
)

// screen serves the sizes, which depend on the settings: the script makes
// pixels of millimetres by the screen's own.
func (p *Panel) screen(w http.ResponseWriter, _ *http.Request) {
	inches, metres := p.o.ScreenDiagonalIn, p.o.ViewingDistanceM
	if inches <= 0 {
		inches = defaultInches
	}
	if metres <= 0 {
		metres = defaultMetres
	}
	value := 2 * metres * 1000 * math.Tan(arcMinutes/60.0*math.Pi/180/2) / digitHeight
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	css := fmt.Sprintf(":root { --diagonal: %.3f; --mm: %.4fpx; --value: calc(%.2f * var(--mm)); }\n",
		inches*millimetreIn, commonPixels/(inches*millimetreIn), value)
	_, _ = w.Write([]byte(css)) // whoever asked has gone
}

// layout is how instants are shown to people: local, with the offset.
const layout = "2006-01-02 15:04:05-07:00"

// Format is an instant as people read it.
func Format(t Instant) string {
	if t == 0 {
		return "—"
	}
	return t.Std().Local().Format(layout)
}

func instantOf(t time.Time) Instant { return Instant(sample.At(t)) }

// pageFuncs are what templates call.
func pageFuncs(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset":     a.url,
		"build":     func() string { return a.version },
		"stamp":     Format,
		"clock":     func(t Instant) string { return clockText(t, "15:04:05") },
		"wall":      func(t time.Time) string { return t.Local().Format("15:04:05") },
		"zone":      func(t time.Time) string { return t.Local().Format("-07:00") },
		"age":       func(now time.Time, t Instant) string { return Age(now, t) },
		"percent":   func(x float64) string { return strconv.FormatFloat(100*x, 'f', 2, 64) + "%" },
		"minus":     func(a, b float64) float64 { return a - b },
		"orZero":    func(x *float64) float64 { return orElse(x, 0) },
		"orOne":     func(x *float64) float64 { return orElse(x, 1) },
		"plain":     plain,
		"unit":      UnitText,
		"stateWord": StateWord,
		"short":     func(s string) string { return s[:min(len(s), 12)] },
		"join":      strings.Join,
		"words":     func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"alarmsOf":  func(s *State, n int) []Alarm { return s.Active()[:min(n, len(s.Active()))] },
		"rest":      func(s *State, n int) int { return max(0, len(s.Active())-n) },
		"unacked":   func(s *State) int { return count(s.Alarms, func(a *Alarm) bool { return a.Unacked() }) },
		"open":      func(l EventList) int { return count(l.Events, func(e *Event) bool { return e.Open }) },
		"pending":   func(s *State) uint64 { return s.Outbox.Lanes["quality"].Pending },
		"inForce":   func(s *State) []SpecRef { return inForce(s.Specs) },
		"exact":     exact,
		"json":      asJSON,
		"tile":      func(q Parameter, now time.Time, live bool) tileView { return tileView{q, now, live} },
		"row":       func(a Alarm, now time.Time) rowView { return rowView{a, now} },
		"lines":     outboxLines,
		"band":      func(r *[2]float64) string { return number(r[0]) + " … " + number(r[1]) },
	}
}

// tileView and rowView are what the templates of those names are filled with.
type tileView struct {
	P    Parameter
	Now  time.Time
	Live bool // what comes is judged and recorded
}

type rowView struct {
	A   Alarm
	Now time.Time
}

func orElse(x *float64, other float64) float64 {
	if x == nil {
		return other
	}
	return *x
}

// asJSON is what the script reads from an attribute.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func count[T any](list []T, is func(*T) bool) int {
	n := 0
	for i := range list {
		if is(&list[i]) {
			n++
		}
	}
	return n
}

// plain is an optional number.
func plain(x *float64) string {
	if x == nil {
		return "—"
	}
	return number(*x)
}

func clockText(t Instant, form string) string {
	if t == 0 {
		return "—"
	}
	return t.Std().Local().Format(form)
}

// exact is an instant of source time with milliseconds.
func exact(t sample.Time) string {
	if t == 0 {
		return "—"
	}
	return t.Std().Local().Format("2006-01-02 15:04:05.000-07:00")
}

// Age is how long ago an instant was: 12 s, 03:10, 5 h 02.
func Age(now time.Time, t Instant) string {
	if t == 0 {
		return "never"
	}
	d := max(now.Sub(t.Std()), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d", int(d.Hours()), int(d.Minutes())%60)
}

// outboxLine is one lane for the health page.
type outboxLine struct {
	Name string
	Lane
}

func outboxLines(o Outbox) []outboxLine {
	var list []outboxLine
	for _, name := range []string{"quality", "event", "record"} {
		if l, ok := o.Lanes[name]; ok {
			list = append(list, outboxLine{name, l})
		}
	}
	return slices.Clip(list)
}
