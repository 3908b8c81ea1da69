package gateway

import (
	"context"
	"errors"
	"sort"
	"time"

	"andon/internal/journal"
	"andon/internal/panel"
	"andon/internal/record"
	"andon/internal/sample"
)

const (
	// auditCommits is how many commits one look at the audit trail reads.
	auditCommits = 20_000
	// auditStep is how far the gateway's clock may have been set back without
	// hiding an entry from a search by time.
	auditStep = time.Hour
)

// Audit reads the audit trail from the record, in its order. It looks at a
// bounded number of commits and says where to go on.
func (s shown) Audit(ctx context.Context, r panel.AuditRange) (panel.AuditList, error) {
	list := panel.AuditList{Entries: []panel.AuditEntry{}}
	first, err := max(r.Commit, 1), error(nil)
	if r.Commit == 0 && r.From != 0 {
		if first, err = commitAt(&s.g.j.View, r.From.Add(-auditStep)); err != nil {
			return list, err
		}
	}
	_, to := bounds(r.From, r.To)
	err = s.g.j.Commits(first, func(h journal.Header, records []byte) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.To != 0 && sample.Time(h.At) > to.Add(auditStep):
			return errEnough
		case h.Seq >= first+auditCommits || len(list.Entries) >= r.Limit:
			list.Next = h.Seq
			return errEnough
		}
		return auditOf(&list, r, h.Seq, records)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

// auditOf takes the entries of one commit. A tombstone and an entry that is sent
// again stand on the topic of the audit trail too; they are no acts.
func auditOf(list *panel.AuditList, r panel.AuditRange, commit uint64, records []byte) error {
	from, to := bounds(r.From, r.To)
	return record.Each(records, func(in record.Input, out record.Outcome) error {
		if in.At < from || in.At > to {
			return nil
		}
		entries := out.Entries
		if act, ok := in.Body.(*record.Act); ok && act.Kind == record.Requeue && len(entries) > 1 {
			entries = entries[1:] // the letter comes first
		}
		for _, e := range entries {
			if e.Topic == "event/audit" && !tombstone(&out, e) {
				list.Entries = append(list.Entries, panel.AuditEntry{Commit: commit, Entry: panel.Sent{RawMessage: e.Payload}})
			}
		}
		return nil
	})
}

func tombstone(out *record.Outcome, e record.Entry) bool {
	for _, x := range out.Dead {
		if x.Lane == e.Lane && x.Seq == e.Seq {
			return true
		}
	}
	return false
}

// commitAt is the first commit that was made at an instant or after it, by a
// clock that went on.
func commitAt(j *journal.View, at sample.Time) (uint64, error) {
	var failed error
	n := sort.Search(int(j.Head().Size), func(k int) bool {
		var h journal.Header
		err := j.Commits(uint64(k)+1, func(first journal.Header, _ []byte) error {
			h = first
			return errEnough
		})
		if err != nil && !errors.Is(err, errEnough) {
			failed = err
		}
		return sample.Time(h.At) >= at
	})
	return uint64(n) + 1, failed
}
