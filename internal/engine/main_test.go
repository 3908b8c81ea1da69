package engine

import (
	"flag"
	"fmt"
	"os"
	"testing"

	_ "pgregory.net/rapid" // has the flag
)

// TestMain makes every run try the same random cases, so that a change is judged
// by what it changes. `make random` tries others; a seed of one's own is given
// with -rapid.seed.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.seed"); f != nil && f.Value.String() == "0" {
		if err := f.Value.Set("1"); err != nil {
			fmt.Fprintln(os.Stderr, "rapid.seed:", err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}
