package receiver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// store is the directory. It is used by one goroutine.
type store struct {
	dir   string
	log   *slog.Logger
	lock  *os.File
	lanes map[stream]*laneFile
	tails map[string]*tail    // by file name: checkpoints and what went aside
	heads map[string]treeHead // the last checkpoint, by origin
	keys  map[string]note.Verifier
	dirty map[*laneFile]bool
}

// rejection is an entry that is refused, as a receipt says it.
type rejection struct {
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// The codes of rejections.
const (
	codeConflict = "conflict" // this number is held with other bytes
	codeFormat   = "format"   // it is not an entry of this contract
)

// openStore opens a directory, makes it if need be, and reads what it holds.
func openStore(dir string, keys map[string]note.Verifier, log *slog.Logger) (*store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the receiver's directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &store{
		dir: dir, log: log, lock: lock, keys: keys,
		lanes: map[stream]*laneFile{}, tails: map[string]*tail{},
		heads: map[string]treeHead{}, dirty: map[*laneFile]bool{},
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *store) load() error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("read the receiver's directory: %w", err)
	}
	for _, f := range files {
		parts := strings.Split(f.Name(), ".")
		switch {
		case len(parts) == 4 && parts[3] == "jsonl":
			_, err = s.lane(stream{gateway: parts[0], epoch: parts[1], lane: parts[2]})
		case len(parts) == 3 && parts[1] == "checkpoints" && parts[2] == "jsonl":
			err = s.loadHeads(f.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lane returns a lane's file, opened and read.
func (s *store) lane(id stream) (*laneFile, error) {
	if l := s.lanes[id]; l != nil {
		return l, nil
	}
	l, repaired, err := openLane(s.dir, id)
	if err != nil {
		return nil, err
	}
	if repaired > 0 {
		s.log.Warn("unfinished last line cut off; it had not been receipted", "file", id.file(), "bytes", repaired)
	}
	s.lanes[id] = l
	return l, nil
}

// take stores a message's entries, as far as they are new, and returns those
// that are refused.
func (s *store) take(topic string, m message) ([]rejection, error) {
	l, err := s.lane(m.stream)
	if err != nil {
		return nil, err
	}
	s.dirty[l] = true
	var out []rejection
	for i, entry := range m.entries {
		seq := m.first + uint64(i)
		if _, held := l.at.get(seq); !held {
			l.append(seq, entry)
			continue
		}
		refused, err := s.again(l, topic, seq, entry)
		if err != nil {
			return nil, err
		}
		out = append(out, refused...)
	}
	return out, nil
}

// again compares an entry with the one that is held under its number.
func (s *store) again(l *laneFile, topic string, seq uint64, entry []byte) ([]rejection, error) {
	have, err := l.get(seq)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(have, entry) {
		l.counts.Duplicated++
		return nil, nil
	}
	_, isTomb := withheld(l.lane, entry)
	_, haveTomb := withheld(l.lane, have)
	if isTomb || haveTomb {
		// The gateway withheld what another consumer, or we, rejected. What is
		// held stays; either bytes under this number are the gateway's word.
		l.counts.Withheld++
		return nil, s.aside(l.gateway, topic, "withheld", entry)
	}
	l.counts.Conflicts++
	why := fmt.Sprintf("held with SHA-256 %s, came again with %s", hexSum(have), hexSum(entry))
	s.log.Error("CONFLICT: an entry came again with other content", "gateway", l.gateway, "epoch", l.epoch, "lane", l.lane, "seq", seq, "reason", why)
	return []rejection{{Seq: seq, Code: codeConflict, Reason: why}}, s.aside(l.gateway, topic, why, entry)
}

// asideLine is one line of the file of what was not stored as an entry.
type asideLine struct {
	At      string `json:"at"`
	Topic   string `json:"topic"`
	Why     string `json:"why"`
	Payload []byte `json:"payload"` // base64: it need not be text
}

// aside keeps what is not stored as an entry. It is durable with sync.
func (s *store) aside(gateway, topic, why string, payload []byte) error {
	return s.appendLine(gateway+".aside.jsonl", asideLine{At: now(), Topic: topic, Why: why, Payload: payload})
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// tail is a file that is only appended to.
type tail struct {
	f     *os.File
	dirty bool
}

// appendLine appends v as a line of JSON to a file.
func (s *store) appendLine(name string, v any) error {
	t := s.tails[name]
	if t == nil {
		f, err := s.openTail(name)
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		t = &tail{f: f}
		s.tails[name] = t
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	t.dirty = true
	if _, err := t.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// openTail opens a file for appending and cuts off an unfinished last line.
func (s *store) openTail(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	end, err := lastLineEnd(f)
	if err == nil {
		err = errors.Join(f.Truncate(end), syncDir(s.dir))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lastLineEnd is where the last whole line of a file ends.
func lastLineEnd(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// sync makes everything durable and returns the lanes that were touched.
func (s *store) sync() ([]*laneFile, error) {
	var touched []*laneFile
	for l := range s.dirty {
		if err := l.sync(); err != nil {
			return nil, err
		}
		touched = append(touched, l)
	}
	clear(s.dirty)
	for name, t := range s.tails {
		if !t.dirty {
			continue
		}
		if err := t.f.Sync(); err != nil {
			return nil, fmt.Errorf("sync %s: %w", name, err)
		}
		t.dirty = false
	}
	return touched, nil
}

func (s *store) close() error {
	var errs []error
	for _, l := range s.lanes {
		errs = append(errs, l.f.Close())
	}
	for _, t := range s.tails {
		errs = append(errs, t.f.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
