package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	shortestPIN = 6
	longestPIN  = 64
)

// ErrWeakPIN: a PIN that the policy does not allow. The error says why, and
// never the PIN.
var ErrWeakPIN = errors.New("weak PIN")

// CheckPIN holds a new PIN against the policy: 6 to 64 digits, not all the same,
// not a straight sequence up or down (9 and 0 are neighbours), and not part of
// the id.
func CheckPIN(pin, id string) error {
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return fmt.Errorf("%w: want digits only", ErrWeakPIN)
		}
	}
	switch {
	case len(pin) < shortestPIN || len(pin) > longestPIN:
		return fmt.Errorf("%w: %d digits: want %d to %d", ErrWeakPIN, len(pin), shortestPIN, longestPIN)
	case straight(pin, 0):
		return fmt.Errorf("%w: the digits are all the same", ErrWeakPIN)
	case straight(pin, 1), straight(pin, 9):
		return fmt.Errorf("%w: the digits are a straight sequence", ErrWeakPIN)
	case strings.Contains(id, pin):
		return fmt.Errorf("%w: it is part of the id", ErrWeakPIN)
	}
	return nil
}

// straight says whether every digit is the one before plus step, modulo 10.
func straight(pin string, step byte) bool {
	for i := 1; i < len(pin); i++ {
		if (pin[i-1]-'0'+step)%10 != pin[i]-'0' {
			return false
		}
	}
	return true
}

// cost is what one argon2id costs.
type cost struct {
	kib     uint32
	passes  uint32
	threads uint8
}

// fullCost is the second recommended option of RFC 9106, section 4.
func fullCost() cost { return cost{kib: 64 << 10, passes: 3, threads: 4} }

// maxCost bounds what a file can make us spend.
func maxCost() cost { return cost{kib: 256 << 10, passes: 16, threads: 16} }

const (
	saltSize = 16
	hashSize = 32
	phcStart = "$argon2id$v=19$"
)

// pinHash is a PIN as it is kept.
type pinHash struct {
	cost cost
	salt []byte
	sum  []byte
}

// newHash hashes a PIN under a new salt.
func newHash(pin string, c cost) pinHash {
	h := pinHash{cost: c, salt: make([]byte, saltSize)}
	rand.Read(h.salt) // never fails: the program ends before (crypto/rand)
	h.sum = h.of(pin)
	return h
}

// nobody is compared with when there is no such person, so that it takes as long.
func nobody(c cost) pinHash {
	return pinHash{cost: c, salt: make([]byte, saltSize), sum: make([]byte, hashSize)}
}

func (h pinHash) of(pin string) []byte {
	return argon2.IDKey([]byte(pin), h.salt, h.cost.passes, h.cost.kib, h.cost.threads, hashSize)
}

// fits compares in constant time.
func (h pinHash) fits(pin string) bool { return subtle.ConstantTimeCompare(h.of(pin), h.sum) == 1 }

// String is the usual encoding: $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH.
func (h pinHash) String() string {
	e := base64.RawStdEncoding
	return fmt.Sprintf("%sm=%d,t=%d,p=%d$%s$%s", phcStart, h.cost.kib, h.cost.passes, h.cost.threads,
		e.EncodeToString(h.salt), e.EncodeToString(h.sum))
}

// parseHash reads what String wrote, and nothing that would cost more than
// maxCost. Its errors never quote the text.
func parseHash(s string) (pinHash, error) {
	rest, ok := strings.CutPrefix(s, phcStart)
	parts := strings.Split(rest, "$")
	if !ok || len(parts) != 3 {
		return pinHash{}, errors.New("PIN hash: want $argon2id$v=19$m=…,t=…,p=…$SALT$HASH")
	}
	c, err := parseCost(parts[0])
	if err != nil {
		return pinHash{}, err
	}
	h := pinHash{cost: c}
	e := base64.RawStdEncoding.Strict()
	var saltErr, sumErr error
	h.salt, saltErr = e.DecodeString(parts[1])
	h.sum, sumErr = e.DecodeString(parts[2])
	if saltErr != nil || sumErr != nil || len(h.salt) != saltSize || len(h.sum) != hashSize || h.String() != s {
		return pinHash{}, fmt.Errorf("PIN hash: want base64 of %d bytes of salt and %d of hash", saltSize, hashSize)
	}
	return h, nil
}

func parseCost(s string) (cost, error) {
	var n [3]uint64
	parts := strings.Split(s, ",")
	ok := len(parts) == len(n)
	for i := 0; ok && i < len(n); i++ {
		digits, named := strings.CutPrefix(parts[i], [...]string{"m=", "t=", "p="}[i])
		v, err := strconv.ParseUint(digits, 10, 32)
		n[i], ok = v, named && err == nil
	}
	most := maxCost()
	if !ok || n[0] < 8*n[2] || n[0] > uint64(most.kib) || n[1] < 1 || n[1] > uint64(most.passes) || n[2] < 1 || n[2] > uint64(most.threads) {
		return cost{}, fmt.Errorf("PIN hash: cost %q: want m up to %d, t up to %d, p up to %d", s, most.kib, most.passes, most.threads)
	}
	return cost{uint32(n[0]), uint32(n[1]), uint8(n[2])}, nil
}
