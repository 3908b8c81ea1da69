package spec

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"andon/internal/sample"
)

// withdraws is a note on a document, changed by edits.
func (s signatory) withdraws(t testing.TB, document []byte, edits ...func(*Withdrawal)) []byte {
	t.Helper()
	d := mustParse(t, string(document))
	w := Withdrawal{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256, Reason: "wrong limits (CR-7)", Role: s.role, User: s.id, Time: day(5)}
	for _, edit := range edits {
		edit(&w)
	}
	b, err := w.Sign(mustSigner(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every bit of a withdrawal matters.
//
//andon:req Q15
func TestWithdrawalRefusesEveryChange(t *testing.T) {
	c := newCrew(t)
	document := revision("S", "A", 0, 0, "")
	b := c.quinn.withdraws(t, document)
	accept := func(b []byte) error {
		w, err := ParseWithdrawal(b)
		if err != nil {
			return err
		}
		return c.policy.AcceptWithdrawal(w, day(6))
	}
	if err := accept(b); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if accept(b) == nil {
				t.Errorf("byte %d with bit %d changed: accepted", i, bit)
			}
			b[i] ^= 1 << bit
		}
		if accept(b[:i]) == nil {
			t.Errorf("cut to %d of %d bytes: accepted", i, len(b))
		}
	}
}

func TestWithdrawalReasons(t *testing.T) {
	c := newCrew(t)
	d := mustParse(t, string(revision("S", "A", 0, 0, "")))
	for reason, fine := range map[string]bool{
		"x": true, "zu heiß: 899 °F, siehe CR-7": true, strings.Repeat("x", 400): true,
		"": false, " x": false, "x ": false, "two\nlines": false, "a\tb": false, "turned \u202e round": false, strings.Repeat("x", 401): false,
	} {
		_, err := Withdrawal{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256, Reason: reason, Role: Quality, User: "quinn", Time: 1}.Sign(mustSigner(t, c.quinn))
		if (err == nil) != fine {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

func TestWithdrawalByAKeyThatHasRunOut(t *testing.T) {
	c := newCrew(t)
	p := policyOf(t, strings.Replace(c.yaml(), "role: quality, key", "role: quality, until: "+day(60).String()+", key", 1))
	document := revision("S", "A", 0, 0, "")
	for _, test := range []struct {
		signed, then int
		fine         bool
	}{{59, 59, true}, {59, 60, false}, {60, 60, false}} {
		w, err := ParseWithdrawal(c.quinn.withdraws(t, document, func(w *Withdrawal) { w.Time = day(test.signed) }))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.AcceptWithdrawal(w, day(test.then)); (err == nil) != test.fine {
			t.Errorf("signed on day %d, taken in on day %d: %v", test.signed, test.then, err)
		}
	}
}

func TestKeyOf(t *testing.T) {
	c := newCrew(t)
	if who := c.policy.KeyOf(mustSigner(t, c.quinn)); who == nil || who.ID != "quinn" {
		t.Errorf("quinn's key is %+v's", who)
	}
	if who := c.policy.KeyOf(mustSigner(t, newSignatory(t, "quinn", Quality))); who != nil {
		t.Errorf("a key that only carries quinn's name is %+v's", who)
	}
}

func withdrawn(t testing.TB, r Register, document []byte, at int) Register {
	t.Helper()
	d := mustParse(t, string(document))
	next, err := r.Withdraw(&Withdrawal{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256}, []byte("note"), day(at))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// A withdrawn revision judges until then and never again; the one before it does
// not come back, the one behind it comes as it would.
//
//andon:req Q10
func TestWithdrawOverTime(t *testing.T) {
	a, b, c := revision("S", "A", 0, 0, ""), revision("S", "B", 20, 60, ""), revision("S", "C", 40, 0, "")
	r := install(t, install(t, install(t, Register{}, a, 1), b, 2), c, 3)
	before := r
	r = withdrawn(t, r, b, 30)
	for _, test := range []struct {
		at           int
		want, silent string
	}{{19, "S.A", ""}, {20, "S.B", ""}, {29, "S.B", ""}, {30, "", "S.B"}, {39, "", "S.B"}, {40, "S.C", ""}} {
		silent := ""
		for _, d := range r.Silent(day(test.at)) {
			silent = d.ID + "." + d.Revision
		}
		if got := inForce(r, Place{}, day(test.at)); got != test.want || silent != test.silent {
			t.Errorf("on day %d: %q in force, %q silent, want %q and %q", test.at, got, silent, test.want, test.silent)
		}
	}
	if s := r.Standing(1); s.From != day(20) || s.To != day(30) || s.State(day(30)) != Withdrawn || s.State(day(90)) != Withdrawn || s.State(day(29)) != InForce {
		t.Errorf("standing %+v", s)
	}
	if got := inForce(before, Place{}, day(35)); got != "S.B" {
		t.Errorf("the register that was there before says %q", got)
	}
	d := mustParse(t, string(b))
	if _, err := r.Withdraw(&Withdrawal{ID: "S", Revision: "B", SHA256: d.SHA256}, nil, day(31)); err == nil || !strings.Contains(err.Error(), "is withdrawn already, since "+day(30).String()) {
		t.Errorf("again: %v", err)
	}
	if _, err := r.Withdraw(&Withdrawal{ID: "S", Revision: "A", SHA256: d.SHA256}, nil, day(31)); err == nil || !strings.Contains(err.Error(), "other bytes") {
		t.Errorf("with another's digest: %v", err)
	}
	if _, _, err := r.Install(Installed{Document: b, At: day(50)}); !errors.Is(err, ErrInstalled) {
		t.Errorf("installed once more: %v", err)
	}
}

func TestWithdrawBeforeItBegins(t *testing.T) {
	a, b := revision("S", "A", 0, 0, ""), revision("S", "B", 20, 0, "")
	r := withdrawn(t, install(t, install(t, Register{}, a, 1), b, 2), b, 10)
	for _, at := range []int{9, 10, 20, 90} {
		if got := inForce(r, Place{}, day(at)); got != "S.A" || len(r.Silent(day(at))) != 0 {
			t.Errorf("on day %d: %q", at, got)
		}
	}
	if next := r.Next(day(2)); next != 0 {
		t.Errorf("something changes at %s", next)
	}
	if got := []string{r.Standing(0).State(day(30)), r.Standing(1).State(day(30))}; !slices.Equal(got, []string{InForce, Withdrawn}) {
		t.Errorf("they stand as %v", got)
	}
}

// Whatever is installed and withdrawn when: Standing, Current and Silent agree,
// and saving and loading changes nothing.
//
//andon:req Q10
func TestWithdrawnStandings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Register
		at := 0
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			at += rapid.IntRange(0, 10).Draw(t, "days")
			if all := r.All(); len(all) > 0 && rapid.Bool().Draw(t, "withdraw") {
				d := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")].Doc()
				if next, err := r.Withdraw(&Withdrawal{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256}, nil, day(at)); err == nil {
					r = next
				}
				continue
			}
			from := rapid.IntRange(0, 60).Draw(t, "from")
			to := rapid.SampledFrom([]int{0, from + 1, from + 20}).Draw(t, "to")
			document := revision(rapid.SampledFrom([]string{"S", "T"}).Draw(t, "id"), string(rune('A'+len(r.All()))), from, to, "")
			if next, _, err := r.Install(Installed{Document: document, At: day(at)}); err == nil {
				r = next
			}
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var loaded Register
		if err := json.Unmarshal(b, &loaded); err != nil {
			t.Fatal(err)
		}
		probe := day(rapid.IntRange(-1, 100).Draw(t, "probe"))
		agree(t, loaded, probe)
	})
}

func agree(t *rapid.T, r Register, at sample.Time) {
	current, silent := r.Current(at), r.Silent(at)
	for i, in := range r.All() {
		s := r.Standing(i)
		if got := slices.Contains(current, in.Doc()); got != s.Holds(at) {
			t.Fatalf("%s.%s at %s: in force %v, standing %s from %s to %s", in.Doc().ID, in.Doc().Revision, at, got, s.State(at), s.From, s.To)
		}
		if slices.Contains(silent, in.Doc()) && (s.State(at) != Withdrawn || in.WithdrawnAt > at) {
			t.Fatalf("%s.%s at %s: silent, standing %s", in.Doc().ID, in.Doc().Revision, at, s.State(at))
		}
	}
}

// FuzzParseWithdrawal: foreign bytes never panic; what is accepted has its one
// form.
func FuzzParseWithdrawal(f *testing.F) {
	c := newCrew(f)
	f.Add(c.quinn.withdraws(f, revision("S", "A", 0, 0, "")))
	f.Add([]byte(c.approved(f, good)))
	f.Add([]byte("andon.withdrawal/1\n\n— a b\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := ParseWithdrawal(b)
		if err != nil {
			return
		}
		if !strings.HasPrefix(string(w.signed), w.Text()+"\n") || string(w.signed)+"\n" != string(b) {
			t.Errorf("%q is read as %q", b, w.signed)
		}
	})
}
