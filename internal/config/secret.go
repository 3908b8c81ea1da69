package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"andon/internal/strictyaml"
)

// Secret says where a secret lies; it is never in the settings. The zero Secret
// is none.
type Secret struct {
	File       string // a path
	Credential string // a systemd credential of the service
}

var credentialShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$`)

// None reports whether no secret was given.
func (s Secret) None() bool { return s == Secret{} }

// Path returns the file that holds the secret. credentials is the directory that
// systemd names in CREDENTIALS_DIRECTORY.
func (s Secret) Path(credentials string) (string, error) {
	if s.Credential == "" {
		return s.File, nil
	}
	if credentials == "" {
		return "", fmt.Errorf("read credential %s: the service was given none; add LoadCredential=%s:PATH to its unit", s.Credential, s.Credential)
	}
	return filepath.Join(credentials, s.Credential), nil
}

// Read returns the secret without the line end that editors put after it.
func (s Secret) Read(credentials string) (string, error) {
	file, err := s.Path(credentials)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

// secret reads {file: PATH} or {credential: NAME}. What stands there instead is
// not repeated in the problem: it may be the secret.
func (r *reader) secret(n strictyaml.Node) Secret {
	if n.OK() && !n.IsMap() {
		n.Problem("a secret is not written here", "write {file: PATH} or {credential: NAME}; change the secret if this file was shared")
	}
	file, credential := n.Get("file"), n.Get("credential")
	if n.OK() && file.Present() == credential.Present() {
		n.Problem("want either file or credential", "write {file: PATH} or {credential: NAME}")
	}
	return Secret{
		File:       r.path(file),
		Credential: shaped(credential, credentialShape, "letters, digits, - _ and ."),
	}
}
