package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"andon/internal/sample"
)

// Decoder reads canonical bytes back: one input with its outcome at a time.
type Decoder struct {
	rest []byte
	off  int
}

// NewDecoder reads the records of a commit.
func NewDecoder(records []byte) *Decoder { return &Decoder{rest: records} }

// Next returns the next input and all that was recorded to follow from it, or
// io.EOF behind the last. Any other error says at which byte the records stop
// making sense; no further call will do better.
func (d *Decoder) Next() (Input, Outcome, error) {
	var out Outcome
	if len(d.rest) == 0 {
		return Input{}, out, io.EOF
	}
	k, body, err := d.frame()
	if err != nil {
		return Input{}, out, err
	}
	in, err := decodeInput(k, body, &out)
	if err != nil {
		return Input{}, out, d.failed(k, err)
	}
	for len(d.rest) > 0 && Kind(d.rest[0]) >= KindJudgement {
		k, body, err := d.frame()
		if err != nil {
			return Input{}, out, err
		}
		if err := decodeOutcome(k, body, &out); err != nil {
			return Input{}, out, d.failed(k, err)
		}
	}
	return in, out, nil
}

// Each calls fn with every input of a commit's records and all that was recorded
// to follow from it, in order. It ends at the first error, fn's or its own.
func Each(records []byte, fn func(Input, Outcome) error) error {
	d := NewDecoder(records)
	for {
		in, out, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(in, out); err != nil {
			return err
		}
	}
}

func (d *Decoder) failed(k Kind, err error) error {
	return fmt.Errorf("record before byte %d, kind %d: %w", d.off, k, err)
}

func (d *Decoder) frame() (Kind, []byte, error) {
	n, w := binary.Uvarint(d.rest[1:])
	if w <= 0 || n > uint64(len(d.rest)-1-w) {
		return 0, nil, fmt.Errorf("record at byte %d, kind %d: length runs past the end", d.off, d.rest[0])
	}
	k, body := Kind(d.rest[0]), d.rest[1+w:1+w+int(n)]
	d.rest, d.off = d.rest[1+w+int(n):], d.off+1+w+int(n)
	return k, body, nil
}

// newBody returns an empty body of a kind whose body is JSON.
func newBody(k Kind) Body {
	switch k {
	case KindStart:
		return new(Start)
	case KindStop:
		return new(Stop)
	case KindLoss:
		return new(Loss)
	case KindTick:
		return new(Tick)
	case KindAct:
		return new(Act)
	case KindContext:
		return new(Context)
	case KindReceipt:
		return new(Receipt)
	case KindPolicy:
		return new(Policy)
	case KindSpecification:
		return new(Specification)
	case KindWithdrawal:
		return new(Withdrawal)
	case KindAnswer:
		return new(Answer)
	case KindClock:
		return new(Clock)
	case KindScan, KindConfirm, KindJudgement, KindEntry, KindRetired, KindNeed, KindDead:
	}
	return nil
}

func decodeInput(k Kind, body []byte, out *Outcome) (Input, error) {
	if k == KindScan {
		return decodeScan(body, out)
	}
	if k == KindConfirm {
		return decodeConfirm(body)
	}
	b := newBody(k)
	if b == nil {
		return Input{}, errors.New("not an input of this version")
	}
	j := inputJSON{Body: b}
	err := json.Unmarshal(body, &j)
	return Input{j.N, j.At, b}, err
}

func decodeOutcome(k Kind, body []byte, out *Outcome) error {
	switch k { //nolint:exhaustive // an input's kind is no outcome's
	case KindJudgement:
		return appendJSON(&out.Judgements, body)
	case KindRetired:
		return appendJSON(&out.Retired, body)
	case KindNeed:
		return appendJSON(&out.Needs, body)
	case KindDead:
		return appendJSON(&out.Dead, body)
	case KindEntry:
		e, err := DecodeEntry(body)
		out.Entries = append(out.Entries, e)
		return err
	}
	return errors.New("not an outcome of this version")
}

