package rehearse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"andon/internal/record"
	"andon/internal/sample"
)

// export is the lines of an export that must come out again: samples and events.
// Confirmations are inputs, and nothing follows from them alone; they are passed
// over. Since an export is in the order of the record, one line at a time is
// enough.
type export struct {
	file string
	in   *bufio.Reader
	line []byte // the next that must come
	n    int    // its number
	over bool   // all have come
	came int    // how many have
}

func newExport(file string, r io.Reader) *export {
	return &export{file: file, in: bufio.NewReaderSize(r, 1<<16)}
}

// exportLine is how long a line may be. An event with its evidence inline has a
// few hundred samples.
const exportLine = 4 << 20

// What the lines of an export begin with.
var (
	eventHead        = []byte(`{"specversion":`)
	sampleHead       = []byte(`{"i":`)
	confirmationHead = []byte(`{"equipment":`)
)

// advance reads on to the next line that must come out.
func (x *export) advance() error {
	for {
		line, err := x.read()
		if errors.Is(err, io.EOF) {
			x.over = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", x.file, x.n, err)
		}
		switch {
		case bytes.HasPrefix(line, eventHead), bytes.HasPrefix(line, sampleHead):
			x.line = line
			return nil
		case !bytes.HasPrefix(line, confirmationHead):
			return fmt.Errorf("%s:%d: neither a sample nor a confirmation nor an event: %q is not from an export", x.file, x.n, clip(string(line)))
		}
	}
}

// read returns one line, without its end.
func (x *export) read() (line []byte, err error) {
	x.n++
	for {
		part, err := x.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > exportLine:
			return nil, fmt.Errorf("a line of more than %d bytes: this is no export", exportLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		default:
			return bytes.TrimRight(line, "\r\n"), nil
		}
	}
}

// follow takes what follows from an input: lines that are the export's next take
// it on.
func (x *export) follow(w *record.Wiring, in record.Input, out record.Outcome) (err error) {
	come := func(b []byte) {
		if err == nil && !x.over && bytes.Equal(b, x.line) {
			x.came++
			err = x.advance()
		}
	}
	record.Samples(w, in, out, func(_ sample.Tag, s record.Sample) { come(s.JSON()) })
	for i := range out.Entries {
		come(out.Entries[i].Payload)
	}
	return err
}
