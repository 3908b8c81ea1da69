package strictyaml_test

import (
	"testing"
	"time"

	"andon/internal/strictyaml"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	const src = `
text: furnace
quoted: "010"
label: 17
bool: true
int: -5
hex: 0xFFFF
float: 1.5e3
range: [0, 500]
time: 2026-03-01T06:00:00-05:00
date: 2027-05-01
ms: 250ms
half: 0.5s
min: 45min
days: 90d
zero: 0
size: 8GiB
one: heat
many: [heat, soak]
word: low
scalars: [1, 1.5, true, x, "1"]
`
	doc := strictyaml.Parse("f.yaml", []byte(src))
	r := doc.Root()
	var scalars []any
	for _, n := range r.Get("scalars").Seq() {
		scalars = append(scalars, n.Scalar())
	}
	got := []any{
		r.Get("text").Text(), r.Get("quoted").Text(), r.Get("label").Label(), r.Get("bool").Bool(),
		r.Get("int").Int(-5, 5), r.Get("hex").Int(0, 65535), r.Get("float").Float(), *r.Get("range").Range(),
		r.Get("time").Time().UTC(), r.Get("date").Date(),
		r.Get("ms").Duration(), r.Get("half").Duration(), r.Get("min").Duration(), r.Get("days").Duration(), r.Get("zero").Duration(),
		r.Get("size").Size(), r.Get("one").Texts(), r.Get("many").Texts(), r.Get("word").OneOf("low", "high"), scalars,
		r.Get("absent").TextOr("x"), r.Get("absent").DurationOr(time.Second), r.Get("absent").Float(), r.Get("absent").Get("deep").Texts() == nil,
	}
	want := []any{
		"furnace", "010", "17", true,
		int64(-5), int64(65535), 1500.0, [2]float64{0, 500},
		time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), "2027-05-01",
		250 * time.Millisecond, 500 * time.Millisecond, 45 * time.Minute, 90 * 24 * time.Hour, time.Duration(0),
		int64(8 << 30), []string{"heat"}, []string{"heat", "soak"}, "low", []any{int64(1), 1.5, true, "x", "1"},
		"x", time.Second, 0.0, true,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("values (-got +want):\n%s", diff)
	}
	if got := lines(doc); got != nil {
		t.Errorf("problems: %q", got)
	}
}

func TestValuesRefused(t *testing.T) {
	read := map[string]func(strictyaml.Node){
		"text":     func(n strictyaml.Node) { n.Text() },
		"texts":    func(n strictyaml.Node) { n.Texts() },
		"word":     func(n strictyaml.Node) { n.OneOf("minor", "major", "critical") },
		"bool":     func(n strictyaml.Node) { n.Bool() },
		"int":      func(n strictyaml.Node) { n.Int(0, 247) },
		"float":    func(n strictyaml.Node) { n.Float() },
		"range":    func(n strictyaml.Node) { n.Range() },
		"scalar":   func(n strictyaml.Node) { n.Scalar() },
		"time":     func(n strictyaml.Node) { n.Time() },
		"date":     func(n strictyaml.Node) { n.Date() },
		"duration": func(n strictyaml.Node) { n.Duration() },
		"size":     func(n strictyaml.Node) { n.Size() },
		"map":      func(n strictyaml.Node) { n.Get("a") },
		"names":    func(n strictyaml.Node) { n.Entries() },
		"seq":      func(n strictyaml.Node) { n.Seq() },
	}
	tests := []struct{ as, src, want string }{
		{"text", "12", `f.yaml:1:4: v: found 12, want text (write "12")`},
		{"text", "true", `f.yaml:1:4: v: found true, want text (write "true")`},
		{"text", "", "f.yaml:1:3: v: no value, want text (give a value, or remove the key)"},
		{"text", "[a]", "f.yaml:1:4: v: found a list, want text"},
		{"texts", "[a, 1]", `f.yaml:1:8: v[1]: found 1, want text (write "1")`},
		{"texts", "{a: b}", "f.yaml:1:4: v: found keys with values, want text"},
		{"word", "mayor", `f.yaml:1:4: v: found "mayor", want minor, major or critical (did you mean "major"?)`},
		{"word", "urgent", `f.yaml:1:4: v: found "urgent", want minor, major or critical`},
		{"bool", "yes", `f.yaml:1:4: v: found "yes", want true or false (write true)`},
		{"bool", "Off", `f.yaml:1:4: v: found "Off", want true or false (write false)`},
		{"bool", `"true"`, `f.yaml:1:4: v: found "true", want true or false (write true)`},
		{"bool", "1", "f.yaml:1:4: v: found 1, want true or false"},
		{"int", "248", "f.yaml:1:4: v: found 248, want a whole number from 0 to 247"},
		{"int", "99999999999999999999", "f.yaml:1:4: v: found 99999999999999999999, want a whole number from 0 to 247"},
		{"int", "1.0", "f.yaml:1:4: v: found 1.0, want a whole number from 0 to 247"},
		{"int", `"5"`, `f.yaml:1:4: v: found "5", want a whole number from 0 to 247`},
		{"float", "NaN", `f.yaml:1:4: v: found "NaN", want a number`},
		{"float", "1e999", "f.yaml:1:4: v: found 1e999, want a number that 64 bits can hold"},
		{"float", "-1e-999", "f.yaml:1:4: v: found -1e-999, want a number that 64 bits can hold"},
		{"float", "0xFF", "f.yaml:1:4: v: found 0xFF, want a number"},
		{"range", "[5, 5]", "f.yaml:1:4: v: the low end 5 is not below the high end 5 (write [low, high])"},
		{"range", "[1]", "f.yaml:1:4: v: found a list, want two numbers [low, high]"},
		{"range", "[1, b]", `f.yaml:1:8: v[1]: found "b", want a number`},
		{"scalar", "[1]", "f.yaml:1:4: v: found a list, want a number, true, false or text"},
		{"time", "2026-03-01T06:00:00", `f.yaml:1:4: v: found "2026-03-01T06:00:00", want an instant with its zone (write it like 2026-03-01T06:00:00-05:00 or 2026-03-01T11:00:00Z)`},
		{"time", "0001-01-01T00:00:00Z", `f.yaml:1:4: v: found "0001-01-01T00:00:00Z", want an instant with its zone (write it like 2026-03-01T06:00:00-05:00 or 2026-03-01T11:00:00Z)`},
		{"date", "2027-02-30", `f.yaml:1:4: v: found "2027-02-30", want a day (write it like 2027-05-01)`},
		{"duration", "5m", `f.yaml:1:4: v: found "5m", want a duration (m is not a unit: write min for minutes)`},
		{"duration", "5", "f.yaml:1:4: v: found 5, want a duration (write it like 250ms, 10s, 45min, 2h or 90d)"},
		{"duration", "-5s", `f.yaml:1:4: v: found "-5s", want a duration (write it like 250ms, 10s, 45min, 2h or 90d)`},
		{"duration", "010s", `f.yaml:1:4: v: found "010s", want a duration (write it like 250ms, 10s, 45min, 2h or 90d)`},
		{"duration", "1h30min", `f.yaml:1:4: v: found "1h30min", want a duration (write it like 250ms, 10s, 45min, 2h or 90d)`},
		{"duration", "200000d", `f.yaml:1:4: v: found "200000d", want a duration (write it like 250ms, 10s, 45min, 2h or 90d)`},
		{"size", "8GB", `f.yaml:1:4: v: found "8GB", want a size (write GiB: 1024, not 1000)`},
		{"size", "8 GiB", `f.yaml:1:4: v: found "8 GiB", want a size (write it like 512MiB or 8GiB)`},
		{"size", "0.3B", `f.yaml:1:4: v: found "0.3B", want a size (write it like 512MiB or 8GiB)`},
		{"size", "9999999TiB", `f.yaml:1:4: v: found "9999999TiB", want a size (write it like 512MiB or 8GiB)`},
		{"map", "5", "f.yaml:1:4: v: found 5, want keys with values"},
		{"names", "{a: 1, 12: x}", `f.yaml:1:11: v.12: the key 12 is not text (write "12")`},
		{"seq", "a", `f.yaml:1:4: v: found "a", want a list [a, b]`},
	}
	for _, tt := range tests {
		t.Run(tt.as+" "+tt.src, func(t *testing.T) {
			doc := strictyaml.Parse("f.yaml", []byte("v: "+tt.src+"\n"))
			n := doc.Root().Get("v")
			read[tt.as](n)
			read[tt.as](n) // a refused value is not reported again
			if diff := cmp.Diff(lines(doc), []string{tt.want}); diff != "" {
				t.Errorf("problems (-got +want):\n%s", diff)
			}
		})
	}
}

