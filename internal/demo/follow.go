package demo

import (
	"context"
	"fmt"
	"time"

	"andon/internal/journal"
	"andon/internal/outbox"
	"andon/internal/record"
)

// follower reads the record while it grows and says what happens.
type follower struct {
	*stage
	account *account
	next    uint64            // commit to read next
	titles  map[uint64]string // quality entries that wait for their receipt
	silent  bool
	sent    uint64 // samples of the plant's time; what comes after it is not counted
}

// follow talks until ctx ends, or the gateway does, which is an error.
func (f *follower) follow(ctx context.Context, gatewayDone chan error) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := f.read(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-gatewayDone:
			gatewayDone <- nil
			return fmt.Errorf("the gateway ended: %w", err)
		case <-tick.C:
		}
	}
}

// drain waits until everything has been receipted, but not for ever.
func (f *follower) drain() error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	end := time.After(drainAtMost)
	if c := f.gateway.Committed(); c != nil {
		f.sent = c.Outbox.Record.Raised
	}
	for f.waiting() {
		select {
		case <-end:
			return f.read()
		case <-tick.C:
		}
		if err := f.read(); err != nil {
			return err
		}
	}
	return nil
}

// waiting: quality entries are without a receipt, or samples of the plant's time
// have not arrived.
func (f *follower) waiting() bool {
	c := f.gateway.Committed()
	return c != nil && (c.Outbox.Count(outbox.Quality).Pending > 0 || f.receiver.Summary().Lane(outbox.Record).Received < f.sent)
}

// read takes the commits that have come since.
func (f *follower) read() error {
	return f.gateway.Journal().Commits(f.next, func(h journal.Header, records []byte) error {
		f.next = h.Seq + 1
		before := len(f.account.retired[outbox.Quality])
		if err := f.account.take(h, records, f.tell); err != nil {
			return err
		}
		for _, r := range f.account.retired[outbox.Quality][before:] {
			f.receipted(r)
		}
		return nil
	})
}

// tell says an entry in a line.
func (f *follower) tell(e record.Entry, doc *document) {
	d := &doc.Data
	line := ""
	switch e.Topic {
	case "quality/deviation", "quality/nonconformance", "quality/gap":
		what := d.Title
		if d.Kind == "gap" {
			what = fmt.Sprintf("%s: no sight of %v (%s)", doc.equipmentID(), d.Tags, d.Cause)
		}
		line = fmt.Sprintf("%-16s %-14s %s", d.State, d.Kind, what)
		if f.titles == nil {
			f.titles = map[uint64]string{}
		}
		f.titles[e.Seq] = fmt.Sprintf("%-14s %s", d.Kind, what)
	case "event/alarm":
		line = fmt.Sprintf("%-16s %-14s %s: %s %s", d.State, "alarm", doc.equipmentID(), d.Parameter, d.Rule)
	default:
		return
	}
	f.say(line)
}

// receipted says which quality entries the receiver holds now.
func (f *follower) receipted(r [2]uint64) {
	for seq := r[0]; seq <= r[1]; seq++ {
		if title, ok := f.titles[seq]; ok {
			f.say(fmt.Sprintf("%-16s %s", "receipted", title))
			delete(f.titles, seq)
		}
	}
}

func (f *follower) say(line string) {
	if f.o.Talk == nil || f.silent {
		return
	}
	if _, err := fmt.Fprintf(f.o.Talk, "%s  %s\n", f.o.Now().Format("15:04:05.000"), line); err != nil {
		f.silent = true // whoever listened has gone; the demonstration goes on
	}
}
