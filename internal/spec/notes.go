package spec

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
)

// noteLine is one line of a signed text: a word, its value and the value's form.
type noteLine struct {
	word, value string
	shape       shape
}

// noteText is what is signed: a line that says what it is, and the lines.
func noteText(header string, lines []noteLine) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s\n", l.word, l.value)
	}
	return b.String()
}

// signNote returns a signed note: text, signature line, empty line.
func signNote(header string, lines []noteLine, at sample.Time, s note.Signer) ([]byte, error) {
	if err := wellFormed(lines, at); err != nil {
		return nil, err
	}
	b, err := note.Sign(&note.Note{Text: noteText(header, lines)}, s)
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// wellFormed checks each value's shape, not whether it is true.
func wellFormed(lines []noteLine, at sample.Time) error {
	for _, l := range lines {
		if !l.shape.MatchString(l.value) {
			return fmt.Errorf("%s %q: want %s", l.word, clip(l.value), l.shape.like)
		}
	}
	if at == 0 {
		return errors.New("time: missing")
	}
	return nil
}

// eachNote calls fn with every note of a file, without its closing empty line.
// The error names the note, counted from 1.
func eachNote(b []byte, fn func(one []byte) error) error {
	if len(b) > MaxApprovalsBytes {
		return fmt.Errorf("%d bytes, more than %d", len(b), MaxApprovalsBytes)
	}
	if i := bytes.IndexByte(b, '\r'); i >= 0 {
		return fmt.Errorf("line %d ends in a carriage return: the file was saved by an editor or sent as text; bring it again as it was signed", bytes.Count(b[:i], []byte("\n"))+1)
	}
	for n := 1; len(b) > 0; n++ {
		if n > MaxApprovals {
			return fmt.Errorf("more than %d notes", MaxApprovals)
		}
		one, rest, err := cutNote(b)
		if err == nil {
			err = fn(one)
		}
		if err != nil {
			return fmt.Errorf("note %d: %w", n, err)
		}
		b = rest
	}
	return nil
}

var sigPrefix = []byte("— ")

// cutNote takes the first note, without its closing empty line, off b.
func cutNote(b []byte) (one, rest []byte, err error) {
	i := bytes.Index(b, []byte("\n\n"))
	if i < 0 {
		return nil, nil, errors.New("no empty line between text and signature: the note is cut short")
	}
	j := bytes.IndexByte(b[i+2:], '\n')
	if j < 0 || !bytes.HasPrefix(b[i+2:], sigPrefix) {
		return nil, nil, errors.New("no signature line after the text: the note is cut short or not signed")
	}
	end := i + 2 + j + 1
	switch rest = b[end:]; {
	case bytes.HasPrefix(rest, sigPrefix):
		return nil, nil, errors.New("more than one signature line: one note carries one person's signature")
	case len(rest) == 0 || rest[0] != '\n':
		return nil, nil, errors.New("no empty line after the signature line: the note is cut short or another was put behind it by hand")
	}
	return b[:end], rest[1:], nil
}

// signedNote is what every note has besides the words of its kind.
type signedNote struct {
	time   sample.Time
	key    string // NAME+hash, as the signature line claims
	signed []byte // the whole note, signature line included
}

// parseNote reads what noteText wrote, and nothing else, with its signature line.
// lines are those of an empty one of its kind, the last of which is its time;
// into is where the values of the others go.
func parseNote(one []byte, header string, lines []noteLine, into []*string) (signedNote, error) {
	split := bytes.LastIndex(one, []byte("\n\n"))
	text, sig := string(one[:split+1]), string(one[split+2:len(one)-1])
	at, err := parseNoteText(text, header, lines, into)
	if err != nil {
		return signedNote{}, err
	}
	key, err := parseSignatureLine(sig)
	return signedNote{at, key, bytes.Clone(one)}, err
}

func parseNoteText(text, header string, want []noteLine, into []*string) (sample.Time, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != header {
		return 0, fmt.Errorf("first line %q: want %q", clip(lines[0]), header)
	}
	if len(lines) != 1+len(want) {
		return 0, fmt.Errorf("%d lines of text: want %d", len(lines), 1+len(want))
	}
	var when string
	into = append(into[:len(into):len(into)], &when)
	for i := range want {
		l := &want[i]
		value, ok := strings.CutPrefix(lines[i+1], l.word+" ")
		if !ok {
			return 0, fmt.Errorf("line %d %q: want %q and its value", i+2, clip(lines[i+1]), l.word)
		}
		*into[i], l.value = value, value
	}
	std, err := time.Parse(time.RFC3339Nano, when)
	if err != nil {
		return 0, fmt.Errorf("time %q: want RFC 3339 in UTC", clip(when))
	}
	at := sample.At(std)
	if err := wellFormed(want, at); err != nil {
		return 0, err
	}
	if at.String() != when { // another way to write the same instant
		return 0, fmt.Errorf("time %q: want %s", clip(when), at)
	}
	return at, nil
}

// parseSignatureLine returns the key that a signature line names. The line must
// be the one form of its signature: base64 leaves bits that a laxer reader
// ignores.
func parseSignatureLine(line string) (key string, err error) {
	name, b64, ok := strings.Cut(strings.TrimPrefix(line, string(sigPrefix)), " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	const hashAndEd25519 = 4 + 64
	if !ok || err != nil || len(raw) != hashAndEd25519 || strings.ContainsRune(name, '+') {
		return "", errors.New("the signature line is damaged")
	}
	return fmt.Sprintf("%s+%08x", name, binary.BigEndian.Uint32(raw)), nil
}

// clip keeps foreign text in messages short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
