package panel

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/record"
)

// mostRequests is how many of the newest acts can be asked for again.
const mostRequests = 1000

// Settled is what became of an act that is durable.
type Settled struct {
	Size    int64  // of the record whose last commit holds it
	Refused string // why it was not carried out, "" when it was
}

// Handed waits for what became of an act that has been taken. An error means that
// this is not known: ctx's own, that it may be later, any other, that it never
// will be. It may be called at any time and from any goroutine; with a ctx that
// has ended it says what is known now.
type Handed func(ctx context.Context) (Settled, error)

// States of a request.
const (
	RequestPending   = "pending"   // it waits for its commit
	RequestCommitted = "committed" // carried out, and durable
	RequestRefused   = "refused"   // not carried out; that is durable too
	RequestUnknown   = "unknown"   // the gateway has started over meanwhile
)

// Request is an act that was taken, and what became of it.
type Request struct {
	ID        string  `json:"request_id"`
	State     string  `json:"state" enum:"pending,committed,refused,unknown" doc:"unknown: the gateway has started over meanwhile, and the audit trail says whether it is on record"`
	Act       string  `json:"act"`
	Target    string  `json:"target"`
	User      string  `json:"user"`
	At        Instant `json:"at" doc:"when it was handed in"`
	Committed int64   `json:"committed,omitempty" doc:"the size of the record whose last commit holds it"`
	Reason    string  `json:"reason,omitempty" doc:"why it was refused"`

	handed Handed
}

// path is where it can be asked for.
func (r Request) path() string { return apiPath + "/requests/" + r.ID }

// settle waits for what became of it until ctx ends.
func (r Request) settle(ctx context.Context) Request {
	s, err := r.handed(ctx)
	switch {
	case err == nil && s.Refused == "":
		r.State, r.Committed = RequestCommitted, s.Size
	case err == nil:
		r.State, r.Committed, r.Reason = RequestRefused, s.Size, s.Refused
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.State = RequestPending
	default:
		r.State, r.Reason = RequestUnknown, err.Error()
	}
	return r
}

// requests are the newest acts, of this run of the panel. Any goroutine may use
// them.
type requests struct {
	mu   sync.Mutex
	list []Request // oldest first
}

// add keeps an act under a new id, and forgets the oldest when there are many.
func (q *requests) add(act *record.Act, h Handed, at Instant) Request {
	r := Request{ID: "req-" + rand.Text(), State: RequestPending, Act: act.Kind, Target: act.Target, User: act.User, At: at, handed: h}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) >= mostRequests {
		q.list = slices.Delete(q.list, 0, 1)
	}
	q.list = append(q.list, r)
	return r
}

// find is the request of an id.
func (q *requests) find(id string) (Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.list, func(r Request) bool { return r.ID == id })
	if i < 0 {
		return Request{}, false
	}
	return q.list[i], true
}

type requestInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (p *Panel) routeRequests(api huma.API) {
	get(api, "requests/{id}", "What became of an act", func(ctx context.Context, in *requestInput) (*answer[Request], error) {
		r, ok := p.requests.find(in.ID)
		if !ok {
			return nil, huma.Error404NotFound("no request " + in.ID + " is known: the newest 1000 since the gateway was started are; the audit trail has all that was recorded")
		}
		now, cancel := context.WithCancel(ctx)
		cancel() // what is known now, not later
		return &answer[Request]{r.settle(now)}, nil
	})
}
