package receiver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// treeHead is a checkpoint: the size and root of a gateway's journal. It is one
// line of the checkpoints' file.
type treeHead struct {
	At       string `json:"at"` // when it was received
	Origin   string `json:"origin"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Verified bool   `json:"verified"` // signed with the gateway's known key
	Note     string `json:"note"`     // the whole of it
}

// parseHead reads a checkpoint; key is the gateway's, nil if it is not known.
func parseHead(gateway string, signed []byte, key note.Verifier) (treeHead, error) {
	text, _, found := strings.Cut(string(signed), "\n\n")
	if !found {
		return treeHead{}, errors.New("not a signed note")
	}
	if key != nil {
		n, err := note.Open(signed, note.VerifierList(key))
		if err != nil {
			return treeHead{}, fmt.Errorf("its signature: %w", err)
		}
		text = strings.TrimSuffix(n.Text, "\n")
	}
	lines := strings.Split(text, "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "andon/"+gateway+"/") {
		return treeHead{}, fmt.Errorf("not a checkpoint of gateway %s", gateway)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || lines[2] == "" {
		return treeHead{}, errors.New("its size or root cannot be read")
	}
	return treeHead{Origin: lines[0], Size: size, Root: lines[2], Verified: key != nil, Note: string(signed)}, nil
}

// inconsistent says why two heads cannot be of one history. (That a larger one
// contains the smaller takes a proof, which the gateway's export carries.)
func (h treeHead) inconsistent(next treeHead) string {
	switch {
	case next.Size < h.Size:
		return fmt.Sprintf("the journal has shrunk from %d commits to %d", h.Size, next.Size)
	case next.Size == h.Size && next.Root != h.Root:
		return fmt.Sprintf("the journal has two roots at %d commits: %s and %s", h.Size, h.Root, next.Root)
	}
	return ""
}

// checkpoint keeps a checkpoint if it is new, and cries out if it contradicts
// the last one.
func (s *store) checkpoint(gateway, topic string, signed []byte) error {
	h, err := parseHead(gateway, signed, s.keys[gateway])
	if err != nil {
		s.log.Error("CHECKPOINT that cannot be believed", "gateway", gateway, "err", err)
		return s.aside(gateway, topic, "checkpoint: "+err.Error(), signed)
	}
	last, known := s.heads[h.Origin]
	if known && h.Size == last.Size && h.Root == last.Root {
		return nil
	}
	if why := last.inconsistent(h); known && why != "" {
		if s.kept(gateway, h) {
			return nil // an old one again: a history is sent again until it is acknowledged
		}
		s.log.Error("CHECKPOINT MISMATCH: this is not the history that was shown before", "gateway", gateway, "origin", h.Origin, "reason", why)
		return s.aside(gateway, topic, "checkpoint: "+why, signed)
	}
	h.At = now()
	s.heads[h.Origin] = h
	return s.appendLine(checkpointFile(gateway), h)
}

func checkpointFile(gateway string) string { return gateway + ".checkpoints.jsonl" }

// kept says whether just this head is in the file. It is asked for only when
// one comes out of order.
func (s *store) kept(gateway string, h treeHead) bool {
	found := false
	err := eachHead(filepath.Join(s.dir, checkpointFile(gateway)), func(k treeHead) {
		found = found || k.Origin == h.Origin && k.Size == h.Size && k.Root == h.Root
	})
	return err == nil && found
}

// loadHeads reads the last head of each origin.
func (s *store) loadHeads(name string) error {
	return eachHead(filepath.Join(s.dir, name), func(h treeHead) { s.heads[h.Origin] = h })
}

// eachHead reads a checkpoints' file. A last line without its end is passed
// over; any other that is none is an error.
func eachHead(path string, f func(treeHead)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	r := bufio.NewReader(file)
	for number := 1; err == nil; number++ {
		var line []byte
		if line, err = r.ReadBytes('\n'); err != nil {
			break
		}
		var h treeHead
		if bad := json.Unmarshal(line, &h); bad != nil {
			err = fmt.Errorf("%s:%d: not a checkpoint (%w): put the file back from a copy, or move it away to begin anew", path, number, bad)
			break
		}
		f(h)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, file.Close())
}
