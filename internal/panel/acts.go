package panel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/people"
	"andon/internal/record"
)

// actTimeout is how long an act may take to become durable before its sender is
// told that this is not known. A journal without room keeps acts waiting.
const actTimeout = 10 * time.Second

// What signatures mean. The words are shown before somebody signs, sent with the
// act, and stored with it (21 CFR 11.50).
const (
	MeaningAck     = "acknowledged"
	MeaningComment = "commented"
)

// signed is the body of every act.
type signed struct {
	User    string `json:"user" minLength:"1" maxLength:"64" doc:"who signs"`
	PIN     string `json:"pin" minLength:"1" maxLength:"64" writeOnly:"true"`
	Meaning string `json:"meaning" maxLength:"32" doc:"what the signature means; it must be the act's"`
	Comment string `json:"comment,omitempty" maxLength:"500"`
	Nonce   string `json:"nonce" minLength:"1" maxLength:"64" doc:"from GET nonce"`
}

// LogValue keeps the PIN out of every log.
func (s signed) LogValue() slog.Value { return slog.StringValue(s.User + ": " + s.Meaning) }

// alarmAct is a signed act on an alarm.
type alarmAct struct {
	ID       string `path:"id" maxLength:"200"`
	Body     signed
	terminal string
}

// Resolve notes where the request came from.
func (a *alarmAct) Resolve(ctx huma.Context) []error {
	a.terminal = terminal(&http.Request{RemoteAddr: ctx.RemoteAddr()})
	return nil
}

// actDone is the answer to an act: it is on record.
type actDone struct {
	ID        string  `json:"id"`
	State     string  `json:"state" doc:"of the alarm after it; NORM when it is over"`
	User      string  `json:"user"`
	Name      string  `json:"name" doc:"as printed beside the signature"`
	Role      string  `json:"role"`
	Meaning   string  `json:"meaning"`
	Committed int64   `json:"committed" doc:"a size of the record that includes it"`
	At        Instant `json:"at"`
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func (p *Panel) routeActs(api huma.API) {
	acts := []struct {
		act     people.Act
		meaning string
		summary string
	}{
		{people.Ack, MeaningAck, "Acknowledge an alarm: seen, and being acted on"},
		{people.Comment, MeaningComment, "Say something about an alarm"},
	}
	for _, a := range acts {
		huma.Register(api, huma.Operation{
			OperationID: "post-alarm-" + string(a.act), Method: http.MethodPost, Path: apiPath + "/alarms/{id}/" + string(a.act), Summary: a.summary,
			Description: "Signed with meaning `" + a.meaning + "`. Answers when the act is durable.", MaxBodyBytes: bodyBytes,
			Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		}, func(ctx context.Context, in *alarmAct) (*answer[actDone], error) {
			done, err := p.actOnAlarm(ctx, in, a.act, a.meaning)
			return &answer[actDone]{done}, err
		})
	}
}

// actOnAlarm carries out a signed act on an alarm, in this order: what can be
// refused without using up the nonce, who signs, the record, the answer.
func (p *Panel) actOnAlarm(ctx context.Context, in *alarmAct, act people.Act, meaning string) (actDone, error) {
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	al, err := p.alarm(in.ID)
	switch {
	case err != nil:
		return actDone{}, err
	case in.Body.Meaning != meaning:
		return actDone{}, huma.Error422UnprocessableEntity("the signature's meaning must be " + meaning)
	case act == people.Ack && al.Acked():
		return actDone{}, huma.Error409Conflict("the alarm has been acknowledged already, by " + al.AckedBy)
	case act == people.Comment && in.Body.Comment == "":
		return actDone{}, huma.Error422UnprocessableEntity("a comment needs words")
	}
	who, err := p.o.People.Verify(ctx, people.Signed{User: in.Body.User, PIN: in.Body.PIN, Act: act, Meaning: meaning,
		Comment: in.Body.Comment, Nonce: in.Body.Nonce, Terminal: in.terminal, At: p.o.Now()})
	if err != nil {
		return actDone{}, p.signProblem(err)
	}
	body := &record.Act{User: who.ID, Name: who.Name, Role: string(who.Role), Kind: string(act), Target: in.ID, Meaning: meaning,
		Comment: in.Body.Comment, Terminal: in.terminal}
	if err := p.put(ctx, body); err != nil {
		return actDone{}, err
	}
	done := actDone{ID: in.ID, State: "NORM", User: who.ID, Name: who.Name, Role: string(who.Role), Meaning: meaning, At: instantOf(p.o.Now())}
	if s := p.o.Gateway.State(); s != nil {
		done.Committed = s.Head.Size
		if i := alarmIndex(s, in.ID); i >= 0 {
			done.State = s.Alarms[i].State
		}
	}
	return done, nil
}

func (p *Panel) alarm(id string) (*Alarm, error) {
	s, err := p.state()
	if err != nil {
		return nil, err
	}
	if !s.Recording {
		return nil, huma.Error503ServiceUnavailable("NOT RECORDING: nothing can be signed, since it would not be on record")
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

// put hands an act in. What is not certainly on record is not answered as if it
// were.
func (p *Panel) put(ctx context.Context, body record.Body) error {
	err := p.o.Gateway.Put(ctx, body)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable("it is not known whether the act is on record: the gateway could not record it in time; look at the alarm before you sign again")
	}
	p.o.Log.Warn("an act was not recorded", "err", err)
	return huma.Error503ServiceUnavailable("the act was not recorded: the gateway is stopping or cannot record")
}

// signProblem is what somebody who could not sign is told: no more than which of
// these it was, so that a wrong PIN does not differ from an unknown id.
func (p *Panel) signProblem(err error) error {
	for _, known := range []struct {
		is     error
		status int
	}{
		{people.ErrLocked, http.StatusTooManyRequests},
		{people.ErrPIN, http.StatusForbidden},
		{people.ErrDisabled, http.StatusForbidden},
		{people.ErrRight, http.StatusForbidden},
		{people.ErrNonce, http.StatusConflict},
		{people.ErrIncomplete, http.StatusUnprocessableEntity},
		{people.ErrBusy, http.StatusTooManyRequests},
		{people.ErrUnrecorded, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, known.is) {
			return huma.NewError(known.status, known.is.Error())
		}
	}
	p.o.Log.Error("a signature could not be checked", "err", err)
	return huma.Error503ServiceUnavailable("the signature could not be checked: nothing was signed")
}
