package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Mode is whose word retires an entry.
type Mode string

// The modes, strongest first. The zero Mode is Signed.
const (
	Signed   Mode = "signed"   // a consumer's note, signed with its key
	Unsigned Mode = "unsigned" // a consumer's bare JSON: whoever may write to the topic
	ByBroker Mode = "broker"   // a broker's PUBACK: no consumer has said anything
)

// maxReceipt is how long a receipt may be.
const maxReceipt = 64 << 10

// stored is the only stage that counts: the consumer has it on its disk.
const stored = "stored"

// claim is the JSON of a receipt, as its consumer wrote it.
type claim struct {
	Gateway  string        `json:"gateway"`
	Epoch    string        `json:"epoch"`
	Lane     string        `json:"lane"`
	Consumer string        `json:"consumer"`
	Stage    string        `json:"stage"`
	UpTo     uint64        `json:"up_to"`
	Ranges   [][2]uint64   `json:"ranges"`
	Hash     string        `json:"hash"`
	Rejected []claimReject `json:"rejected"`
}

type claimReject struct {
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// parseClaim reads the JSON of a receipt. Fields that it does not know are
// left alone: consumers may add theirs.
func parseClaim(text []byte) (claim, error) {
	var c claim
	if len(text) > maxReceipt {
		return c, fmt.Errorf("a receipt of %d bytes: at most %d", len(text), maxReceipt)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return claim{}, fmt.Errorf("not a receipt: %w", err)
	}
	switch {
	case c.Gateway == "" || c.Epoch == "" || c.Consumer == "":
		return c, errors.New("not a receipt: gateway, epoch or consumer is missing")
	case c.Lane != laneQuality && c.Lane != laneEvent && c.Lane != laneRecord:
		return c, fmt.Errorf("there is no lane %q", c.Lane)
	case c.Stage != stored:
		return c, fmt.Errorf("stage %q is not %q: only what is stored counts", c.Stage, stored)
	}
	return c, nil
}

// receipt is the claim as it is handed in.
func (c claim) receipt() Receipt {
	r := Receipt{Consumer: c.Consumer, Epoch: c.Epoch, Lane: c.Lane, UpTo: c.UpTo, Ranges: c.Ranges}
	for _, j := range c.Rejected {
		r.Rejected = append(r.Rejected, Rejection{Seq: j.Seq, Code: shorten(j.Code, 64), Reason: shorten(j.Reason, 500)})
	}
	return r
}

// shorten makes a consumer's words fit to be kept: valid text of at most n bytes.
func shorten(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// verifier tells a consumer's word from anybody else's.
type verifier struct {
	gateway, epoch string
	mode           Mode
	keys           map[string]note.Verifier // by consumer; empty unless Signed
	outbox         Outbox
}

func newVerifier(o Options) (*verifier, error) {
	v := &verifier{gateway: o.Gateway, epoch: o.Epoch, mode: o.Mode, keys: map[string]note.Verifier{}, outbox: o.Outbox}
	if o.Mode != Signed {
		return v, nil
	}
	var errs []error
	for name, text := range o.Consumers {
		key, err := note.NewVerifier(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("key of consumer %s: %w: want the line that `andon key new` printed", name, err))
			continue
		}
		v.keys[name] = key
	}
	if len(o.Consumers) == 0 {
		errs = append(errs, errors.New("receipts: signed needs at least one consumer with its key"))
	}
	return v, errors.Join(errs...)
}

// read reads what came on the receipt topic and checks whose word it is. Why it
// is not believed is in it as Refused. hash is what it says of entry UpTo.
func (v *verifier) read(payload []byte) (r Receipt, hash string) {
	text, signers, err := v.open(payload)
	if err != nil {
		return Receipt{Refused: err.Error()}, ""
	}
	c, err := parseClaim(text)
	r = c.receipt()
	if err == nil {
		err = v.signedBy(c.Consumer, signers)
	}
	if err == nil && c.Gateway != v.gateway {
		err = fmt.Errorf("it is for gateway %q, not for %q", shorten(c.Gateway, 64), v.gateway)
	}
	if err != nil {
		r.Refused = err.Error()
		return r, ""
	}
	r.Signed = v.mode == Signed
	return r, strings.ToLower(c.Hash)
}

// open returns the text of a receipt and who has verifiably signed it.
func (v *verifier) open(payload []byte) (text []byte, signers []note.Signature, err error) {
	if len(payload) > maxReceipt {
		return nil, nil, fmt.Errorf("a receipt of %d bytes: at most %d", len(payload), maxReceipt)
	}
	if v.mode != Signed {
		return payload, nil, nil
	}
	var known []note.Verifier
	for _, k := range v.keys {
		known = append(known, k)
	}
	n, err := note.Open(payload, note.VerifierList(known...))
	if err != nil {
		return nil, nil, fmt.Errorf("not signed by a consumer: %w", err)
	}
	return []byte(n.Text), n.Sigs, nil
}

// signedBy checks that the consumer whose word it claims to be has signed it.
func (v *verifier) signedBy(consumer string, signers []note.Signature) error {
	if v.mode != Signed {
		return nil
	}
	key := v.keys[consumer]
	if key == nil {
		return fmt.Errorf("%q is not one of the consumers", shorten(consumer, 64))
	}
	for _, s := range signers {
		if s.Name == key.Name() && s.Hash == key.KeyHash() {
			return nil
		}
	}
	return fmt.Errorf("it is in the name of %s, but signed by another", consumer)
}

// hashRefusal compares the hash of the last entry that the consumer holds with
// ours: it shows that it holds what we sent. The error is of our own record.
func (v *verifier) hashRefusal(r Receipt, hash string) (string, error) {
	if r.UpTo == 0 || r.Epoch != v.epoch {
		return "", nil
	}
	e, ok, err := v.outbox.Entry(r.Lane, r.UpTo)
	if err == nil && len(e.SHA256) == 0 && !ok {
		ok, err = v.done(r.Lane, r.UpTo)
	}
	if err != nil {
		return "", fmt.Errorf("read entry %d of lane %s: %w", r.UpTo, r.Lane, err)
	}
	switch {
	case !ok:
		return fmt.Sprintf("number %d of lane %s was never given, or its entry is missing here", r.UpTo, r.Lane), nil
	case len(e.SHA256) > 0 && !slices.Contains(e.SHA256, hash):
		return fmt.Sprintf("entry %d of lane %s is not what we sent: its hash is %q there and %q here",
			r.UpTo, r.Lane, shorten(hash, 64), strings.Join(e.SHA256, " or ")), nil
	}
	return "", nil
}

// done says whether a number and all before it are receipted by all consumers:
// each has then shown the hash of such an entry before, and our bytes of it may
// be kept no longer.
func (v *verifier) done(lane string, seq uint64) (bool, error) {
	l, err := v.outbox.Level(lane)
	return seq <= l.Raised && (l.Outstanding == 0 || seq < l.Oldest), err
}
