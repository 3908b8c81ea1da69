package journal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// KeyFile is the name of the gateway's private key in its data directory.
const KeyFile = "gateway.key"

// signingKey is the gateway's key and the public half in the note format.
type signingKey struct {
	note.Signer
	public string
}

// readKey reads the key of a gateway. A file that others may read is taken, and
// said so: refusing it would stop the record, which is worse.
func readKey(dir string, o Options) (signingKey, error) {
	name := filepath.Join(dir, KeyFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return signingKey{}, err
	}
	text := strings.TrimSpace(string(b))
	s, err := note.NewSigner(text)
	if err != nil {
		return signingKey{}, fmt.Errorf("%w: %s: %w", ErrKey, name, err)
	}
	if s.Name() != o.Gateway {
		return signingKey{}, fmt.Errorf("%w: %s is the key of %q, this is gateway %q", ErrKey, name, s.Name(), o.Gateway)
	}
	public, err := publicKey(text)
	if err != nil {
		return signingKey{}, fmt.Errorf("%w: %s: %w", ErrKey, name, err)
	}
	if info, err := os.Stat(name); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		o.logger().Warn("others may read the gateway's private key", "file", name, "mode", info.Mode().Perm(), "cure", "chmod 600 "+name)
	}
	return signingKey{Signer: s, public: public}, nil
}

// makeKey gives a new gateway its key. A power cut leaves the whole key or none.
func makeKey(dir string, o Options) (signingKey, error) {
	private, public, err := note.GenerateKey(rand.Reader, o.Gateway)
	if err != nil {
		return signingKey{}, err
	}
	if err := writeFile(filepath.Join(dir, KeyFile), []byte(private+"\n")); err != nil {
		return signingKey{}, err
	}
	s, err := note.NewSigner(private)
	return signingKey{Signer: s, public: public}, err
}

// haveKey reads the key, or makes it where there is none.
func haveKey(dir string, o Options) (signingKey, error) {
	k, err := readKey(dir, o)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(dir, o)
	}
	return k, err
}

// publicKey is the verifier key of a private key in the note format,
// PRIVATE+KEY+name+hash+key, which NewSigner has accepted.
func publicKey(private string) (string, error) {
	field := strings.SplitN(private, "+", 5)
	if len(field) != 5 {
		return "", errors.New("not a private key")
	}
	key, err := base64.StdEncoding.DecodeString(field[4])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", errors.New("not an Ed25519 key")
	}
	public := ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(field[2], public)
}

// writeFile writes a file that is there whole or not at all, readable by its
// owner alone.
func writeFile(name string, b []byte) (err error) {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}
