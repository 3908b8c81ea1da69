package panel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
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
	MeaningAck      = "acknowledged"
	MeaningComment  = "commented"
	MeaningShelve   = "shelved"
	MeaningUnshelve = "unshelved"
	MeaningContext  = "declared"
)

// Signed is in the body of every act; its name is exported since huma looks into
// no other embedded struct.
type Signed struct {
	User    string `json:"user" minLength:"1" maxLength:"64" doc:"who signs"`
	PIN     string `json:"pin" minLength:"1" maxLength:"64" writeOnly:"true"`
	Meaning string `json:"meaning" maxLength:"32" doc:"what the signature means; it must be the act's"`
	Comment string `json:"comment,omitempty" maxLength:"500"`
	Nonce   string `json:"nonce" minLength:"1" maxLength:"64" doc:"from GET nonce"`
}

// LogValue keeps the PIN out of every log.
func (s Signed) LogValue() slog.Value { return slog.StringValue(s.User + ": " + s.Meaning) }

// From is where a request came from, for the record. It is embedded in the input
// of every act.
type From struct{ terminal string }

// Resolve notes it.
func (f *From) Resolve(ctx huma.Context) []error {
	f.terminal = terminal(&http.Request{RemoteAddr: ctx.RemoteAddr()})
	return nil
}

// actDone is the answer to an act: it is on record.
type actDone struct {
	ID        string  `json:"id" doc:"of the alarm; name of the equipment"`
	State     string  `json:"state,omitempty" doc:"of the alarm after it; NORM when it is over"`
	User      string  `json:"user"`
	Name      string  `json:"name" doc:"as printed beside the signature"`
	Role      string  `json:"role"`
	Meaning   string  `json:"meaning"`
	Committed int64   `json:"committed" doc:"the size of the record whose last commit holds it"`
	At        Instant `json:"at"`
	Request   string  `json:"request_id" doc:"GET requests/{id} says the same again for a while"`
}

// actAnswer is actDone and where it can be asked for again.
type actAnswer struct {
	Location string `header:"Location"`
	Body     actDone
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// post registers one act.
func post[I any](api huma.API, path, summary, meaning string, handler func(context.Context, *I) (*actAnswer, error)) {
	huma.Register(api, huma.Operation{
		OperationID: "post-" + operationName(path), Method: http.MethodPost, Path: apiPath + "/" + path, Summary: summary,
		Description: "Signed with meaning `" + meaning + "`. Answers when the act is durable.", MaxBodyBytes: bodyBytes,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}, handler)
}

// deed is an act as it is about to be signed.
type deed struct {
	right    people.Act // what the person needs the right to
	meaning  string
	signed   Signed
	terminal string
	act      record.Act // kind, target and what is of the kind
}

// do has a deed signed and puts it on record, in this order: what it means, who
// signs, the record, the answer. What can be refused without using up the nonce
// has been by then.
func (p *Panel) do(ctx context.Context, d deed) (*actAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	if d.signed.Meaning != d.meaning {
		return nil, huma.Error422UnprocessableEntity("the signature's meaning must be " + d.meaning)
	}
	if !people.Printable(d.signed.Comment) {
		return nil, huma.Error422UnprocessableEntity("the comment must be printable text on one line: no control characters, none that turn the direction of writing")
	}
	who, err := p.o.People.Verify(ctx, people.Signed{User: d.signed.User, PIN: d.signed.PIN, Act: d.right, Meaning: d.meaning,
		Comment: d.signed.Comment, Nonce: d.signed.Nonce, Terminal: d.terminal, At: p.o.Now()})
	if err != nil {
		return nil, p.signProblem(err)
	}
	a := d.act
	a.User, a.Name, a.Role, a.Meaning, a.Comment, a.Terminal = who.ID, who.Name, string(who.Role), d.meaning, d.signed.Comment, d.terminal
	a.Senior = a.Kind == record.Shelve && who.Role.May(people.ShelveCritical)
	r, err := p.commit(ctx, &a)
	if err != nil {
		return nil, err
	}
	done := actDone{ID: a.Target, User: who.ID, Name: who.Name, Role: string(who.Role), Meaning: d.meaning, Committed: r.Committed,
		At: instantOf(p.o.Now()), Request: r.ID}
	return &actAnswer{Location: r.path(), Body: done}, nil
}

// commit hands an act in and waits until it is durable. What is not certainly on
// record is not answered as if it were.
func (p *Panel) commit(ctx context.Context, act *record.Act) (Request, error) {
	h, err := p.o.Gateway.Hand(ctx, act)
	if err != nil {
		p.o.Log.Warn("an act was not recorded", "err", err)
		return Request{}, huma.Error503ServiceUnavailable("the act was not recorded: the gateway is stopping or cannot record")
	}
	r := p.requests.add(act, h, instantOf(p.o.Now())).settle(ctx)
	at := http.Header{"Location": {r.path()}}
	switch r.State {
	case RequestCommitted:
		return r, nil
	case RequestRefused:
		return r, huma.ErrorWithHeaders(huma.Error409Conflict("refused, and on record as refused: "+r.Reason), at)
	case RequestUnknown:
		p.o.Log.Warn("it is not known whether an act was recorded", "err", r.Reason)
	}
	return r, huma.ErrorWithHeaders(huma.Error503ServiceUnavailable("it is not known whether the act is on record: the gateway could not record it in time; ask for "+
		r.path()+", or look at what it is about, before you sign again"), at)
}

// signProblem is what somebody who could not sign is told: no more than which of
// these it was, so that a wrong PIN does not differ from an unknown id.
func (p *Panel) signProblem(err error) error {
	var locked *people.LockedError
	if errors.As(err, &locked) {
		return huma.Error429TooManyRequests(people.ErrLocked.Error() + " until " + Format(instantOf(locked.Until)))
	}
	for _, known := range []struct {
		is     error
		status int
	}{
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
