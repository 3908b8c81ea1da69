package people

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/users.json")

// full is a state with everything that a file can hold.
func full() *state {
	pin := pinHash{cost: fullCost(), salt: []byte("sixteen bytes ok"), sum: make([]byte, hashSize)}.String()
	return &state{
		Users: []account{
			{ID: "ann", Name: "Ann Meyer", Role: ShiftLead, PIN: pin, Created: at0(), Changed: at0().Add(time.Hour), tries: tries{Wrong: 2}},
			{ID: "u1042", Name: "Li Wei 李伟", Role: Quality, PIN: pin, Disabled: true, Created: at0(), Changed: at0(), tries: tries{LockedAt: at0().Add(time.Millisecond)}},
		},
		Unrecorded: []Change{
			{ID: "A", At: at0(), Kind: UserAdd, User: "ann", By: "os:root", New: "Ann Meyer, operator", Reason: "new hire", Terminal: "vm"},
			{ID: "B", At: at0(), Kind: SignRefused, User: "ann", By: "ann", Role: ShiftLead, Old: "", New: "refused: withdraw", Reason: "shift_lead has no right to withdraw", Terminal: "panel"},
		},
	}
}

// TestFormat holds the file against the one that earlier versions wrote.
func TestFormat(t *testing.T) {
	got, err := full().encode()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/users.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the format changed (-was +is):\n%s", diff)
	}
	back, err := parse(want)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.encode()
	if err != nil || !bytes.Equal(again, want) {
		t.Errorf("%v; read and written again it is\n%s", err, again)
	}
}

func TestParseRefuses(t *testing.T) {
	good, err := full().encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, with, want string }{
		{"unknown key", `"role"`, `"group": "x", "role"`, `unknown field "group"`},
		{"a newer version's", "andon.users/1", "andon.users/2", `schema "andon.users/2": this version reads andon.users/1`},
		{"no schema", `"schema": "andon.users/1"`, `"schema": ""`, `schema "": this version reads andon.users/1`},
		{"another role", `"shift_lead",
			"pin"`, `"root",
			"pin"`, `user 1 ("ann"): role "root": want one of viewer`},
		{"an id twice", `"u1042"`, `"ANN"`, `user 2: id "ANN" is there twice`},
		{"bad id", `"u1042"`, `"u 1042"`, `user 2 ("u 1042"): id "u 1042": want 1 to 32`},
		{"no name", `"Ann Meyer"`, `""`, `name "": want the printed name`},
		{"no PIN", "$argon2id$v=19$m=65536", "", "PIN hash: want $argon2id"},
		{"dear PIN", "m=65536", "m=99999999", `PIN hash: cost "m=99999999,t=3,p=4"`},
		{"tries above the limit", `"wrong": 2`, `"wrong": 5`, "want fewer than 5"},
		{"negative tries", `"wrong": 2`, `"wrong": -1`, "want fewer than 5"},
		{"tries beside a lock", `"locked_at"`, `"wrong": 1, "locked_at"`, "none with a lock"},
		{"number for a text", `"ann"`, `7`, "line 5: "},
		{"cut", `"unrecorded": [`, ``, "line "},
		{"an entry without id", `"id": "A"`, `"id": ""`, "unrecorded change 1: want id, at and kind"},
		{"an entry twice", `"id": "A"`, `"id": "B"`, "an id is there twice"},
		{"a key twice", `"wrong": 2`, `"wrong": 4, "wrong": 2`, "something is there twice"},
		{"users twice", `"users": [`, `"users": [], "users": [`, "something is there twice"},
		{"a key in another case", `"wrong": 2`, `"WRONG": 2`, "not as andon user writes it"},
		{"bad instant", `"at": "2026-03-04T09:00:00Z"`, `"at": "yesterday"`, "yesterday"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := []byte(strings.Replace(string(good), c.old, c.with, 1))
			if bytes.Equal(b, good) {
				t.Fatal("nothing was replaced")
			}
			if _, err := parse(b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	for name, b := range map[string]string{
		"null": "null", "array": "[]", "text": `"x"`, "space": " ", "not JSON": "users:\n", "more": string(good) + "{}",
		"no schema": "{}", "no users": `{"schema":"andon.users/1"}`,
	} {
		if _, err := parse([]byte(b)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for i := 1; i < len(good)-1; i++ {
		if _, err := parse(good[:i]); err == nil {
			t.Fatalf("the first %d bytes of the file are accepted", i)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := full().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(nil))
	f.Add([]byte("null"))
	f.Add([]byte(`{"schema":"andon.users/1","users":[],"unrecorded":null}`))
	f.Add([]byte(`{"schema":"andon.users/1","users":[{"id":"a"},{"ID":"A"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse(b)
		if err != nil {
			return
		}
		once, err := s.encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := parse(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, once)
		}
		if twice, err := again.encode(); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v: written again it is\n%s\nand was\n%s", err, twice, once)
		}
		for i := range s.Users { // each is found, and nobody can be guessed at too often
			if a := &s.Users[i]; s.find(a.ID) != a || a.Wrong >= MaxWrong {
				t.Fatalf("user %+v", a)
			}
		}
	})
}

// TestParseTakesOtherSpace: space between tokens means nothing.
func TestParseTakesOtherSpace(t *testing.T) {
	good, err := full().encode()
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, good); err != nil {
		t.Fatal(err)
	}
	s, err := parse(compact.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.encode(); err != nil || !bytes.Equal(again, good) {
		t.Errorf("%v:\n%s", err, again)
	}
}
