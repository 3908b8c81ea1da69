package panel

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/alarm"
	"andon/internal/people"
	"andon/internal/record"
	"andon/internal/spec"
)

// alarmInput is a signed act on an alarm.
type alarmInput struct {
	ID string `path:"id" maxLength:"200"`
	From
	Body Signed
}

// shelveInput is the act that puts an alarm aside.
type shelveInput struct {
	ID string `path:"id" maxLength:"200"`
	From
	Body struct {
		Signed
		Seconds int64 `json:"duration_s" minimum:"1" maximum:"28800" doc:"for how long, in seconds; it comes back by itself then"`
	}
}

func (p *Panel) routeActs(api huma.API) {
	post(api, "alarms/{id}/ack", "Acknowledge an alarm: seen, and being acted on", MeaningAck, func(ctx context.Context, in *alarmInput) (*actAnswer, error) {
		return p.actOnAlarm(ctx, in, record.Ack, 0)
	})
	post(api, "alarms/{id}/comment", "Say something about an alarm", MeaningComment, func(ctx context.Context, in *alarmInput) (*actAnswer, error) {
		return p.actOnAlarm(ctx, in, record.Comment, 0)
	})
	post(api, "alarms/{id}/shelve", "Put an alarm aside for a limited time; the quality record goes on", MeaningShelve, func(ctx context.Context, in *shelveInput) (*actAnswer, error) {
		return p.actOnAlarm(ctx, &alarmInput{in.ID, in.From, in.Body.Signed}, record.Shelve, time.Duration(in.Body.Seconds)*time.Second)
	})
	post(api, "alarms/{id}/unshelve", "Take a shelved alarm back before its time", MeaningUnshelve, func(ctx context.Context, in *alarmInput) (*actAnswer, error) {
		return p.actOnAlarm(ctx, in, record.Unshelve, 0)
	})
}

// actOnAlarm carries out a signed act on an alarm.
func (p *Panel) actOnAlarm(ctx context.Context, in *alarmInput, kind string, d time.Duration) (*actAnswer, error) {
	al, err := p.alarm(in.ID)
	if err == nil {
		err = actable(al, kind, in.Body.Comment)
	}
	if err != nil {
		return nil, err
	}
	right, meaning := alarmRight(al, kind)
	done, err := p.do(ctx, deed{right: right, meaning: meaning, signed: in.Body, terminal: in.terminal, act: record.Act{Kind: kind, Target: in.ID, For: d}})
	if err != nil {
		return nil, err
	}
	done.Body.State = alarm.Normal.String()
	if s := p.o.Gateway.State(); s != nil {
		if i := alarmIndex(s, in.ID); i >= 0 {
			done.Body.State = s.Alarms[i].State
		}
	}
	return done, nil
}

// alarmRight is what an act on an alarm needs the right to, and what signing it
// means.
func alarmRight(al *Alarm, kind string) (people.Act, string) {
	switch kind {
	case record.Comment:
		return people.Comment, MeaningComment
	case record.Unshelve:
		return people.Shelve, MeaningUnshelve
	case record.Shelve:
		if al.Class == spec.Critical {
			return people.ShelveCritical, MeaningShelve
		}
		return people.Shelve, MeaningShelve
	}
	return people.Ack, MeaningAck
}

// actable says why an act makes no sense for an alarm as it is.
func actable(al *Alarm, kind, comment string) error {
	said := strings.TrimSpace(comment) != ""
	switch kind {
	case record.Ack:
		if al.Acked() {
			return huma.Error409Conflict("the alarm has been acknowledged already, by " + al.AckedWho())
		}
		if al.Shelved() {
			return huma.Error409Conflict("the alarm is shelved until " + Format(al.ShelvedUntil) + ": take it back first")
		}
	case record.Comment:
		if !said {
			return huma.Error422UnprocessableEntity("a comment needs words")
		}
	case record.Shelve:
		if al.Shelved() {
			return huma.Error409Conflict("the alarm is shelved already, by " + al.ShelvedWho() + " until " + Format(al.ShelvedUntil))
		}
		if !said {
			return huma.Error422UnprocessableEntity("shelving needs a reason: say why in comment")
		}
	case record.Unshelve:
		if !al.Shelved() {
			return huma.Error409Conflict("the alarm is not shelved")
		}
	}
	return nil
}

// recording is the committed state, where something can be signed.
func (p *Panel) recording() (*State, error) {
	s, err := p.state()
	if err == nil && !s.Recording {
		err = huma.Error503ServiceUnavailable("NOT RECORDING: nothing can be signed, since it would not be on record")
	}
	return s, err
}

func (p *Panel) alarm(id string) (*Alarm, error) {
	s, err := p.recording()
	if err != nil {
		return nil, err
	}
	i := alarmIndex(s, id)
	if i < 0 {
		return nil, huma.Error404NotFound("no alarm " + id + " is active: it may be over and acknowledged")
	}
	return &s.Alarms[i], nil
}

func alarmIndex(s *State, id string) int {
	return slices.IndexFunc(s.Alarms, func(a Alarm) bool { return a.ID == id })
}
