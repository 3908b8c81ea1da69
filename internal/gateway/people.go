package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"andon/internal/people"
	"andon/internal/record"
	"andon/internal/sample"
)

// AskPeople has what is owed to the audit trail about users put on record.
const AskPeople = "/people/record"

// recordPeople puts on record what has happened to accounts and is not there
// yet: what was done while the gateway stood, by a command, or under a wrong PIN.
func (g *Gateway) recordPeople(ctx context.Context) error {
	return g.people.Record(ctx, func(ctx context.Context, c people.Change) error {
		return g.Put(ctx, &record.Act{User: c.By, Role: string(c.Role), Kind: string(c.Kind), Target: c.User, Comment: c.Reason,
			Terminal: c.Terminal, Change: c.ID, When: sample.At(c.At), Old: c.Old, New: c.New})
	})
}

// owedPeople is recordPeople where nobody waits for its error: what could not be
// recorded is owed still, and comes the next time.
func (g *Gateway) owedPeople(ctx context.Context) {
	if err := g.recordPeople(ctx); err != nil {
		g.log.Error("what happened to accounts is not on the audit trail yet", "err", err)
	}
}

func (g *Gateway) peopleOverControl(w io.Writer, r *http.Request) error {
	if err := g.recordPeople(r.Context()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "on record")
	return err
}

// signers are the people as the panel knows them: what goes wrong when somebody
// signs is on record before it is answered.
type signers struct {
	*people.Store
	g *Gateway
}

// Verify is people.Store's.
func (s signers) Verify(ctx context.Context, signed people.Signed) (people.Person, error) {
	who, err := s.Store.Verify(ctx, signed)
	if err != nil {
		s.g.owedPeople(ctx)
	}
	return who, err
}
