package gateway

import (
	"bytes"
	"fmt"

	"andon/internal/engine"
	"andon/internal/journal"
	"andon/internal/record"
)

// remember makes the state that the record leads to: the last snapshot, and
// every input recorded behind it decided again. differs says at which input the
// outcome came out otherwise than it was recorded, "" when none did. The record
// is what counts then: numbers that it gave stay given.
func remember(j *journal.View) (s *engine.State, differs string, err error) {
	saved, after, ok, err := j.Snapshot()
	if err != nil {
		return nil, "", err
	}
	s = engine.New()
	if ok {
		if s, err = engine.Load(saved); err != nil {
			return nil, "", fmt.Errorf("snapshot of commit %d: %w", after, err)
		}
	}
	err = j.Commits(after+1, func(h journal.Header, records []byte) error {
		why, err := refold(s, records)
		if err != nil {
			return fmt.Errorf("commit %d: %w", h.Seq, err)
		}
		if differs == "" {
			differs = why
		}
		return nil
	})
	return s, differs, err
}

// refold decides the inputs of one commit again.
func refold(s *engine.State, records []byte) (differs string, err error) {
	err = record.Each(records, func(in record.Input, recorded record.Outcome) error {
		out := engine.Decide(s, in)
		if differs == "" && !bytes.Equal(record.Append(nil, in, out), record.Append(nil, in, recorded)) {
			differs = fmt.Sprintf("input %d (%T) comes out otherwise than it was recorded", in.N, in.Body)
		}
		s.KeepNumbers(&recorded)
		return nil
	})
	return differs, err
}
