package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Format names the layout of the file. A reader that does not know it must
// leave the file alone.
const Format = "andon.journal/1"

// Identity is what a journal is: written when the file is created and never
// again. The first commit's header holds its hash, so it is covered by the tree.
type Identity struct {
	Gateway string // id of the gateway, [A-Za-z0-9_-]
	Epoch   string // the life of this file: 16 random characters a-z2-7
	Created int64  // instant, ns
	Key     string // the gateway's public key at that time, in the note format
}

// text is the identity's canonical form.
func (id Identity) text() string {
	return fmt.Sprintf("%s\ngateway %s\nepoch %s\ncreated %s\nkey %s\n", Format, id.Gateway, id.Epoch, instant(id.Created), id.Key)
}

// genesis is what the first commit names as the leaf before it.
func (id Identity) genesis() tlog.Hash { return sha256.Sum256([]byte(id.text())) }

// parseIdentity reads the canonical form and refuses every other.
func parseIdentity(b []byte) (Identity, error) {
	lines := strings.Split(string(b), "\n")
	if lines[0] != Format {
		return Identity{}, fmt.Errorf("%w: format %.40q, this program reads %q", ErrForeign, lines[0], Format)
	}
	if len(lines) != 6 {
		return Identity{}, fmt.Errorf("identity: %d lines, want 6", len(lines))
	}
	var id Identity
	var created string
	for i, field := range []struct {
		name string
		to   *string
	}{{"gateway ", &id.Gateway}, {"epoch ", &id.Epoch}, {"created ", &created}, {"key ", &id.Key}} {
		*field.to = strings.TrimPrefix(lines[i+1], field.name)
	}
	at, err := parseInstant(created)
	if err != nil {
		return Identity{}, fmt.Errorf("identity: %w", err)
	}
	id.Created = at
	if id.text() != string(b) {
		return Identity{}, fmt.Errorf("identity: not in its canonical form")
	}
	return id, id.check()
}

func (id Identity) check() error {
	if err := checkGateway(id.Gateway); err != nil {
		return err
	}
	if raw, err := epochText.DecodeString(id.Epoch); err != nil || epochText.EncodeToString(raw) != id.Epoch || len(raw) != epochSize {
		return fmt.Errorf("identity: epoch %.40q is not 16 characters a-z2-7", id.Epoch)
	}
	v, err := note.NewVerifier(id.Key)
	if err != nil {
		return fmt.Errorf("identity: key: %w", err)
	}
	if v.Name() != id.Gateway {
		return fmt.Errorf("identity: key is of %.40q, not of gateway %q", v.Name(), id.Gateway)
	}
	return nil
}

// checkGateway keeps to what is also a topic level, a client id and a key name.
func checkGateway(id string) error {
	ok := func(r rune) bool {
		return r == '_' || r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return !ok(r) }) {
		return fmt.Errorf("gateway id %.40q: want letters, digits, _ and -", id)
	}
	return nil
}

// newEpoch gives a name that no other journal has: 80 random bits.
func newEpoch() string {
	var b [epochSize]byte
	_, _ = rand.Read(b[:]) // never returns an error: it ends the program instead
	return epochText.EncodeToString(b[:])
}

// instantLayout always has nine digits, so that one instant has one text.
const instantLayout = "2006-01-02T15:04:05.000000000Z"

func instant(ns int64) string { return time.Unix(0, ns).UTC().Format(instantLayout) }

func parseInstant(s string) (int64, error) {
	t, err := time.Parse(instantLayout, s)
	if err != nil {
		return 0, fmt.Errorf("instant %.40q: want the form %s", s, instantLayout)
	}
	if instant(t.UnixNano()) != s {
		return 0, fmt.Errorf("instant %.40q is outside the years 1678 to 2261", s)
	}
	return t.UnixNano(), nil
}
