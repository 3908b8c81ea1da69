package rehearse

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"andon/internal/record"
)

// generated writes rows as they are read, so that no file of that size is
// needed.
type generated struct {
	row  func(n int) string // "" behind the last
	n    int
	rest string
}

func (g *generated) Read(p []byte) (int, error) {
	for g.rest == "" {
		if g.rest = g.row(g.n); g.rest == "" {
			return 0, io.EOF
		}
		g.n++
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// TestLongFile: samples that no evidence can reach back to are let go, and the
// evidence of what happens at the end of a long file is whole.
func TestLongFile(t *testing.T) {
	const rows, out = 60_000, 59_990
	csv := &generated{row: func(n int) string {
		switch {
		case n == 0:
			return "t,tc1,tc2\n"
		case n > rows:
			return ""
		case n == out:
			return fmt.Sprintf("%d,900,880\n", 10*n)
		}
		return fmt.Sprintf("%d,%d.5,880.25\n", 10*n, 880+n%7)
	}}
	var b strings.Builder
	r, err := begin(&b, Options{Spec: File{"R.A.spec.yaml", []byte(plain)}, Samples: csv, SamplesFile: "run.csv", Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for {
		x, err := r.rows.next()
		if err == io.EOF { //nolint:errorlint // as the reader promises
			break
		}
		if err == nil {
			err = r.row(&x)
		}
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(r.kept.blocks))
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if most > pruneAt {
		t.Errorf("up to %d blocks were kept of a file that has as many at once as evidence reaches back to: 1", most)
	}
	list := only(lines(t, b.String()), "deviation")
	last := list[len(list)-1]
	// suspect from the row before less 10 s, cleared 15 s behind the row after and
	// 25 s: rows out-2 to out+5, two samples each
	e := last.Data.Evidence
	if e == nil || e.Count != 16 || e.Records != [2]uint64{2*(out-2) - 1, 2 * (out + 5)} {
		t.Errorf("evidence %+v in %s", e, last.raw)
	}
}

// TestNothingIsMissedSilently: evidence that reaches back to what was let go is
// an error and never a shorter list.
func TestNothingIsMissedSilently(t *testing.T) {
	var k kept
	for n := uint64(1); len(k.blocks) < 3; n++ {
		scan := &record.Scan{Source: sourceName, Time: at(float64(n))}
		k.add(record.Input{N: n, At: scan.Time, Body: scan}, scan, record.Outcome{})
	}
	k.drop(k.blocks[1].to)
	if len(k.blocks) != 2 {
		t.Fatalf("%d blocks are left of 3", len(k.blocks))
	}
	if _, err := k.answer(&record.Wiring{}, record.Need{ID: "e", From: at(1), To: at(2)}); err == nil || !strings.Contains(err.Error(), "have been let go") {
		t.Errorf("%v", err)
	}
	if a, err := k.answer(&record.Wiring{}, record.Need{ID: "e", From: k.blocks[0].from, To: k.blocks[1].to}); err != nil || a.Count != 0 {
		t.Errorf("%v, %v", a, err)
	}
}
