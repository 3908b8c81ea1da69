package journal

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// A sound file must never be taken for a damaged one: whatever bbolt makes of
// keys put and deleted in any order, in nested buckets and with values over
// many pages, passes the walk over its pages.
func TestSoundPagesPass(t *testing.T) {
	name := filepath.Join(fastDir(t), File)
	o := options()
	o.Quota = 64 << 20
	db, err := bolt.Open(name, 0o600, o.bolt())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	rounds := 1500
	if testing.Short() || raced {
		rounds = 300
	}
	for round := range rounds {
		if err := db.Update(func(tx *bolt.Tx) error { return shuffle(tx, r) }); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if torn, err := checkPages(f, info.Size()); torn != nil || err != nil {
			t.Fatalf("round %d: %v, %v", round, torn, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// shuffle puts, appends, deletes ranges and drops buckets at random.
func shuffle(tx *bolt.Tx, r *rand.Rand) error {
	name, lane, nested := strings.Cut([]string{"journal", "chain", "outbox/quality", "outbox/event"}[r.IntN(4)], "/")
	b, err := tx.CreateBucketIfNotExists([]byte(name))
	if nested && err == nil {
		b, err = b.CreateBucketIfNotExists([]byte(lane))
	}
	if err != nil {
		return err
	}
	b.FillPercent = []float64{0.1, 0.5, 1}[r.IntN(3)]
	first := uint64(r.IntN(4000))
	var errs []error
	for n := range uint64(r.IntN(120)) {
		k := partKey(first+n, r.IntN(3))[:8+2*r.IntN(2)]
		if r.IntN(5) < 2 {
			errs = append(errs, b.Delete(k))
		} else {
			errs = append(errs, b.Put(k, make([]byte, r.IntN([]int{10, 400, 992, 20000}[r.IntN(4)]))))
		}
	}
	if r.IntN(3) == 0 {
		for _, k := range keysIn(b, first, first+uint64(r.IntN(3000))) {
			errs = append(errs, b.Delete(k))
		}
	}
	return errors.Join(errs...)
}
