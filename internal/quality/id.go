package quality

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
)

// idLength is how much of the digest's base32 an id keeps: 130 bits.
const idLength = 26

// ID is prefix and a digest of the parts and of the number n of the input that
// began it: the same inputs give the same id, on every machine and after every
// restart. Parts are kept apart by a byte that no name holds.
func ID(prefix string, n uint64, parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(append(parts, strconv.FormatUint(n, 10)), "\x00")))
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(h[:])[:idLength])
}
