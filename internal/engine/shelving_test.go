package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"andon/internal/alarm"
	"andon/internal/judge"
	"andon/internal/record"
)

// shelver decides a drawn stream with acts on alarms in between.
type shelver struct {
	rt *rapid.T
	p  *player

	quality []map[string]any // what the quality system was told, without what numbers inputs
}

// drawn is an act that is done to whatever alarm stands at a place in the list.
type drawn struct {
	timed
	place int // -1: not an act
}

func drawActs(t *rapid.T) (list []drawn) {
	for _, x := range drawBodies(t) {
		list = append(list, drawn{x, -1})
		if rapid.IntRange(0, 2).Draw(t, "acts") > 0 {
			continue
		}
		a := &record.Act{User: "u1", Role: "operator", Comment: "because", Senior: rapid.Bool().Draw(t, "senior"),
			Kind: rapid.SampledFrom([]string{record.Shelve, record.Shelve, record.Unshelve}).Draw(t, "act"),
			For:  time.Duration(rapid.IntRange(1, 8000).Draw(t, "for ms")) * time.Millisecond}
		list = append(list, drawn{timed{x.at, a}, rapid.IntRange(0, 3).Draw(t, "which")})
	}
	return list
}

// play decides the stream; with hush every act is a comment instead.
func (s *shelver) play(list []drawn, hush bool) {
	s.p.start.NoGrace = false
	for _, x := range list {
		for due := s.p.s.Due(); due != 0 && due < x.at; due = s.p.s.Due() {
			s.decide(timed{max(due, s.p.s.At), &record.Tick{}})
		}
		if x.place < 0 {
			if _, receipt := x.body.(*record.Receipt); !receipt { // of a lane whose length acts change
				s.decide(x.timed)
			}
			continue
		}
		a := *x.body.(*record.Act)
		if x.place < len(s.p.s.Alarms) {
			a.Target = s.p.s.Alarms[x.place].ID
		}
		if hush {
			a.Kind = record.Comment
		}
		s.decide(timed{x.at, &a})
	}
}

func (s *shelver) decide(x timed) {
	before := slices.Clone(s.p.s.Alarms)
	out := Decide(s.p.s, record.Input{N: s.p.s.N + 1, At: x.at, Body: x.body})
	for _, e := range out.Entries {
		if e.Lane == laneQuality {
			s.told(e)
		}
	}
	s.check(before)
	for _, n := range out.Needs {
		s.decide(timed{x.at, &record.Answer{Need: n.ID, First: 1, Last: 2, Count: 2, SHA256: "00"}})
	}
}

// told keeps what an entry says, without what depends on how many inputs there
// were.
func (s *shelver) told(e record.Entry) {
	var x struct{ Data map[string]any }
	if err := json.Unmarshal(e.Payload, &x); err != nil {
		s.rt.Fatal(err)
	}
	for _, numbered := range []string{"event_id", "gateway", "links", "raised_at", "revised_at"} {
		delete(x.Data, numbered)
	}
	s.quality = append(s.quality, x.Data)
}

// check holds every alarm of a parameter against what its rule's judge says.
func (s *shelver) check(before []alarm.Alarm) {
	st := s.p.s
	for i := range st.Alarms {
		al := &st.Alarms[i]
		if al.State == alarm.Shelved != (al.Shelf != alarm.Shelf{}) || al.State == alarm.Shelved && al.Shelf.Over(st.At) {
			s.rt.Fatalf("%s is %v at %s with shelf %+v", al.Rule, al.State, st.At, al.Shelf)
		}
	}
	for _, was := range before {
		if was.State != alarm.Shelved || was.Equipment == "" {
			continue
		}
		i := slices.IndexFunc(st.Alarms, func(al alarm.Alarm) bool { return al.ID == was.ID })
		standing := s.standing(was)
		switch {
		case i < 0 && standing && st.alarm(was.Equipment, was.Parameter, was.Rule) == nil: // not another occurrence, raised by the same input
			s.rt.Fatalf("%s left its shelf as normal while it stands", was.Rule)
		case i >= 0 && st.Alarms[i].Standing() != standing:
			s.rt.Fatalf("%s: standing %v, its judge says %v", was.Rule, st.Alarms[i].Standing(), standing)
		}
	}
}

// standing is what the judge of an alarm's rule says of its condition.
func (s *shelver) standing(al alarm.Alarm) (standing bool) {
	s.p.s.each(func(a place) {
		_, _, p, def := s.p.s.parameter(a)
		for r := 0; p.ID == al.Parameter && r < def.Rules(); r++ {
			if phase := p.Judge.Rules[r].Alarm.Phase; def.Rule(r).ID == al.Rule {
				standing = phase == judge.Raised || phase == judge.Clearing
			}
		}
	})
	return standing
}

// TestShelvingHidesNothing: whatever is shelved and taken back, when and for how
// long, the quality system is told the same at the same instants, and an alarm is
// what its rule's condition is when it leaves its shelf.
//
//andon:req Q48 Q50
func TestShelvingHidesNothing(t *testing.T) {
	shelved := 0
	rapid.Check(t, func(rt *rapid.T) {
		list := drawActs(rt)
		with := &shelver{rt: rt, p: newPlayer(t, propertySpec, propertyWiring, "qms")}
		without := &shelver{rt: rt, p: newPlayer(t, propertySpec, propertyWiring, "qms")}
		with.play(list, false)
		without.play(list, true)
		for _, al := range with.p.s.Alarms {
			if al.State == alarm.Shelved {
				shelved++
			}
		}
		if diff := cmp.Diff(without.quality, with.quality); diff != "" {
			rt.Fatalf("shelving changed the quality record (-without +with):\n%s", diff)
		}
	})
	if shelved == 0 {
		t.Error("nothing was shelved in any stream: nothing was tried")
	}
}

// TestShelfOutlivesTheClock: a clock that is set back behind the shelving's
// beginning ends it: it cannot be made longer that way.
func TestShelfOutlivesTheClock(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	p.play("1 tc1=900 tc2=885 phase=2 lot=L-1 recipe=R-1")
	p.play("2 tc1=900 tc2=885 phase=2 lot=L-1 recipe=R-1")
	p.play("4 tc1=900 tc2=885 phase=2 lot=L-1 recipe=R-1")
	p.play("10 shelve load_temp over 1h trial run")
	p.decide(epoch0.Add(5*time.Second), &record.Tick{})
	if last := p.said[len(p.said)-1]; !strings.Contains(last, "SHLVD > UNACK") {
		t.Errorf("after the clock was set back: %q", p.said)
	}
}
