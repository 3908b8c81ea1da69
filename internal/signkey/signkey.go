// Package signkey keeps the Ed25519 keys with which people and gateways sign.
//
// A key is written to a file in one of two forms. Without a passphrase it is the
// signer key of golang.org/x/mod/sumdb/note on a line of its own:
//
//	PRIVATE+KEY+NAME+hash+base64
//
// With a passphrase it is five lines:
//
//	andon.key/1
//	public NAME+hash+base64
//	scrypt 65536 8 1 SALT
//	xchacha20-poly1305 NONCE
//	SEALED
//
// SALT (16 bytes), NONCE (24 bytes) and SEALED are base64. The sealing key is
// scrypt(passphrase, SALT, N=65536, r=8, p=1) of 32 bytes; SEALED is the signer
// key above, without its line end, with the first four lines (line ends
// included) as additional data: no byte of the file can be changed unseen.
//
// The forms are pure code (Encode, Decode); only Create, Load and Public touch
// files. Nothing here ever prints a private key.
package signkey

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/scrypt"
	"golang.org/x/mod/sumdb/note"
)

var (
	// ErrPassphrase: the key is protected and no passphrase was given.
	ErrPassphrase = errors.New("the key is protected by a passphrase")
	// ErrWrongPassphrase: the passphrase does not open the key, or the file was
	// changed; the two cannot be told apart.
	ErrWrongPassphrase = errors.New("wrong passphrase, or the file was changed")
)

const (
	header      = "andon.key/1"
	kdfLine     = "scrypt 65536 8 1 " // 64 MiB and a fifth of a second, once per signature
	scryptN     = 65536
	scryptR     = 8
	scryptP     = 1
	cipherLine  = "xchacha20-poly1305 "
	plainPrefix = "PRIVATE+KEY+"
	saltSize    = 16
	// maxFile is far above any key file.
	maxFile = 4096
)

// Key is a pair in the encodings of package note.
type Key struct {
	Private string // PRIVATE+KEY+NAME+hash+base64
	Public  string // NAME+hash+base64
}

// Generate makes a key under a name: not empty, without space and +.
func Generate(name string) (Key, error) {
	if name == "" || strings.ContainsAny(name, "+ \t\r\n") {
		return Key{}, fmt.Errorf("make key: name %q: want a name without spaces and +", name)
	}
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return Key{}, fmt.Errorf("make key %s: %w", name, err)
	}
	if _, err := note.NewVerifier(public); err != nil { // other spaces, invalid UTF-8
		return Key{}, fmt.Errorf("make key: name %q: %w", name, err)
	}
	return Key{private, public}, nil
}

// Encode is the key as it is kept in a file; a nil passphrase leaves it
// unprotected, an empty one is refused.
func Encode(k Key, passphrase []byte) ([]byte, error) {
	if passphrase == nil {
		return []byte(k.Private + "\n"), nil
	}
	if len(passphrase) == 0 {
		return nil, errors.New("protect key: the passphrase is empty")
	}
	random := make([]byte, saltSize+chacha20poly1305.NonceSizeX)
	if _, err := io.ReadFull(rand.Reader, random); err != nil {
		return nil, fmt.Errorf("protect key: %w", err)
	}
	salt, nonce := random[:saltSize], random[saltSize:]
	seal, err := sealer(passphrase, salt)
	if err != nil {
		return nil, fmt.Errorf("protect key: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\npublic %s\n%s%s\n%s%s\n", header, k.Public, kdfLine, encode(salt), cipherLine, encode(nonce))
	sealed := seal.Seal(nil, nonce, []byte(k.Private), b.Bytes())
	return append(b.Bytes(), encode(sealed)+"\n"...), nil
}

// Decode reads what Encode wrote. The error is or wraps ErrPassphrase when one
// is needed, ErrWrongPassphrase when it does not fit.
func Decode(b, passphrase []byte) (Key, error) {
	f, err := parse(b)
	if err != nil {
		return Key{}, err
	}
	private := f.private
	if private == "" {
		if len(passphrase) == 0 {
			return Key{}, ErrPassphrase
		}
		if private, err = f.open(passphrase); err != nil {
			return Key{}, err
		}
	}
	k := Key{Private: private}
	if k.Public, err = publicOf(private); err != nil {
		return Key{}, err
	}
	if f.public != "" && f.public != k.Public {
		return Key{}, errors.New("the public key in the file is not that of the private one")
	}
	return k, nil
}

// file is a key file taken apart: private alone, or the rest.
type file struct {
	private string

	public              string
	salt, nonce, sealed []byte
	head                []byte // the additional data
}

// parse takes a key file apart, checking form only.
func parse(b []byte) (file, error) {
	notKey := errors.New("not a key file: want what andon key new wrote")
	if len(b) > maxFile {
		return file{}, notKey
	}
	text, ended := strings.CutSuffix(string(b), "\n")
	if strings.HasPrefix(text, plainPrefix) && !strings.Contains(text, "\n") {
		return file{private: text}, nil
	}
	lines := strings.Split(text, "\n")
	if !ended || len(lines) != 5 || lines[0] != header {
		return file{}, notKey
	}
	f := file{sealed: decode(lines[4]), head: b[:len(b)-len(lines[4])-1]}
	var ok [3]bool
	var salt, nonce string
	f.public, ok[0] = strings.CutPrefix(lines[1], "public ")
	salt, ok[1] = strings.CutPrefix(lines[2], kdfLine)
	nonce, ok[2] = strings.CutPrefix(lines[3], cipherLine)
	f.salt, f.nonce = decode(salt), decode(nonce)
	if ok != [3]bool{true, true, true} || len(f.salt) != saltSize || len(f.nonce) != chacha20poly1305.NonceSizeX || f.sealed == nil {
		return file{}, notKey
	}
	if _, err := note.NewVerifier(f.public); err != nil {
		return file{}, fmt.Errorf("the public key in the file: %w", err)
	}
	return f, nil
}

// open unseals the private key.
func (f file) open(passphrase []byte) (string, error) {
	seal, err := sealer(passphrase, f.salt)
	if err != nil {
		return "", fmt.Errorf("open key: %w", err)
	}
	return f.unseal(seal)
}

func (f file) unseal(seal cipher.AEAD) (string, error) {
	private, err := seal.Open(nil, f.nonce, f.sealed, f.head)
	if err != nil {
		return "", ErrWrongPassphrase
	}
	return string(private), nil
}

func sealer(passphrase, salt []byte) (cipher.AEAD, error) {
	key, err := scrypt.Key(passphrase, salt, scryptN, scryptR, scryptP, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// decode is nil for what encode cannot have written.
func decode(s string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || encode(b) != s {
		return nil
	}
	return b
}
