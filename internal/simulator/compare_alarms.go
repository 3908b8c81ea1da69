package simulator

import (
	"bytes"
	"encoding/json"
	"slices"

	"andon/internal/outbox"
	"andon/internal/sample"
)

// toldAlarm is what the comparison reads of a transition of an alarm.
type toldAlarm struct {
	Data struct {
		Equipment string      `json:"equipment"`
		Parameter string      `json:"parameter"`
		Rule      string      `json:"rule"`
		State     string      `json:"state"`
		At        sample.Time `json:"at"`
	} `json:"data"`
}

// alarms are the raisings and clearings of all alarms of parameters, as they
// were told, by place. Nobody acknowledges any.
func (w *world) alarms() map[string][]annunciation {
	all := map[string][]annunciation{}
	lane := outbox.Event
	for seq := uint64(1); seq <= w.jr.raised[lane]; seq++ {
		b := w.rx.stored[lane][seq]
		if no, ok := w.rx.refused[lane][seq]; ok {
			b = no
		}
		if !bytes.Contains(b, []byte(`"type":"andon.alarm.v1"`)) {
			continue
		}
		var x toldAlarm
		if err := json.Unmarshal(b, &x); err != nil {
			w.problem("entry %d of lane event: %v", seq, err)
			continue
		}
		if x.Data.Equipment == "" {
			continue // of the gateway itself
		}
		place := x.Data.Equipment + " " + x.Data.Parameter + " " + x.Data.Rule
		list := all[place]
		switch last := len(list) - 1; x.Data.State {
		case "UNACK":
			all[place] = append(list, annunciation{raised: x.Data.At})
		case "RTNUN":
			if last < 0 || list[last].cleared != 0 {
				w.problem("alarm %s cleared at %s and not raised", place, clockTime(x.Data.At))
				continue
			}
			list[last].cleared = x.Data.At
		default:
			w.problem("alarm %s is %s: nobody has acknowledged it", place, x.Data.State)
		}
	}
	return all
}

// firstOf is when an alarm was raised, 0 if there is no such.
func firstOf(list []annunciation, i int) sample.Time {
	if i >= len(list) {
		return 0
	}
	return list[i].raised
}

// checkAlarms: each alarm is raised and cleared at its own logical instants.
func (o *oracle) checkAlarms(w *world, place string, want []annunciation, why func(sample.Time) string) {
	got := o.alarms[place]
	delete(o.alarms, place)
	if slices.Equal(want, got) {
		return
	}
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	show := func(list []annunciation) string {
		if i >= len(list) {
			return "none"
		}
		return clockTime(list[i].raised) + ".." + clockTime(list[i].cleared)
	}
	w.problem("alarm %s: raising %d: %s, told %s\n%s", place, i, show(want), show(got), why(firstOf(want, i)))
}
