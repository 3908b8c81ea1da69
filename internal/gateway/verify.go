package gateway

import (
	"errors"
	"os"
	"path/filepath"

	"andon/internal/journal"
	"andon/internal/record"
)

// Verify holds a stopped gateway's journal, or a copy of one, against itself,
// what its records say of the outbox included. key is the gateway's public key
// as known from elsewhere, or "".
func Verify(path, key string) (journal.Report, error) {
	return journal.Verify(path, journal.VerifyOptions{Key: key, Changes: changes})
}

// changes are what the records of a commit put into the outbox and take out.
func changes(_ journal.Header, records []byte) (entries []journal.Entry, retired []journal.Retired, err error) {
	err = record.Each(records, func(_ record.Input, out record.Outcome) error {
		for _, e := range out.Entries {
			entries = append(entries, journal.Entry{Lane: e.Lane, Seq: e.Seq, Topic: e.Topic, Payload: e.Payload})
		}
		for _, r := range out.Retired {
			retired = append(retired, journal.Retired(r))
		}
		return nil
	})
	return entries, retired, err
}

// verifyCopy verifies the running gateway's journal on a copy of it.
func (g *Gateway) verifyCopy(key string) (r journal.Report, err error) {
	dir, err := os.MkdirTemp(g.o.Config.Data.Dir, "verify-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, journal.File)
	if err := g.j.CopyTo(path); err != nil {
		return r, err
	}
	return Verify(path, key)
}
