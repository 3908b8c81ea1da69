package people

import (
	"fmt"
	"slices"
	"time"
)

// try is one try to sign, after its PIN has been compared; without that PIN.
type try struct {
	user     string
	act      Act
	terminal string
	at       time.Time
	right    bool   // the PIN fits
	compared string // the hash that it was compared with
	refusal  string // ids of the entries that may come of it
	lock     string
}

// judge says who has signed or why nobody has, and changes the state to what
// follows. It is pure; applied to a state that has seen the same try already it
// changes nothing.
func (t try) judge(st *state) (Person, error) {
	a := st.find(t.user)
	switch {
	case slices.ContainsFunc(st.Unrecorded, func(c Change) bool { return c.ID == t.refusal }):
		return Person{}, ErrPIN // seen already: only the state counts
	case st.full():
		return Person{}, ErrUnrecorded
	case a == nil:
		st.owe(t.refused(nil, "unknown id"))
		return Person{}, ErrPIN
	}
	a.tries = a.at(t.at)
	switch {
	case a.locked():
		st.owe(t.refused(a, "the id is locked until "+a.until().Format(time.RFC3339)))
		return Person{}, &LockedError{a.until()}
	case !t.right || a.PIN != t.compared:
		return Person{}, t.wrong(st, a)
	}
	a.tries = tries{}
	switch {
	case a.Disabled:
		st.owe(t.known(a, "the user is disabled"))
		return Person{}, ErrDisabled
	case !a.Role.May(t.act):
		st.owe(t.known(a, fmt.Sprintf("%s has no right to %s", a.Role, t.act)))
		return Person{}, ErrRight
	}
	return a.person(t.at), nil
}

// wrong counts a wrong PIN.
func (t try) wrong(st *state, a *account) error {
	a.tries = a.wrong(t.at)
	if !a.locked() {
		st.owe(t.refused(a, fmt.Sprintf("wrong PIN, %d in a row", a.Wrong)))
		return ErrPIN
	}
	st.owe(t.refused(a, fmt.Sprintf("wrong PIN, %d in a row", MaxWrong)), Change{
		ID: t.lock, At: instant(t.at), Kind: UserLocked, User: a.ID, By: "andon",
		Old: "not locked", New: "locked until " + a.until().Format(time.RFC3339),
		Reason: fmt.Sprintf("%d wrong PINs in a row", MaxWrong), Terminal: t.terminal,
	})
	return &LockedError{a.until()}
}

// known is the entry about somebody whose id and PIN were right.
func (t try) known(a *account, why string) Change {
	c := t.refused(a, why)
	c.Role = a.Role
	return c
}

// refused is the entry about a signature that was refused.
func (t try) refused(a *account, why string) Change {
	c := Change{
		ID: t.refusal, At: instant(t.at), Kind: SignRefused, By: claimed(t.user),
		New: "refused: " + string(t.act), Reason: why, Terminal: t.terminal,
	}
	if a != nil {
		c.User, c.By = a.ID, a.ID
	}
	return c
}

// claimed is an id that nobody has, as the audit trail may show it. People type
// their PIN into the wrong field: what could be one is not written down.
func claimed(id string) string {
	if CheckID(id) != nil || CheckPIN(id, "") == nil {
		return "unknown"
	}
	return id
}
