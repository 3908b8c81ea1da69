package systemtest

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"andon/internal/uplink/mqtttest"
)

// settled is a site whose gateway has recorded one excursion, sent it, had it
// receipted and was stopped. The value that stands out is 905.123456.
func settled(t *testing.T) (*site, plc) {
	t.Helper()
	p := newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), nodes: p.nodes(), broker: mqtttest.New(t, nil).URL()})
	receiver, gateway := s.receive(), s.run()
	gateway.says("source connected")
	s.excursion(p, 1, 905.123456)
	gateway.stop()
	receiver.stop()
	s.whole()
	return s, p
}

// excursion lets tc1 go out to a value and back, and waits until the nth
// deviation is told.
func (s *site) excursion(p plc, n int, value float64) {
	s.t.Helper()
	poll(s.t, "a value at the quality system", func() bool { return len(s.received("record")) > 0 })
	p.set("tc1", value)
	poll(s.t, "the deviation", func() bool { return len(events(s.t, s.received("quality"), "deviation")) == n })
	p.set("tc1", 885)
	poll(s.t, "the deviation's evidence", func() bool {
		list := events(s.t, s.received("quality"), "deviation")
		return list[n-1].told()
	})
}

// TestChangedJournal: a byte changed in what was recorded is named; whatever
// changes what export gives is.
//
//andon:req Q5
func TestChangedJournal(t *testing.T) {
	t.Parallel()
	s, _ := settled(t)
	file := filepath.Join(s.data(), "journal.db")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	record := strings.Join(s.export(), "\n")
	named := 0
	for _, at := range places(t, b) {
		flip(t, file, at)
		r := s.verify()
		if !r.OK && r.FirstBad != nil && *r.FirstBad >= 1 && *r.FirstBad <= uint64(r.Size) {
			named++
		}
		if r.OK {
			p := andon(t, "journal", "export", "--data", s.data())
			<-p.ended
			if got := strings.TrimSuffix(p.stdout.String(), "\n"); got != record {
				t.Errorf("byte %d: export gives something else (%v) and verify says ok", at, p.err)
			}
		}
		flip(t, file, at)
	}
	s.whole() // all is as it was
	if named == 0 {
		t.Error("no changed commit was named")
	}
	t.Logf("%d changes named by their commit", named)
}

// places are bytes of the journal: in every copy of the value that stands out,
// in an event's text, and at random.
func places(t *testing.T, b []byte) []int64 {
	t.Helper()
	var list []int64
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		pattern := make([]byte, 8)
		order.PutUint64(pattern, math.Float64bits(905.123456))
		list = append(list, all(b, pattern)...)
	}
	if len(list) == 0 {
		t.Fatal("the value is not found in the journal's file")
	}
	texts := all(b, []byte("returned_to_spec"))
	if len(texts) == 0 {
		t.Fatal("the event is not found in the journal's file")
	}
	list = append(list, texts...)
	used := len(bytes.TrimRight(b, "\x00"))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d bytes used", seed, used)
	dice := rand.New(rand.NewPCG(seed, 0))
	n := 20
	if testing.Short() {
		n = 5
	}
	for range n {
		list = append(list, dice.Int64N(int64(used)))
	}
	return list
}

// all are the places of a pattern.
func all(b, pattern []byte) (list []int64) {
	for from := 0; ; {
		i := bytes.Index(b[from:], pattern)
		if i < 0 {
			return list
		}
		list = append(list, int64(from+i))
		from += i + 1
	}
}

// flip changes the lowest bit of one byte of a file.
func flip(t *testing.T, file string, at int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestChangedSpecification: an installed specification that was changed is
// refused at the next start, that is on record, and the revision as it was
// approved goes on judging.
//
//andon:req Q7 Q13
func TestChangedSpecification(t *testing.T) {
	t.Parallel()
	s, p := settled(t)
	approved := events(t, s.received("quality"), "deviation")[0].Data.Spec
	for i, c := range []struct{ name, file, old, changed, why string }{
		{"a limit", "TEMP.A.spec.yaml", "usl: 895", "usl: 995", "it signs other bytes"},
		{"an approval", "TEMP.A.approvals", "quality", "quantity", "the signature is not that of"},
	} {
		file := s.path("specs", c.file)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s.write("specs/"+c.file, strings.Replace(string(good), c.old, c.changed, 1))
		receiver, gateway := s.receive(), s.run()
		gateway.says("source connected", "refused: what was in force stays", "rev=A file="+s.path("specs", "TEMP.A.spec.yaml"), c.why)
		poll(t, "the refusal at the quality system", func() bool { return s.refusals(c.why) == 1 })
		s.excursion(p, i+2, 901)
		list := events(t, s.received("quality"), "deviation")
		if got := list[i+1].Data.Spec; got != approved {
			t.Errorf("%s changed: judged by %+v, want %+v", c.name, got, approved)
		}
		gateway.stop()
		receiver.stop()
		s.whole()
		s.write("specs/"+c.file, string(good))
	}
	gateway := s.run()
	gateway.says("source connected")
	gateway.stop()
	if said := gateway.stderr.String(); strings.Contains(said, "refused") {
		t.Errorf("put right again it is refused still:\n%s", said)
	}
}

// TestChangedBeforeInstalled: a specification that was changed before it came
// here for the first time judges nothing.
//
//andon:req Q7
func TestChangedBeforeInstalled(t *testing.T) {
	t.Parallel()
	p := newOwnPLC(t, "")
	s := newSite(t, siteOptions{endpoint: p.endpoint(), nodes: p.nodes(), broker: mqtttest.New(t, nil).URL()})
	s.write("specs/TEMP.A.spec.yaml", strings.Replace(specification, "lsl: 875", "lsl: 870", 1))
	receiver, gateway := s.receive(), s.run()
	gateway.says("source connected", "refused: what was in force stays", "it signs other bytes", "nothing is judged")
	poll(t, "the refusal at the quality system", func() bool { return s.refusals("it signs other bytes") == 1 })
	p.set("tc1", 905)
	poll(t, "the value at the quality system", func() bool {
		got := rows(t, s.received("record"), "tc1")
		return len(got) > 0 && got[len(got)-1].V == 905.0
	})
	gateway.stop()
	receiver.stop()
	if n := len(events(t, s.export(), "deviation")); n != 0 {
		t.Errorf("%d deviations by a specification that nobody approved", n)
	}
	s.whole()
}

// refusals counts the refused specifications for a reason, at the quality
// system.
func (s *site) refusals(why string) (n int) {
	for _, m := range messages(s.t, s.received("quality")) {
		if m.Type == "andon.spec.v1" && m.Data.State == "refused" && strings.Contains(m.Data.Reason, why) {
			n++
		}
	}
	return n
}
