package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// benchGroup is a group of samples as they come from 200 tags: 12 bytes of
// record a sample, and every tenth time a message.
func benchGroup(head Head, samples int) Group {
	g := group(head, 1, samples, nil, nil)
	body := make([]byte, 12*samples)
	for i := range body {
		body[i] = byte(uint64(i) * (head.N + 7) >> 3)
	}
	g.Records = append(g.Records, frame(9, body)...)
	if head.Size%10 == 0 {
		e := quality(uint64(head.Size/10) + 1)
		g.Entries, g.Records = []Entry{e}, append(g.Records, entryFrame(e)...)
	}
	return g
}

// probe measures what the disk itself takes for 4 KiB overwritten and flushed,
// beside the journal and in turn with it.
type probe struct {
	f    *os.File
	page []byte
}

func newProbe(b *testing.B, dir string) *probe {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	})
	return &probe{f, make([]byte, pageSize)}
}

func (p *probe) flush(b *testing.B) time.Duration {
	b.Helper()
	start := time.Now()
	if _, err := p.f.WriteAt(p.page, 0); err != nil {
		b.Fatal(err)
	}
	if err := datasync(p.f); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func p50(times []time.Duration) time.Duration {
	times = slices.Clone(times)
	slices.Sort(times)
	return times[len(times)/2]
}

// BenchmarkCommit gives the middle commit in flushes of the same disk in the
// same run: bbolt cannot do with fewer than two.
func BenchmarkCommit(b *testing.B) {
	for _, samples := range []int{1, 200, 2000, 10000} {
		b.Run(fmt.Sprintf("%d samples", samples), func(b *testing.B) {
			o := options()
			o.Quota = 8 << 30
			dir := b.TempDir()
			j := mustOpen(b, dir, o)
			probe := newProbe(b, dir)
			var times, flushes []time.Duration
			bytes := j.written()
			for b.Loop() {
				g := benchGroup(j.Head(), samples)
				start := time.Now()
				if _, err := j.Commit(g); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(start))
				b.StopTimer()
				flushes = append(flushes, probe.flush(b))
				b.StartTimer()
			}
			middle, flush := p50(times), p50(flushes)
			b.ReportMetric(float64(middle.Microseconds()), "p50-µs")
			b.ReportMetric(float64(flush.Microseconds()), "flush-µs")
			b.ReportMetric(float64(middle)/float64(flush), "flushes/commit")
			b.ReportMetric(float64(j.written()-bytes)/1024/float64(len(times)), "KiB/commit")
			b.ReportMetric(float64(samples)*float64(time.Second)/float64(middle), "samples/s")
		})
	}
}

// written is how many bytes of pages bbolt has allocated for writing.
func (j *Journal) written() int64 {
	s := j.db.Stats()
	return s.TxStats.GetPageAlloc()
}

// BenchmarkRead gives the speed of reading the record in order, hashes checked.
func BenchmarkRead(b *testing.B) {
	j := mustOpen(b, b.TempDir(), options())
	size := 0
	for range 300 {
		g := benchGroup(j.Head(), 2000)
		size += len(g.Records)
		mustCommit(b, j, g)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if err := j.Commits(1, func(Header, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen gives the time from nothing to a journal that takes commits, of
// a file of 256 MiB that was not closed.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	j := mustOpen(b, dir, options())
	for j.Head().Size < 512 {
		g := group(j.Head(), 1, 1, nil, nil)
		g.Records = append(g.Records, frame(9, make([]byte, 500<<10))...)
		mustCommit(b, j, g)
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j, err := Open(dir, options())
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
