package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"andon/internal/people"
)

// operator is who may sign on the demonstration's panel. The PIN is made anew for
// each run: there is no account that somebody could know beforehand.
type operator struct{ id, pin string }

// addOperator makes the operator known to the gateway of a site. A site that is
// used again has one already; there only the PIN changes.
func (o *Options) addOperator(ctx context.Context) (operator, error) {
	if o.Panel == "" {
		return operator{}, nil
	}
	data := filepath.Join(o.Dir, "data")
	if err := os.MkdirAll(data, 0o750); err != nil {
		return operator{}, fmt.Errorf("operator: %w", err)
	}
	store, err := people.Open(data)
	if err != nil {
		return operator{}, err
	}
	op := operator{id: "operator"}
	if op.pin, err = newPIN(op.id); err != nil {
		return operator{}, err
	}
	by := people.By{Who: "demo", Reason: "demonstration", At: o.Now()}
	if _, known, err := store.Find(op.id, o.Now()); err != nil || known {
		if err == nil {
			err = store.SetPIN(ctx, op.id, op.pin, by)
		}
		return op, err
	}
	return op, store.Add(ctx, people.New{ID: op.id, Name: "O. Operator", Role: people.Operator, PIN: op.pin}, by)
}

// panelSettings are the settings of a panel at an address, if there is to be one.
func panelSettings(address string) string {
	if address == "" {
		return ""
	}
	return fmt.Sprintf("panel: {listen: %q}\n", address)
}

// welcome says where the page is and how to sign there.
func (f *follower) welcome() {
	if url := f.gateway.PanelURL(); url != "" {
		f.say(fmt.Sprintf("%-16s %s", "panel", url))
		f.say(fmt.Sprintf("%-16s id %s, PIN %s", "sign there as", f.operator.id, f.operator.pin))
	}
}

// newPIN is six digits by chance that the policy allows.
func newPIN(id string) (string, error) {
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "", fmt.Errorf("make a PIN: %w", err)
		}
		if pin := fmt.Sprintf("%06d", n); people.CheckPIN(pin, id) == nil {
			return pin, nil
		}
	}
}
