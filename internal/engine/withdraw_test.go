package engine

import (
	"bytes"
	"strings"
	"testing"

	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// withdrawal is quality's note on an installed revision. The list of approvers
// that knows its signer is put in force unseen: keys differ from run to run.
func (p *player) withdrawal(id, revision, reason string) *record.Withdrawal {
	p.t.Helper()
	if p.s.Policy == nil {
		p.quinn = newSigner(p.t, "quinn", spec.Quality)
		p.s.Policy = &record.Policy{Document: approvers(1, p.quinn, newSigner(p.t, "ann", "engineering"), newSigner(p.t, "eve", "engineering"))}
	}
	return &record.Withdrawal{Note: p.withdraws(p.quinn, id, revision, reason), By: "test"}
}

// withdraws is a person's note on a revision, changed by edits.
func (p *player) withdraws(s signer, id, revision, reason string, edits ...func(*spec.Withdrawal)) []byte {
	p.t.Helper()
	w := spec.Withdrawal{ID: id, Revision: revision, SHA256: strings.Repeat("0", 64), Reason: reason, Role: s.role, User: s.id, Time: epoch0}
	if d := p.s.Register.Find(id, revision); d != nil {
		w.SHA256 = d.SHA256
	}
	for _, edit := range edits {
		edit(&w)
	}
	b, err := w.Sign(s.key(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// Each that is refused is on record with its reason and an alarm, and what was in
// force stays.
//
//andon:req Q15
func TestWithdrawalRefused(t *testing.T) {
	p, _, quinn, eve, _ := policyPlayer(t)
	stranger, thief := newSigner(t, "mallory", spec.Quality), newSigner(t, "quinn", spec.Quality)
	id := p.s.Register.All()[0].Doc().ID
	good := p.withdraws(quinn, id, "A", "wrong limits")
	for _, test := range []struct {
		name string
		note []byte
		want string
	}{
		{"nothing", nil, "0 notes: a withdrawal is one note"},
		{"text", []byte("hello"), "note 1: no empty line"},
		{"two", append(bytes.Clone(good), good...), "2 notes: a withdrawal is one note"},
		{"an approval", approved(t, p.s.Register.All()[0].Document, quinn), `first line "andon.approval/1": want "andon.withdrawal/1"`},
		{"not of quality", p.withdraws(eve, id, "A", "x"), "eve has the role engineering: only quality withdraws"},
		{"in a role he has not", p.withdraws(eve, id, "A", "x", func(w *spec.Withdrawal) { w.Role = spec.Quality }), "eve has the role engineering"},
		{"a stranger", p.withdraws(stranger, id, "A", "x"), "mallory is not in the list of approvers, revision 1"},
		{"another key", p.withdraws(thief, id, "A", "x"), "which is not the key of quinn"},
		{"not installed", p.withdraws(quinn, id, "Z", "x"), id + " revision Z is not installed here"},
		{"other bytes", p.withdraws(quinn, id, "A", "x", func(w *spec.Withdrawal) { w.SHA256 = strings.Repeat("a", 64) }), "it is of other bytes than those installed"},
	} {
		got := p.audits(epoch0+1e9, &record.Withdrawal{Note: test.note, By: "file"})
		if len(got) != 1 || got[0].Action != "refuse" || !strings.Contains(got[0].Reason, test.want) {
			t.Errorf("%s: audit %+v", test.name, got)
		}
		if len(p.s.Register.Current(p.s.At)) != 1 {
			t.Fatalf("%s: it is withdrawn", test.name)
		}
	}
	if al := p.s.alarm("", noticeParameter, "withdrawal_refused"); al == nil || al.Count == 0 {
		t.Errorf("alarm %+v", al)
	}
	for i := range good {
		changed := bytes.Clone(good)
		changed[i] ^= 1
		p.decide(epoch0+1e9, &record.Withdrawal{Note: changed, By: "file"})
		if len(p.s.Register.Current(p.s.At)) != 1 {
			t.Fatalf("byte %d changed: it is withdrawn", i)
		}
	}
	if got := p.audits(epoch0+1e9, &record.Withdrawal{Note: good, By: "file"}); len(got) != 1 || got[0].Action != "withdraw" || got[0].Who != "quinn" || got[0].Name != "quinn Printed" || got[0].Reason != "wrong limits" {
		t.Errorf("audit %+v", got)
	}
	if got := p.audits(epoch0+2e9, &record.Withdrawal{Note: good, By: "file"}); len(got) != 0 {
		t.Errorf("once more, as at each start: %+v", got)
	}
}

// What was withdrawn stays so: after a restart, when its document is offered
// again, and when the clock steps back to a time before.
//
//andon:req Q10
func TestWithdrawnNeverComesBack(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	doc := p.s.Register.All()[0]
	p.play("0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.decide(epoch0+100e9, p.withdrawal(doc.Doc().ID, "A", "wrong limits"))
	check := func(when string) {
		t.Helper()
		for _, ru := range p.s.Equipment[0].Running {
			if ru.Withdrawn == 0 {
				t.Errorf("%s: %s revision %s judges", when, ru.Spec.ID, ru.Spec.Revision)
			}
		}
		if len(p.s.Equipment[0].Running) != 1 {
			t.Errorf("%s: %d revisions stand on the equipment, want the withdrawn one", when, len(p.s.Equipment[0].Running))
		}
	}
	check("at once")
	p.play("save")
	p.decide(epoch0+101e9, &p.start)
	check("after a restart")
	p.decide(epoch0+102e9, &record.Specification{Document: doc.Document, By: "file", Unsigned: true})
	check("offered again")
	for _, at := range []sample.Time{50, 0} {
		p.decide(epoch0+at*1e9, &record.Clock{Source: "ntp", Step: -1e9})
		p.decide(epoch0+at*1e9, &record.Tick{})
		p.decide(epoch0+at*1e9, &p.start)
		check("when the clock has stepped back")
	}
	if got := p.s.Register.Standing(0).State(epoch0 + 100e9); got != spec.Withdrawn {
		t.Errorf("the register says %s", got)
	}
}

// A clock that has stepped back before the withdrawal does not keep it from
// counting at once.
func TestWithdrawnAfterTheClockSteppedBack(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	p.decide(epoch0+100e9, &p.start)
	p.decide(epoch0+10e9, p.withdrawal(p.s.Register.All()[0].Doc().ID, "A", "wrong limits"))
	if ru := p.s.Equipment[0].Running; len(ru) != 1 || ru[0].Withdrawn == 0 {
		t.Errorf("running %+v", ru)
	}
}

// The alarm of missing data says each time why nothing is known.
func TestAlarmSaysThatItWasWithdrawn(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	doc := p.s.Register.All()[0].Doc()
	param := doc.Parameters[0].ID
	text := func() string {
		t.Helper()
		al := p.s.alarm("furn-03", param, "missing_data")
		if al == nil {
			t.Fatal("no alarm")
		}
		return al.Text
	}
	p.play("0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.decide(epoch0+1e9, p.withdrawal(doc.ID, "A", "wrong limits"))
	p.play("30 confirm")
	if got := text(); got != "Not judged: "+doc.ID+" revision A was withdrawn" {
		t.Errorf("withdrawn: %q", got)
	}
	next := strings.Replace(propertySpec, "revision: A", "revision: B", 1)
	p.decide(epoch0+31e9, &record.Specification{Document: []byte(next), By: "test", Unsigned: true})
	p.play("32 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.play("90 tick")
	if got := text(); got != "Not monitored: no good value" {
		t.Errorf("silent: %q", got)
	}
}
