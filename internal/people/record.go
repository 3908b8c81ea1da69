package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Unrecorded returns the changes that are not on record yet, oldest first.
func (s *Store) Unrecorded() (list []Change, err error) {
	err = s.view(func(st *state) { list = st.Unrecorded })
	return list, err
}

// Record hands every change that is not on record yet to put, oldest first, and
// takes from the file those for which it returned nil: put must return only when
// the entry is durable. It stops at the first error. The gateway calls it when it
// starts, when a command asks for it, and when Verify has refused a signature.
//
// An entry can come again, under its id, when the process or the disk fails
// between put and the file.
func (s *Store) Record(ctx context.Context, put func(context.Context, Change) error) error {
	s.recording.Lock()
	defer s.recording.Unlock()
	list, err := s.Unrecorded()
	if err != nil {
		return err
	}
	var done []string
	for _, c := range list {
		if err = put(ctx, c); err != nil {
			err = fmt.Errorf("record %s of user %q: %w", c.Kind, c.User, err)
			break
		}
		done = append(done, c.ID)
	}
	if len(done) == 0 {
		return err
	}
	return errors.Join(err, s.insist(context.WithoutCancel(ctx), func(st *state) {
		st.Unrecorded = slices.DeleteFunc(st.Unrecorded, func(c Change) bool { return slices.Contains(done, c.ID) })
	}))
}
