// Package production keeps what is being made on one piece of equipment: lot,
// phase, operation, material, operator and the rest of the context, each as a
// timeline, so that a value is judged with what was true at its source time.
//
// A field of which nothing has been heard, or whose tag is in a gap, is
// unknown, and says so: it is never guessed from what was known before.
//
// It is pure: it reads no clock and does no I/O.
package production

import (
	"sort"

	"andon/internal/sample"
)

// keep is how many past values of a field are kept. Late data and the product
// exposed during an excursion are looked up in them; beyond that the record has
// all of it.
const keep = 256

// Fields of the context that the gateway itself uses.
const (
	Phase     = "phase"
	Lot       = "lot"
	Material  = "material"
	Operation = "operation"
	WorkOrder = "work_order"
	Serials   = "serials"
	Operator  = "operator"
)

// Unknown is how a field that is not known is written everywhere.
const Unknown = "unknown"

// Value is what a field was from an instant on. Known with an empty text means
// that there was nothing: no lot in the furnace.
type Value struct {
	From  sample.Time `json:"from"`
	Text  string      `json:"text"`
	Known bool        `json:"known"`
	By    string      `json:"by"` // tag, mes, panel
}

// String is the text, or "unknown".
func (v Value) String() string {
	if !v.Known {
		return Unknown
	}
	return v.Text
}

// Context is the state: the timelines of all fields.
type Context struct {
	Fields map[string][]Value `json:"fields"` // each in order of From
}

// Set says what a field is from an instant on and reports whether that changes
// anything. A value older than the newest is put in its place.
func (c *Context) Set(field string, v Value) (changed bool) {
	if c.Fields == nil {
		c.Fields = map[string][]Value{}
	}
	line := c.Fields[field]
	i := sort.Search(len(line), func(i int) bool { return line[i].From > v.From })
	if i > 0 && line[i-1].Text == v.Text && line[i-1].Known == v.Known {
		return false
	}
	if i > 0 && line[i-1].From == v.From {
		line[i-1] = v
		return true
	}
	line = append(line, Value{})
	copy(line[i+1:], line[i:])
	line[i] = v
	if len(line) > keep {
		line = append(line[:0], line[len(line)-keep:]...)
	}
	c.Fields[field] = line
	return true
}

// At is what a field was at an instant. Nothing heard by then: unknown.
func (c *Context) At(field string, t sample.Time) Value {
	line := c.Fields[field]
	for i := len(line) - 1; i >= 0; i-- { // nearly always the last
		if line[i].From <= t {
			return line[i]
		}
	}
	return Value{}
}

// Remembers says whether the field's past reaches back to an instant.
func (c *Context) Remembers(field string, t sample.Time) bool {
	line := c.Fields[field]
	return len(line) < keep || line[0].From <= t
}

// During is every value that a field had from from on until before to, in order,
// each once.
func (c *Context) During(field string, from, to sample.Time) []Value {
	all := []Value{c.At(field, from)}
	for _, v := range c.Fields[field] {
		if v.From > from && v.From < to && !has(all, v) {
			all = append(all, v)
		}
	}
	return all
}

func has(all []Value, v Value) bool {
	for _, w := range all {
		if w.Text == v.Text && w.Known == v.Known {
			return true
		}
	}
	return false
}

// Met says whether a field had one of the values at an instant; known is false
// when that cannot be told.
func (c *Context) Met(field string, values []string, t sample.Time) (met, known bool) {
	v := c.At(field, t)
	if !v.Known {
		return false, false
	}
	for _, want := range values {
		if want == v.Text {
			return true, true
		}
	}
	return false, true
}

// Names are the fields of which anything is known, in order.
func (c *Context) Names() []string {
	names := make([]string, 0, len(c.Fields))
	for f := range c.Fields {
		names = append(names, f)
	}
	sort.Strings(names)
	return names
}
