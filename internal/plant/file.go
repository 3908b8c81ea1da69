package plant

import (
	"slices"
	"strings"
	"time"

	"andon/internal/strictyaml"
)

// FileSchema is the value of `schema` in a plant file.
const FileSchema = "andon.plant/1"

// maxFileTime bounds the times in a plant file, so that counted in the shortest
// steps they fit in 32 bits.
const maxFileTime = 30 * 24 * time.Hour

// ParseFile reads a plant file, the form in which `andon simulate` takes its
// options; config/plant.yaml is the example. Times in the schedule count from
// the first step and are whole steps. The error is strictyaml.Problems: every
// mistake at once, with its place.
func ParseFile(file string, b []byte) (Options, error) {
	doc := strictyaml.Parse(file, b)
	n := doc.Root()
	n.Need("schema").OneOf(FileSchema)
	o := Options{
		Seed:   uint64(n.Get("seed").Int(0, 1<<62)),
		Step:   n.Get("step").Duration(),
		Cycle:  n.Get("cycle").Duration(),
		Listen: n.Get("listen").Text(),

		Press:        n.Get("press").Text(),
		ListenModbus: n.Get("listen_modbus").Text(),
	}
	if e := n.Get("equipment"); e.Present() {
		o.Equipment = e.Texts()
	}
	o = o.withDefaults()
	schedule := n.Get("schedule")
	script, err := newScript(o)
	if err != nil {
		// Without sound figures a schedule cannot be read.
		schedule.Skip()
		n.Problem(err.Error(), "")
		return o, doc.Err()
	}
	if schedule.Present() {
		o.Schedule = readSchedule(script, schedule)
	}
	return o, doc.Err()
}

// readSchedule reads and checks the episodes. It is never nil: an empty
// schedule is one, too.
func readSchedule(s *Script, n strictyaml.Node) []Episode {
	out := []Episode{}
	for _, node := range n.Seq() {
		e, ok := readEpisode(s, node)
		if !ok {
			continue
		}
		if err := s.check(e); err != nil {
			node.Problem(err.Error(), "")
			continue
		}
		for _, f := range out {
			if err := s.apart(f, e); err != nil {
				node.Problem(err.Error(), "move one of them")
				break
			}
		}
		out = append(out, e)
	}
	return out
}

// readEpisode reads one; false when it lacks what the checks need, which has
// been reported then.
func readEpisode(s *Script, n strictyaml.Node) (Episode, bool) {
	names := make([]string, 0, len(kinds()))
	for _, k := range kinds() {
		names = append(names, string(k))
	}
	e := Episode{
		Kind:      Kind(n.Need("kind").OneOf(names...)),
		Equipment: n.Get("equipment").Text(),
		First:     stepsOf(s, n.Need("at")),
		Steps:     stepsOf(s, n.Need("for")),
		By:        n.Get("by").Float(),
	}
	if tags := n.Get("tags"); tags.Present() {
		e.Tags = tags.Texts()
	}
	switch { // the kinds that have but one tag need not name it
	case e.Kind == WrongRecipe && e.Tags == nil:
		e.Tags = []string{tagRecipe}
	case e.Kind == SlowQuench && e.Tags == nil:
		e.Tags = []string{tagQuench}
	}
	missing := slices.ContainsFunc([]string{"kind", "at", "for"}, func(k string) bool { return !n.Get(k).OK() })
	return e, !missing
}

// stepsOf reads a time as a number of steps.
func stepsOf(s *Script, n strictyaml.Node) int {
	d := n.Duration()
	if n.OK() && (d%s.step != 0 || d > maxFileTime) {
		n.Problem(d.String()+" is not a number of steps of "+s.step.String(), "round it")
		return 0
	}
	return int(d / s.step)
}

// Describe says in words what an episode does, for people.
func (e Episode) Describe(step time.Duration) string {
	at := (time.Duration(e.First) * step).String() + " for " + (time.Duration(e.Steps) * step).String() + ": "
	who := e.Equipment + " " + strings.Join(e.Tags, ", ")
	switch e.Kind {
	case High:
		return at + who + " above the upper limit"
	case Low:
		return at + who + " below the lower limit"
	case Bad:
		return at + who + " without a good value"
	case Outage:
		if e.Equipment != "" {
			return at + "the server of " + e.Equipment + " refuses everybody"
		}
		return at + "the server refuses everybody"
	case WrongRecipe:
		return at + e.Equipment + " has another recipe than the released one"
	case SlowQuench:
		return at + e.Equipment + " is late in the bath"
	}
	return at + string(e.Kind)
}