func TestUnknownAndMissingKeys(t *testing.T) {
	doc := strictyaml.Parse("f.yaml", []byte("gateway: {ide: x, site: y}\nsources:\n  plc: {addresss: 1, colour: red}\nextra: {any: 1}\n"))
	r := doc.Root()
	g := r.Need("gateway")
	g.Need("id")
	g.Get("site").Text()
	for _, e := range r.Get("sources").Entries() {
		e.Value.Get("address")
		e.Value.Get("timeout")
	}
	r.Get("extra").Skip()
	r.Need("data").Need("dir")
	got := lines(doc)
	want := []string{
		"f.yaml:1:1: gateway.id: missing (add `id: …`)",
		"f.yaml:1:1: data: missing (add `data: …`)",
		`f.yaml:1:11: gateway.ide: unknown key "ide" (did you mean "id"?)`,
		`f.yaml:3:9: sources.plc.addresss: unknown key "addresss" (did you mean "address"?)`,
		`f.yaml:3:22: sources.plc.colour: unknown key "colour" (known here: address, timeout)`,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("problems (-got +want):\n%s", diff)
	}
}

func TestAnyEntries(t *testing.T) {
	doc := strictyaml.Parse("f.yaml", []byte("{0: idle, true: run, b: [1]}\n"))
	var got []string
	for _, e := range doc.Root().AnyEntries() {
		got = append(got, e.Name+"@"+e.Value.Path())
	}
	if diff := cmp.Diff(got, []string{"0@0", "true@true", "b@b"}); diff != "" || doc.Err() != nil {
		t.Errorf("entries (-got +want):\n%s\n%v", diff, doc.Err())
	}
}

func TestAbsentSaysNothing(t *testing.T) {
	var n strictyaml.Node
	n.Problem("x", "")
	n.KeyProblem("x", "")
	n.Skip()
	if n.OK() || n.Present() || n.Line() != 0 || n.Need("a").Text() != "" || n.Range() != nil || n.Scalar() != nil || !n.Time().IsZero() || n.Size() != 0 {
		t.Error("an absent node has a value")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"endpoint", "publish", "security", "trust", "every", "event_delay"}
	for in, want := range map[string]string{
		"endpiont": "endpoint", "Publish": "publish", "event-delay": "event_delay", "evry": "every",
		"sekurity": "security", "zzz": "", "": "", "colour": "",
	} {
		if got := strictyaml.Nearest(in, names); got != want {
			t.Errorf("nearest to %q: got %q, want %q", in, got, want)
		}
	}
}
