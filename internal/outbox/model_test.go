package outbox

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// model is the outbox as one would write it down naively: a set of consumers
// for every single number.
type model struct {
	consumers []string
	raised    uint64
	held      map[string]map[uint64]bool
	rejected  map[uint64]bool
	retired   map[uint64]bool
}

func (m *model) settle() (fresh []uint64) {
	for n := uint64(1); n <= m.raised && len(m.consumers) > 0; n++ {
		all := true
		for _, c := range m.consumers {
			all = all && m.held[c][n]
		}
		if all && !m.retired[n] {
			m.retired[n] = true
			fresh = append(fresh, n)
		}
	}
	return fresh
}

func (m *model) acceptable(r Receipt) bool {
	known := r.Consumer == Uplink && r.UpTo == 0 && len(r.Ranges) == 0
	for _, c := range m.consumers {
		known = known || c == r.Consumer
	}
	ok := known && r.Epoch == "e1" && r.UpTo <= m.raised
	for _, g := range r.Ranges {
		ok = ok && g[0] >= 1 && g[0] <= g[1] && g[1] <= m.raised
	}
	for _, rej := range r.Rejected {
		ok = ok && rej.Seq >= 1 && rej.Seq <= m.raised && (!m.retired[rej.Seq] || m.rejected[rej.Seq])
	}
	return ok
}

func (m *model) receipt(r Receipt) (retired, dead []uint64) {
	if !m.acceptable(r) {
		return nil, nil
	}
	for _, rej := range r.Rejected {
		if !m.rejected[rej.Seq] {
			dead = append(dead, rej.Seq)
		}
		m.rejected[rej.Seq] = true
	}
	for n := uint64(1); n <= r.UpTo; n++ {
		m.hold(r.Consumer, n)
	}
	for _, g := range r.Ranges {
		for n := g[0]; n <= g[1]; n++ {
			m.hold(r.Consumer, n)
		}
	}
	return m.settle(), dead
}

func (m *model) hold(c string, n uint64) {
	if m.held[c] == nil {
		m.held[c] = map[uint64]bool{}
	}
	m.held[c][n] = true
}

func (m *model) setConsumers(names []string) (retired []uint64) {
	held := map[string]map[uint64]bool{}
	var list []string
	for _, name := range names {
		if held[name] != nil {
			continue
		}
		list = append(list, name)
		held[name] = map[uint64]bool{}
		before := m.retired
		for _, c := range m.consumers {
			if c == name {
				before = m.held[name]
			}
		}
		for n := range before {
			held[name][n] = true
		}
	}
	m.consumers, m.held = list, held
	return m.settle()
}

func (m *model) count() Count {
	c := Count{Raised: m.raised, Rejected: uint64(len(m.rejected))}
	for n := uint64(1); n <= m.raised; n++ {
		switch {
		case m.rejected[n] && !m.retired[n]:
			c.Withheld++
		case m.rejected[n]:
		case m.retired[n]:
			c.Receipted++
		default:
			c.Pending++
		}
	}
	return c
}

// TestAgainstTheModel drives state and model through the same acts, with a
// save and load of the state wherever rapid puts one.
//
//andon:req Q31
func TestAgainstTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3)
		s := New("e1", nil)
		m := &model{held: map[string]map[uint64]bool{}, rejected: map[uint64]bool{}, retired: map[uint64]bool{}}
		first := names.Draw(t, "consumers")
		s.SetConsumers(first)
		m.setConsumers(first)
		t.Repeat(map[string]func(*rapid.T){
			"raise": func(t *rapid.T) {
				n := rapid.Uint64Range(0, 5).Draw(t, "n")
				m.raised += n
				if got := s.Advance(Event, n); got != m.raised {
					t.Fatalf("Advance = %d, want %d", got, m.raised)
				}
			},
			"receipt": func(t *rapid.T) {
				r := drawReceipt(t, m.raised)
				retired, dead := m.receipt(r)
				got := s.Receipt(r)
				sameNumbers(t, got.Retired, retired)
				if n := len(got.Dead); n != len(dead) {
					t.Fatalf("%d dead letters, want %d", n, len(dead))
				}
				if again := s.Receipt(r); len(again.Retired)+len(again.Dead) != 0 {
					t.Fatalf("the same receipt again did %+v", again)
				}
			},
			"consumers": func(t *rapid.T) {
				list := names.Draw(t, "names")
				sameNumbers(t, s.SetConsumers(list), m.setConsumers(list))
			},
			"save and load": func(t *rapid.T) {
				b, err := json.Marshal(s)
				if err != nil {
					t.Fatal(err)
				}
				var back State
				if err := json.Unmarshal(b, &back); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(back, s) {
					t.Fatalf("read back %+v, want %+v", back, s)
				}
				s = back
			},
			"": func(t *rapid.T) { invariants(t, &s, m) },
		})
	})
}

func drawReceipt(t *rapid.T, raised uint64) Receipt {
	number := rapid.Uint64Range(0, raised+1)
	r := Receipt{
		Consumer: rapid.SampledFrom([]string{"a", "b", "c", "d", Uplink}).Draw(t, "consumer"),
		Epoch:    rapid.SampledFrom([]string{"e1", "e1", "e1", "e1", "e0"}).Draw(t, "epoch"),
		Lane:     Event,
	}
	if r.Consumer != Uplink || rapid.Bool().Draw(t, "forward") {
		r.UpTo = number.Draw(t, "up to")
		for range rapid.IntRange(0, 2).Draw(t, "ranges") {
			a := number.Draw(t, "from")
			r.Ranges = append(r.Ranges, [2]uint64{a, a + rapid.Uint64Range(0, 3).Draw(t, "more")})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "rejections") {
		r.Rejected = append(r.Rejected, Rejection{Seq: number.Draw(t, "rejected")})
	}
	return r
}

func sameNumbers(t *rapid.T, got []Retired, want []uint64) {
	t.Helper()
	var flat []uint64
	for _, r := range got {
		for n := r.First; n <= r.Last; n++ {
			flat = append(flat, n)
		}
	}
	if !reflect.DeepEqual(flat, want) {
		t.Fatalf("retired %v, want %v", flat, want)
	}
}

func invariants(t *rapid.T, s *State, m *model) {
	c := s.Count(Event)
	if want := m.count(); c != want {
		t.Fatalf("count = %+v, want %+v", c, want)
	}
	if c.Raised != c.Receipted+c.Pending+c.Rejected {
		t.Fatalf("%+v: raised is not receipted + pending + rejected", c)
	}
	outstanding := Set{}.With(s.Outstanding(Event)...)
	for n := uint64(1); n <= m.raised; n++ {
		if s.Event.Retired.Has(n) != m.retired[n] || outstanding.Has(n) == m.retired[n] {
			t.Fatalf("number %d: retired %v, outstanding %v, model %v", n, s.Event.Retired.Has(n), outstanding.Has(n), m.retired[n])
		}
	}
	for _, set := range []Set{s.Event.Retired, s.Event.Rejected} {
		last := set.UpTo
		for _, r := range set.Ranges {
			if r[0] <= last+1 || r[1] < r[0] {
				t.Fatalf("%+v is not in normal form", set)
			}
			last = r[1]
		}
	}
}