func appendJSON[T any](to *[]T, body []byte) error {
	var v T
	err := json.Unmarshal(body, &v)
	*to = append(*to, v)
	return err
}

// cursor takes fields off the front of a body. After the first one that is
// missing, bad stays set and every further one is zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *cursor) uvarint() uint64 {
	v, w := binary.Uvarint(c.b)
	if c.bad || w <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[w:]
	return v
}

func (c *cursor) varint() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) text() string { return string(c.take(c.uvarint())) }

func (c *cursor) back(at sample.Time) sample.Time {
	switch v := c.varint(); {
	case v == 0:
		return 0
	case v > 0:
		return at - sample.Time(v-1)
	default:
		return at - sample.Time(v)
	}
}

func (c *cursor) value(k sample.Kind) sample.Value {
	switch k {
	case sample.None:
		return sample.Value{}
	case sample.Bool:
		b := c.byte()
		c.bad = c.bad || b > 1
		return sample.Of(k, uint64(b), "")
	case sample.Int:
		return sample.Of(k, uint64(c.varint()), "")
	case sample.Uint:
		return sample.Of(k, c.uvarint(), "")
	case sample.Float:
		return sample.Of(k, c.uint64(), "")
	case sample.String:
		return sample.StringValue(c.text())
	}
	c.bad = true
	return sample.Value{}
}

// end says what is wrong with a body that was read to its end.
func (c *cursor) end() error {
	switch {
	case c.bad:
		return errors.New("body is short or has a value out of range")
	case len(c.b) > 0:
		return fmt.Errorf("%d bytes too many in the body", len(c.b))
	}
	return nil
}

func (c *cursor) head() (in Input, source string, t sample.Time) {
	in.N = c.uvarint()
	in.At = sample.Time(c.uint64())
	source = c.text()
	return in, source, in.At - sample.Time(c.varint())
}

func decodeScan(body []byte, out *Outcome) (Input, error) {
	c := &cursor{b: body}
	in, source, t := c.head()
	s := &Scan{Source: source, Time: t, AsOf: c.back(in.At), Server: c.back(in.At)}
	out.FirstI = c.uvarint()
	n := c.uvarint()
	if n > uint64(len(c.b)) { // a reading takes at least two bytes
		return in, errors.New("count of readings runs past the end")
	}
	s.Readings = make([]sample.Reading, 0, n)
	for i := range int(n) {
		r, again := c.reading()
		s.Readings = append(s.Readings, r)
		if again {
			out.Repeated = append(out.Repeated, i)
		}
	}
	in.Body = s
	return in, c.end()
}

func (c *cursor) reading() (r sample.Reading, again bool) {
	tag := c.uvarint()
	c.bad = c.bad || tag > 1<<32-1
	head := c.byte()
	r.Tag, r.Quality = sample.Tag(tag), sample.Quality(head&3)
	c.bad = c.bad || r.Quality > sample.Bad
	r.Value = c.value(sample.Kind(head >> 2 & 7))
	if head&headRaw != 0 {
		k := sample.Kind(c.byte())
		c.bad = c.bad || k == sample.None
		r.Raw = c.value(k)
	}
	if head&headStatus != 0 {
		r.Status = c.text()
		c.bad = c.bad || r.Status == ""
	}
	return r, head&headAgain != 0
}

func decodeConfirm(body []byte) (Input, error) {
	c := &cursor{b: body}
	in, source, t := c.head()
	b := &Confirm{Source: source, Time: t}
	n := c.uvarint()
	if n > uint64(len(c.b)) {
		return in, errors.New("count of excepted tags runs past the end")
	}
	for range int(n) {
		b.Except = append(b.Except, sample.Tag(c.uvarint()))
	}
	in.Body = b
	return in, c.end()
}

// DecodeEntry reads the body of an outbox entry's frame.
func DecodeEntry(body []byte) (Entry, error) {
	c := &cursor{b: body}
	e := Entry{Lane: c.text(), Topic: c.text(), Seq: c.uvarint()}
	if c.bad {
		return e, c.end()
	}
	e.Payload = append(json.RawMessage(nil), c.b...)
	return e, nil
}
