package signkey

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// publicOf derives the public key from the private one. Package note can sign
// with a private key but not name its public half.
func publicOf(private string) (string, error) {
	s, err := note.NewSigner(private)
	if err != nil {
		// note calls it a verifier id, and must not quote the key
		return "", errors.New("the private key is damaged")
	}
	parts := strings.SplitN(private, "+", 5) // PRIVATE, KEY, name, hash, and base64, which may hold + itself
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return "", errors.New("the private key is damaged")
	}
	key, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("the private key has no Ed25519 public half")
	}
	public, err := note.NewEd25519VerifierKey(s.Name(), key)
	if err != nil {
		return "", fmt.Errorf("derive public key: %w", err)
	}
	return public, nil
}
