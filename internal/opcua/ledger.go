package opcua

import "sync"

// ledger knows which notifications may be acknowledged: those whose batch, and
// every batch before it, is durable. It is the one thing that Run shares with
// the goroutine that calls Committed.
type ledger struct {
	mu        sync.Mutex
	committed uint64  // highest token told
	waiting   []entry // in order of their tokens
}

// entry is one notification that was handed over and not acknowledged yet.
type entry struct {
	token uint64
	seq   uint32
}

// add notes that the batch token came from notification seq.
func (l *ledger) add(token uint64, seq uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, entry{token, seq})
}

// commit notes that the batches up to token are durable.
func (l *ledger) commit(token uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committed = max(l.committed, token)
}

// take returns the sequence numbers that may be acknowledged now and forgets
// them; at most most.
func (l *ledger) take(most int) []uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var seqs []uint32
	for len(l.waiting) > 0 && l.waiting[0].token <= l.committed && len(seqs) < most {
		seqs = append(seqs, l.waiting[0].seq)
		l.waiting = l.waiting[1:]
	}
	return seqs
}

// reset forgets all that waits: the subscription it came from is gone.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = nil
}
