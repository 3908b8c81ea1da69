package journal

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a tree head that the gateway has put its name to. As text it is
// a C2SP checkpoint: a signed note whose lines are origin, size, root and,
// as an extension, the time:
//
//	andon/line2-ipc1/k5xqzjmnbvt2a4wd
//	1204
//	8Zt4…=
//	time 2026-03-01T06:00:00.000000000Z
//
//	— line2-ipc1 GisbPE…
type Checkpoint struct {
	Gateway string
	Epoch   string
	Size    int64
	Root    tlog.Hash
	At      int64 // when it was signed, by the gateway's clock, ns
}

func (c Checkpoint) text() string {
	return fmt.Sprintf("andon/%s/%s\n%d\n%s\ntime %s\n", c.Gateway, c.Epoch, c.Size, c.Root, instant(c.At))
}

func (c Checkpoint) sign(key note.Signer) ([]byte, error) {
	msg, err := note.Sign(&note.Note{Text: c.text()}, key)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", c.Size, err)
	}
	return msg, nil
}

// ParseCheckpoint reads a checkpoint and checks that key (a verifier key in the
// note format) signed it. It refuses any spelling but the one that the gateway
// writes, so no two different messages are the same checkpoint.
func ParseCheckpoint(msg []byte, key string) (Checkpoint, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: key %.60q: %w", key, err)
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := parseCheckpointText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	sig := n.Sigs[0]
	if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: signature: %w", err)
	}
	if string(msg) != n.Text+"\n— "+sig.Name+" "+sig.Base64+"\n" {
		return Checkpoint{}, fmt.Errorf("checkpoint: more than one signature")
	}
	return c, nil
}

func parseCheckpointText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, fmt.Errorf("checkpoint: %d lines, want 4", len(lines)-1)
	}
	origin := strings.Split(lines[0], "/")
	if len(origin) != 3 || origin[0] != "andon" {
		return Checkpoint{}, fmt.Errorf("checkpoint: origin %.60q, want andon/{gateway}/{epoch}", lines[0])
	}
	c := Checkpoint{Gateway: origin[1], Epoch: origin[2]}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return Checkpoint{}, fmt.Errorf("checkpoint: size %.40q", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: root %.60q", lines[2])
	}
	if c.At, err = parseInstant(strings.TrimPrefix(lines[3], "time ")); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if c.text() != text {
		return Checkpoint{}, fmt.Errorf("checkpoint: not in its canonical form")
	}
	return c, nil
}
