package signkey

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func generate(t testing.TB, name string) Key {
	t.Helper()
	k, err := Generate(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Keys are random: enough of them hold every odd byte (a + in the base64).
func TestEncodeAndDecodeManyKeys(t *testing.T) {
	for range 300 {
		k := generate(t, "ann")
		b, err := Encode(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(b, nil); err != nil || got != k {
			t.Fatalf("got %v, %v, want %v", got, err, k)
		}
	}
}

func TestProtectedKey(t *testing.T) {
	k := generate(t, "ann")
	b, err := Encode(k, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("PRIVATE")) || bytes.Contains(b, []byte(k.Private[len(k.Private)-20:])) {
		t.Fatalf("the private key stands in\n%s", b)
	}
	if got, err := Decode(b, []byte("correct horse")); err != nil || got != k {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Decode(b, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("without passphrase: %v", err)
	}
	if _, err := Decode(b, []byte("correct horsf")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	again, err := Encode(k, []byte("correct horse"))
	if err != nil || bytes.Equal(again, b) {
		t.Errorf("the same salt and nonce twice (%v)", err)
	}
	if _, err := Encode(k, []byte{}); err == nil {
		t.Error("an empty passphrase was taken")
	}
}

// No bit of a protected file can be changed unseen. The sealing key is derived
// once, since that is slow on purpose; where the salt itself is changed, one of
// the changed files is tried with the passphrase.
func TestProtectedKeyRefusesChangedBits(t *testing.T) {
	b, err := Encode(generate(t, "ann"), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := parse(b)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := sealer([]byte("secret"), whole.salt)
	if err != nil {
		t.Fatal(err)
	}
	salted := false
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			f, err := parse(b)
			switch {
			case err != nil:
			case bytes.Equal(f.salt, whole.salt):
				_, err = f.unseal(seal)
			case !salted:
				salted = true
				_, err = f.open([]byte("secret"))
			default:
				err = ErrWrongPassphrase // as for the one that was tried
			}
			if err == nil {
				t.Errorf("byte %d with bit %d changed: accepted", i, bit)
			}
			b[i] ^= 1 << bit
		}
		if _, err := parse(b[:i]); err == nil {
			t.Errorf("cut to %d bytes: accepted", i)
		}
	}
	if !salted {
		t.Error("no changed salt was tried")
	}
}

func TestDecodeRefuses(t *testing.T) {
	k, other := generate(t, "ann"), generate(t, "ann")
	mixed, err := Encode(Key{k.Private, other.Public}, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]string{
		"empty":              "",
		"public key":         k.Public + "\n",
		"damaged":            k.Private[:len(k.Private)-4] + "\n",
		"two keys":           k.Private + "\n" + other.Private + "\n",
		"other public half":  string(mixed),
		"other header":       "andon.key/2\na\nb\nc\nd\n",
		"cheaper derivation": strings.Replace(string(mixed), "scrypt 65536", "scrypt 2", 1),
		"long":               strings.Repeat("x", maxFile+1),
	} {
		_, err := Decode([]byte(b), []byte("secret"))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "PRIVATE+KEY+ann") {
			t.Errorf("%s: the message shows the private key: %v", name, err)
		}
	}
}

func TestGenerateRefusesNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\nb", "a\u00a0b", "\xff"} {
		if _, err := Generate(name); err == nil {
			t.Errorf("%q: accepted", name)
		}
	}
}

func TestCreateAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ann.key")
	k := generate(t, "ann")
	if err := Create(path, k, nil); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, generate(t, "bob"), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key in the same file: %v", err)
	}
	if got, err := Public(path); err != nil || got != k.Public {
		t.Errorf("public %q, %v, want %q", got, err, k.Public)
	}
	s, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "text\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(k.Public)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Errorf("what the loaded key signs: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ann.key")
	if _, err := Load(path, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(dir, nil); err == nil {
		t.Error("a directory was taken for a key")
	}
	if err := Create(path, generate(t, "ann"), nil); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return // has no such modes
	}
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o440: true, 0o644: false, 0o620: false, 0o601: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil); (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

// A file that cannot be written whole leaves nothing behind.
func TestCreateLeavesNoHalfKey(t *testing.T) {
	dir := t.TempDir()
	if err := Create(filepath.Join(dir, "no", "ann.key"), generate(t, "ann"), nil); err == nil {
		t.Error("created in a directory that is not there")
	}
	path := filepath.Join(dir, "ann.key")
	if err := Create(path, generate(t, "ann"), []byte{}); err == nil {
		t.Error("created with an empty passphrase")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	k := generate(f, "ann")
	for _, passphrase := range [][]byte{nil, []byte("secret")} {
		b, err := Encode(k, passphrase)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(header + "\npublic x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parse(b)
		if err != nil {
			return
		}
		if got.private != "" {
			if strings.TrimSuffix(string(b), "\n") != got.private || !strings.HasPrefix(got.private, plainPrefix) {
				t.Errorf("private key %q, of %q", got.private, b)
			}
			return
		}
		if again := string(got.head) + encode(got.sealed) + "\n"; again != string(b) {
			t.Errorf("read %q, of %q", again, b)
		}
	})
}
