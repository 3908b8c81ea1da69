package people

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckPIN(t *testing.T) {
	for _, c := range []struct{ name, pin, id, want string }{
		{"good", "471193", "ann", ""},
		{"long", strings.Repeat("4711", 16), "ann", ""},
		{"nearly the same", "111112", "ann", ""},
		{"nearly straight", "123457", "ann", ""},
		{"down, then not", "987655", "ann", ""},
		{"steps of two", "135791", "ann", ""},
		{"none", "", "ann", "0 digits: want 6 to 64"},
		{"short", "47119", "ann", "5 digits: want 6 to 64"},
		{"too long", strings.Repeat("4711", 16) + "2", "ann", "65 digits: want 6 to 64"},
		{"same", "777777", "ann", "all the same"},
		{"up", "123456", "ann", "straight sequence"},
		{"down", "654321", "ann", "straight sequence"},
		{"up over nine", "789012", "ann", "straight sequence"},
		{"down over nought", "210987", "ann", "straight sequence"},
		{"letters", "47119a", "ann", "want digits only"},
		{"other digits", "٤٧١١٩٣", "ann", "want digits only"},
		{"the id", "471193", "471193", "part of the id"},
		{"in the id", "471193", "u471193b", "part of the id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckPIN(c.pin, c.id)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrWeakPIN) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if len(c.pin) >= shortestPIN && strings.Contains(err.Error(), c.pin) {
				t.Errorf("the error shows the PIN: %v", err)
			}
		})
	}
}

// TestHashVector holds ours against the reference implementation of argon2:
//
//	printf 471193 | argon2 'sixteen bytes ok' -id -t 3 -m 16 -p 4 -l 32 -e
func TestHashVector(t *testing.T) {
	const reference = "$argon2id$v=19$m=65536,t=3,p=4$c2l4dGVlbiBieXRlcyBvaw$ohQGkZ8bBl8lDIFDmQX7WVMGtaAemB99PLxw/o9RrSE"
	h, err := parseHash(reference)
	if err != nil {
		t.Fatal(err)
	}
	if h.cost != fullCost() {
		t.Errorf("cost %+v, want %+v", h.cost, fullCost())
	}
	if !h.fits("471193") || h.fits("471194") {
		t.Error("it fits another PIN than that of the reference")
	}
}

func TestHash(t *testing.T) {
	c := cost{kib: 8, passes: 1, threads: 1}
	a, b := newHash(annPIN, c), newHash(annPIN, c)
	if a.String() == b.String() {
		t.Error("two hashes of one PIN are the same: no salt")
	}
	if strings.Contains(a.String(), annPIN) {
		t.Error("the hash holds the PIN")
	}
	back, err := parseHash(a.String())
	if err != nil {
		t.Fatal(err)
	}
	if !back.fits(annPIN) || back.fits("471194") || back.fits("") {
		t.Error("a hash that was written and read fits something else")
	}
	for _, pin := range []string{"", annPIN, strings.Repeat("\x00", 32)} {
		if nobody(c).fits(pin) {
			t.Errorf("nobody has the PIN %q", pin)
		}
	}
	if nobody(fullCost()).cost != newHash(annPIN, fullCost()).cost {
		t.Error("an unknown id costs something else than a known one")
	}
}

func TestParseHashRefuses(t *testing.T) {
	good := newHash(annPIN, cost{kib: 8, passes: 1, threads: 1}).String()
	sum := good[strings.LastIndexByte(good, '$')+1:]
	const salt = "AAAAAAAAAAAAAAAAAAAAAA"
	for name, s := range map[string]string{
		"empty":             "",
		"plain text":        annPIN,
		"another algorithm": strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":   strings.Replace(good, "v=19", "v=16", 1),
		"no hash":           strings.TrimSuffix(good, sum),
		"short hash":        good[:len(good)-2],
		"more":              good + "$x",
		"line end":          good + "\n",
		"no salt":           "$argon2id$v=19$m=8,t=1,p=1$$" + sum,
		"too much memory":   "$argon2id$v=19$m=262145,t=1,p=1$" + salt + "$" + sum,
		"too many passes":   "$argon2id$v=19$m=8,t=17,p=1$" + salt + "$" + sum,
		"too many threads":  "$argon2id$v=19$m=256,t=1,p=17$" + salt + "$" + sum,
		"threads wrap":      "$argon2id$v=19$m=4096,t=1,p=257$" + salt + "$" + sum,
		"no threads":        "$argon2id$v=19$m=8,t=1,p=0$" + salt + "$" + sum,
		"no passes":         "$argon2id$v=19$m=8,t=0,p=1$" + salt + "$" + sum,
		"too little memory": "$argon2id$v=19$m=8,t=1,p=2$" + salt + "$" + sum,
		"leading nought":    "$argon2id$v=19$m=08,t=1,p=1$" + salt + "$" + sum,
		"sign":              "$argon2id$v=19$m=+8,t=1,p=1$" + salt + "$" + sum,
		"one figure less":   "$argon2id$v=19$m=8,t=1$" + salt + "$" + sum,
		"other order":       "$argon2id$v=19$t=1,m=8,p=1$" + salt + "$" + sum,
	} {
		if h, err := parseHash(s); err == nil {
			t.Errorf("%s: accepted as %v", name, h)
		} else if strings.Contains(err.Error(), sum) {
			t.Errorf("%s: the error shows the hash: %v", name, err)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(newHash(annPIN, cost{kib: 8, passes: 1, threads: 1}).String())
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$c2l4dGVlbiBieXRlcyBvaw$AA")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err != nil {
			return
		}
		if h.String() != s {
			t.Errorf("%q is written back as %q", s, h)
		}
		if most := maxCost(); h.cost.kib > most.kib || h.cost.passes > most.passes || h.cost.threads > most.threads || h.cost.threads < 1 || h.cost.passes < 1 {
			t.Errorf("%q costs %+v", s, h.cost)
		}
	})
}
