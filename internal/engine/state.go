package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"andon/internal/alarm"
	"andon/internal/judge"
	"andon/internal/outbox"
	"andon/internal/production"
	"andon/internal/quality"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// State is all that deciding remembers. It is changed by Decide alone.
type State struct {
	N     uint64       `json:"n"`     // number of the last input decided
	At    sample.Time  `json:"at"`    // its instant
	I     uint64       `json:"i"`     // number of the last sample
	Start record.Start `json:"start"` // of the run: who and where we are, and the wiring
	Clock record.Clock `json:"clock"`

	Sources   []Source      `json:"sources"`   // in the order of the wiring
	Tags      []Tag         `json:"tags"`      // by tag number
	Equipment []Equipment   `json:"equipment"` // in the order of the wiring
	Gaps      []quality.Gap `json:"gaps"`      // open ones, in the order they were armed
	// Filling are gaps that have ended and that late samples may still fill, the
	// oldest first.
	Filling []quality.Gap  `json:"filling,omitempty"`
	Alarms  []alarm.Alarm  `json:"alarms"` // all that are not normal, in the order they were raised
	Policy  *record.Policy `json:"policy"` // by which approvals are judged
	// Policies are all revisions of it that have been in force, the last one now.
	Policies []PolicyRevision `json:"policies,omitempty"`
	Register spec.Register    `json:"register"`
	// Reached is the latest instant at which revisions have been switched: a
	// clock that steps back revives nothing.
	Reached sample.Time  `json:"reached"`
	Switch  sample.Time  `json:"switch"` // when what is in force next changes by itself
	Outbox  outbox.State `json:"outbox"`
	// Turns are changes of the context that wait for the values that come
	// together with them.
	Turns []Turn `json:"turns,omitempty"`
	// Waiting is since when the quality system has not receipted anything
	// although something is waiting for it; 0 when nothing is.
	Waiting sample.Time `json:"waiting"`
	// Requeued are the ids of dead letters that have been sent again.
	Requeued []string `json:"requeued,omitempty"`

	x index // derived; see index.go
}

// Source is what is known of one connection.
type Source struct {
	Name string `json:"name"`
	// Skew is the source's clock less ours, as of its last answer.
	Skew time.Duration `json:"skew"`
	// ByArrival: the skew is beyond what is allowed, arrival decides.
	ByArrival bool `json:"by_arrival,omitempty"`
	// Ahead: its last stamp lay further ahead of its own clock than is allowed.
	Ahead bool `json:"ahead,omitempty"`
}

// Tag is what is known of one tag.
type Tag struct {
	Seen  bool           `json:"seen,omitempty"` // has had a sample
	T     sample.Time    `json:"t"`              // source time of the last sample, as it came
	V     sample.Exact   `json:"v"`
	Q     sample.Quality `json:"q"`
	St    string         `json:"st,omitempty"`
	Last  sample.Time    `json:"last"`  // instant at which the last sample was judged: what is older is late
	Heard sample.Time    `json:"heard"` // last instant at which it was good, confirmations included
	Blind bool           `json:"blind,omitempty"`
	Cause string         `json:"cause,omitempty"` // of the gap it is in
}

// Equipment is one piece of equipment: what is being made on it and what it is
// judged by.
type Equipment struct {
	Name    string             `json:"name"`
	Context production.Context `json:"context"`
	Lot     string             `json:"lot,omitempty"` // the last one known, also while it is not
	Phase   string             `json:"phase,omitempty"`
	Part    string             `json:"part,omitempty"`
	Running []Running          `json:"running"` // in order of specification id
	// Closing are events of revisions that judge no more, until their evidence
	// has been told.
	Closing []Closing `json:"closing,omitempty"`
}

// Closing is an event that outlived the revision that judged it.
type Closing struct {
	Spec  record.SpecRef `json:"spec"`
	Event quality.Event  `json:"event"`
}

// Running is a revision that judges on one piece of equipment.
type Running struct {
	Spec  record.SpecRef `json:"spec"`
	Since sample.Time    `json:"since"` // when it began to judge here
	// Operation is when the operation under way began, 0 when there is none.
	// It keeps the revision until it ends.
	Operation sample.Time `json:"operation"`
	Lot       string      `json:"lot,omitempty"` // of the operation
	// Misfit says why the settings of this run contradict the document: it cannot
	// judge then, and everything it is for is unknown.
	Misfit string `json:"misfit,omitempty"`
	// Withdrawn is since when it judges no more, 0 while it does. It stands here
	// until another revision takes over, since all that it was for is unknown.
	Withdrawn  sample.Time `json:"withdrawn,omitempty"`
	Parameters []Parameter `json:"parameters"` // in the document's order
}

// Parameter is one parameter of a running revision.
type Parameter struct {
	ID     string          `json:"id"`
	Judge  judge.State     `json:"judge"`
	Events []quality.Event `json:"events,omitempty"` // not yet fully told, oldest first
	// Past is what late samples are judged with, nil where none are expected.
	Past *judge.Past `json:"past,omitempty"`
	// Told are events that have been told to their end and that late samples may
	// still correct, the oldest first.
	Told []quality.Event `json:"told,omitempty"`
	// LateDue is when late samples that have come are judged, 0 when there are
	// none: together, since they come in bursts.
	LateDue sample.Time `json:"late_due,omitempty"`
}

// New is the state before the first input of an epoch.
func New() *State { return &State{} }

// Save returns the state's bytes: the same for equal states.
func (s *State) Save() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("save engine state: " + err.Error()) // our own structs; NaN never enters them
	}
	return b
}

// Load reads what Save wrote.
func Load(b []byte) (*State, error) {
	s := New()
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("load saved state: %w", err)
	}
	s.knowPolicies()
	s.reindex()
	return s, nil
}

// KeepNumbers makes sure that no number which the record gave is given again,
// where what was decided comes out otherwise now.
func (s *State) KeepNumbers(recorded *record.Outcome) {
	for _, e := range recorded.Entries {
		switch e.Lane {
		case outbox.Quality:
			s.Outbox.Quality.Raised = max(s.Outbox.Quality.Raised, e.Seq)
		case outbox.Event:
			s.Outbox.Event.Raised = max(s.Outbox.Event.Raised, e.Seq)
		}
	}
}

// Needs are those that have been asked for and not been answered: a shell that
// starts again reads them again.
func (s *State) Needs() []record.Need {
	var needs []record.Need
	s.each(func(a place) {
		_, _, p, def := s.parameter(a)
		for i := range p.Events {
			if ev := &p.Events[i]; ev.Asked != "" {
				needs = append(needs, s.need(a.e, def, ev))
			}
		}
	})
	for e := range s.Equipment {
		for i := range s.Equipment[e].Closing {
			if c := &s.Equipment[e].Closing[i]; c.Event.Asked != "" {
				needs = append(needs, s.need(e, s.closingParameter(c), &c.Event))
			}
		}
	}
	return needs
}

// gapOf returns the open gap that a tag is in, nil if none.
func (s *State) gapOf(t sample.Tag) *quality.Gap {
	i := slices.IndexFunc(s.Gaps, func(g quality.Gap) bool {
		return slices.ContainsFunc(g.Tags, func(x quality.GapTag) bool { return x.Tag == t && x.To == 0 })
	})
	if i < 0 {
		return nil
	}
	return &s.Gaps[i]
}
