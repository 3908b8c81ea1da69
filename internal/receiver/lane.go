package receiver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// laneFile is one lane's file and what is known of it. Entries are appended to
// buf and reach the file, and the disk, with sync.
type laneFile struct {
	stream
	f    *os.File
	size int64  // of the file, buf not included
	buf  []byte // appended and not yet written
	at   offsets
	held numbers

	counts Counts
	// told is the last number of the lane that the gateway says it has given.
	told uint64
}

// Counts is what a lane has had.
type Counts struct {
	Received   uint64 `json:"received"`   // entries stored, each once, those of earlier runs included
	Duplicated uint64 `json:"duplicated"` // came again, the same, in this run
	Missing    uint64 `json:"missing"`    // given, as far as can be told, and not received
	Conflicts  uint64 `json:"conflicts"`  // came again with other bytes, in this run
	Withheld   uint64 `json:"withheld"`   // tombstones for entries that are held, in this run
	Highest    uint64 `json:"highest"`    // the highest number received
}

// openLane opens or makes a lane's file and reads what is in it. repaired is
// how many bytes of an unfinished last line were cut off.
func openLane(dir string, s stream) (l *laneFile, repaired int64, err error) {
	path := filepath.Join(dir, s.file())
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, 0, fmt.Errorf("open lane file: %w", err)
	}
	l = &laneFile{stream: s, f: f, at: offsets{}}
	if err := l.load(path); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil && end > l.size {
		repaired = end - l.size
		err = errors.Join(f.Truncate(l.size), f.Sync())
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open lane file %s: %w", path, err), f.Close())
	}
	return l, repaired, nil
}

// load reads the whole lines of the file.
func (l *laneFile) load(path string) error {
	r := bufio.NewReaderSize(l.f, 1<<20)
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what is left is an unfinished line
		}
		if err != nil {
			return fmt.Errorf("read lane file: %w", err)
		}
		seq, err := seqOf(l.lane, line)
		if err != nil {
			return fmt.Errorf("%s:%d: not an entry (%w): the file was altered; put it back from a copy, or move it away to begin anew", path, number, err)
		}
		if _, twice := l.at.get(seq); twice {
			return fmt.Errorf("%s:%d: entry %d again: the file was altered; put it back from a copy, or move it away to begin anew", path, number, seq)
		}
		l.note(seq, l.size)
		l.size += int64(len(line))
	}
}

// note marks an entry as held.
func (l *laneFile) note(seq uint64, at int64) {
	l.at.put(seq, at)
	l.held = l.held.add(seq)
	l.counts.Received++
}

// append takes an entry that is not held.
func (l *laneFile) append(seq uint64, entry []byte) {
	l.note(seq, l.size+int64(len(l.buf)))
	l.buf = append(append(l.buf, entry...), '\n')
}

// get returns the bytes of an entry that is held.
func (l *laneFile) get(seq uint64) ([]byte, error) {
	at, ok := l.at.get(seq)
	if !ok {
		return nil, fmt.Errorf("entry %d is not held", seq)
	}
	if at >= l.size {
		line, _, _ := bytes.Cut(l.buf[at-l.size:], []byte{'\n'})
		return line, nil
	}
	r := bufio.NewReader(io.NewSectionReader(l.f, at, l.size-at))
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("read entry %d of %s: %w", seq, l.file(), err)
	}
	return line[:len(line)-1], nil
}

// sync makes what was appended durable. After an error the lane is not to be
// used again: what is on the disk is not known.
func (l *laneFile) sync() error {
	if len(l.buf) == 0 {
		return nil
	}
	if _, err := l.f.WriteAt(l.buf, l.size); err != nil {
		return fmt.Errorf("write lane file: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("sync lane file: %w", err)
	}
	l.size += int64(len(l.buf))
	l.buf = l.buf[:0]
	return nil
}

// count is the lane's counts now.
func (l *laneFile) count() Counts {
	c := l.counts
	c.Highest = l.held.highest()
	c.Missing = max(c.Highest, l.told) - min(c.Received, max(c.Highest, l.told))
	return c
}
