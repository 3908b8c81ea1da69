package people

import (
	"crypto/rand"
	"sync"
	"time"
)

const (
	nonceLife = 2 * time.Minute
	maxNonces = 4096 // outstanding; about half a megabyte
)

// nonces are the numbers given out and not yet used. They are in memory only: a
// restart voids them all.
type nonces struct {
	mu    sync.Mutex
	given map[string]time.Time // under mu
	order []string             // under mu; as given out, oldest first; may name used ones
}

// new gives one out. When too many are outstanding the oldest is void: to ask
// for nonces must not keep others from signing for long.
func (n *nonces) new(now time.Time) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.given == nil {
		n.given = map[string]time.Time{}
	}
	n.sweep(now)
	nonce := rand.Text()
	n.given[nonce] = now
	n.order = append(n.order, nonce)
	return nonce
}

// sweep drops from the front what has been used, is too old, or is too much.
func (n *nonces) sweep(now time.Time) {
	for len(n.order) > 0 {
		given, ok := n.given[n.order[0]]
		if ok && alive(given, now) && len(n.order) < maxNonces {
			return
		}
		delete(n.given, n.order[0])
		n.order = n.order[1:]
	}
}

// take uses one up; it says whether it was one of ours, unused and in time.
func (n *nonces) take(nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	given, ok := n.given[nonce]
	delete(n.given, nonce)
	return ok && alive(given, now)
}

// alive: a nonce from an instant still to come is not (the clock was set back).
func alive(given, now time.Time) bool {
	age := now.Sub(given)
	return age >= 0 && age < nonceLife
}
