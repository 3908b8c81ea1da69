package panel

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/sample"
)

// AuditRange says which entries of the audit trail are wanted.
type AuditRange struct {
	From, To sample.Time // when they were recorded, both included; 0 for no bound
	Commit   uint64      // from this commit on, Next of the list before; 0: where From is
	Limit    int         // about how many: a commit is not cut
}

// AuditList is a part of the audit trail.
type AuditList struct {
	Entries []AuditEntry `json:"entries" doc:"in the order in which they were recorded"`
	Next    uint64       `json:"next,omitempty" doc:"there may be more, also behind an empty list: ask again with commit set to this"`
}

// AuditEntry is one entry of the audit trail and where the record holds it.
type AuditEntry struct {
	Commit uint64 `json:"commit" doc:"leaf commit - 1 of the record's tree"`
	Entry  Sent   `json:"entry"`
}

// Sent is a message as it was sent.
type Sent struct{ json.RawMessage }

// Schema describes it for the API.
func (Sent) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "the message as it was sent: andon schema events describes it"}
}

type auditInput struct {
	Span
	Commit uint64 `query:"commit" doc:"next of the answer before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

func (p *Panel) routeAudit(api huma.API) {
	get(api, "audit", "The audit trail: who did what to what, and why", func(ctx context.Context, in *auditInput) (*answer[AuditList], error) {
		var list AuditList
		from, to, err := in.times()
		if err != nil {
			return nil, err
		}
		err = p.reading(ctx, func(ctx context.Context) (err error) {
			list, err = p.o.Gateway.Audit(ctx, AuditRange{From: from, To: to, Commit: in.Commit, Limit: in.Limit})
			return err
		})
		return &answer[AuditList]{list}, err
	})
}
