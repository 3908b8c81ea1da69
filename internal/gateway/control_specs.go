package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/panel"
	"andon/internal/sample"
)

// AskSpecs has every revision ever installed: → SpecReport.
const AskSpecs = "/specs"

// SpecReport is every revision ever installed on a gateway.
type SpecReport struct {
	At    panel.Instant `json:"at"`    // the instant that was asked for; null when none was
	Specs []panel.Spec  `json:"specs"` // those in force first; only those in force At, where that was asked for
}

// InForceAt is the report of the revisions that were in force at an instant.
func (r SpecReport) InForceAt(at sample.Time) SpecReport {
	return SpecReport{panel.Instant(at), panel.SpecsAt(r.Specs, panel.Instant(at))}
}

func (g *Gateway) specsOverControl(w io.Writer, _ *http.Request) error {
	c := g.Committed()
	if c == nil || c.View == nil {
		return errors.New("the gateway is starting: nothing has been committed yet")
	}
	return json.NewEncoder(w).Encode(SpecReport{Specs: c.View.Specs})
}

// Specs reads from a stopped gateway's journal how every revision stands now, or
// as of its last commit should that be later than now.
func Specs(j *journal.View, now sample.Time) (SpecReport, error) {
	s, _, err := remember(j)
	if err != nil {
		return SpecReport{}, fmt.Errorf("remember: %w", err)
	}
	for e := range s.Equipment {
		s.Equipment[e].Running = []engine.Running{} // a stopped gateway judges nowhere
	}
	return SpecReport{Specs: specsOf(s, max(now, s.At, s.Reached))}, nil
}
