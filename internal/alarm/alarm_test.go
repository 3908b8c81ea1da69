package alarm

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"andon/internal/sample"
)

// TestDiagram walks every state that is built with every event against the rows
// and transitions of ANSI/ISA-18.2-2016, clause 5: A to D and G.
//
//andon:req Q48
func TestDiagram(t *testing.T) {
	events := []Event{Raise, Clear, Acknowledge, Shelve, LeaveAbnormal, LeaveNormal}
	for _, row := range []struct {
		from State
		to   [6]State // by event
	}{
		{Normal, [6]State{Unacknowledged, Normal, Normal, Normal, Normal, Normal}},
		{Unacknowledged, [6]State{Unacknowledged, ReturnedUnacked, Acknowledged, Shelved, Unacknowledged, Unacknowledged}},
		{Acknowledged, [6]State{Acknowledged, Normal, Acknowledged, Shelved, Acknowledged, Acknowledged}},
		{ReturnedUnacked, [6]State{Unacknowledged, ReturnedUnacked, Normal, Shelved, ReturnedUnacked, ReturnedUnacked}},
		{Shelved, [6]State{Shelved, Shelved, Shelved, Shelved, Unacknowledged, Normal}},
	} {
		for i, on := range events {
			got, changed := row.from.Next(on)
			if got != row.to[i] || changed != (row.from != row.to[i]) {
				t.Errorf("%v on %d: %v (changed %v), want %v", row.from, on, got, changed, row.to[i])
			}
		}
	}
}

// TestAnySequence: after whatever has happened the state is one that the
// condition allows, acknowledged only if somebody has acknowledged since it was
// last annunciated, and what leaves its shelf is as the condition is, whatever
// it was before.
//
//andon:req Q48
func TestAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		standing, acked := false, false
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			e := Event(rapid.IntRange(int(Raise), int(LeaveNormal)).Draw(t, "event"))
			switch {
			case e == Raise && standing, e == Clear && !standing,
				e == LeaveAbnormal && !standing, e == LeaveNormal && standing:
				continue // the condition says otherwise
			}
			before := s
			s, _ = s.Next(e)
			switch {
			case e == Raise:
				standing, acked = true, false
			case e == Clear:
				standing = false
			case e == Acknowledge && before != Shelved:
				acked = true
			case before == Shelved && s != Shelved:
				acked = false
				if (s == Unacknowledged) != standing || (s == Normal) == standing {
					t.Fatalf("left its shelf as %v while standing is %v", s, standing)
				}
			}
			if want := expected(standing, acked, before, s); s != want {
				t.Fatalf("%v on %d: %v, want %v (standing %v, acknowledged %v)", before, e, s, want, standing, acked)
			}
		}
	})
}

// expected is the state of the diagram for a condition and whether it has been
// acknowledged; what is shelved stays so, and what was over need not be
// acknowledged.
func expected(standing, acked bool, before, s State) State {
	switch {
	case s == Shelved:
		return Shelved
	case standing && acked:
		return Acknowledged
	case standing:
		return Unacknowledged
	case acked || before == Normal || before == Shelved:
		return Normal
	}
	return ReturnedUnacked
}

// TestShelfEnds: at its instant, and when the clock was set back behind its
// beginning, but not before.
func TestShelfEnds(t *testing.T) {
	const at = sample.Time(1e18)
	s := Shelf{At: at, Until: at.Add(time.Hour)}
	for after, over := range map[time.Duration]bool{-1: true, 0: false, time.Hour - 1: false, time.Hour: true, 2 * time.Hour: true} {
		if got := s.Over(at.Add(after)); got != over {
			t.Errorf("%v after its beginning: over %v, want %v", after, got, over)
		}
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for s := Normal; s <= OutOfService; s++ {
		b, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := back.UnmarshalText(b); err != nil || back != s {
			t.Errorf("%s: read back as %v, %v", b, back, err)
		}
	}
	var s State
	if err := s.UnmarshalText([]byte("FINE")); err == nil {
		t.Error("FINE was taken for a state")
	}
}

// TestSay keeps the newest comments, and changes no list that somebody else holds.
func TestSay(t *testing.T) {
	var a Alarm
	for i := range MostComments {
		a.Say(Comment{By: "u1", Text: strconv.Itoa(i)})
	}
	held := a.Comments
	a.Say(Comment{By: "u2", Text: "last"})
	if len(a.Comments) != MostComments || a.Comments[0].Text != "1" || a.Comments[MostComments-1] != (Comment{By: "u2", Text: "last"}) {
		t.Errorf("%+v", a.Comments)
	}
	if held[0].Text != "0" || held[MostComments-1].Text != strconv.Itoa(MostComments-1) {
		t.Errorf("changed under its holder: %+v", held)
	}
}
