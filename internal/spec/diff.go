package spec

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two documents.
type Change struct {
	// Path names the value as the document does, parameters and rules by their
	// ids: parameters[load_temp].rules[soak].min.
	Path string `json:"path"`
	// Old and New are the values as text, in the units of the document; "" for
	// none. A parameter or rule that only one document has is there in words, one
	// line for each thing that it says.
	Old string `json:"old"`
	New string `json:"new"`
	// Words say it on one line: "load_temp: rule soak: min: 40min -> 45min".
	Words string `json:"words"`
}

// Diff lists what b says otherwise than a, in the order of the document. Both
// are compared as they are read, defaults filled in and names of limits
// resolved: two documents of different bytes that differ only in comments,
// spaces, the order of keys or a default written out have no difference. The
// hash is not compared: it is of the bytes.
//
// A rule that takes a limit of its parameter by name changes with it, and both
// are listed: what is judged otherwise is never left to be concluded.
func Diff(a, b *Document) []Change {
	d := differ{changes: []Change{}}
	d.compare(documentPart(a), documentPart(b), "", nil)
	return d.changes
}

// part is a document, or something in it, laid out to be compared: a value, or
// parts of its own.
type part struct {
	key   string // in the path, behind that of what it is part of
	label string // in words; "" where the parts' own words are enough

	value  string // "" for none
	unit   string // of value, in words only
	none   string // in words for no value; "" for "none"
	quoted bool   // text for people, in quotes in words

	parts []part
	// whole gives what a parameter or rule says, in words: where only one document
	// has it, it is one change. nil for what has no words as a whole.
	whole func() string
	title string // instead of label where the whole is told
	// listed: the order of the parts is the document's own.
	listed bool
}

// differ collects changes.
type differ struct{ changes []Change }

// compare compares two parts of one key. labels are those of what they are part
// of.
func (d *differ) compare(a, b part, path string, labels []string) {
	if b.label != "" {
		labels = append(slices.Clip(labels), b.label)
	}
	if a.value != b.value {
		unit := b.unit // said once, behind the value that has it
		if b.value == "" {
			unit = ""
		}
		d.add(path, a.value, b.value, labels, a.words(unit)+" -> "+b.words(""))
	}
	d.order(a, b, path, labels)
	for _, p := range merged(a.parts, b.parts) {
		at := path + p.key
		if path != "" && p.key[0] != '[' {
			at = path + "." + p.key
		}
		d.pair(a.find(p), b.find(p), at, labels)
	}
}

// pair compares a part with the one of its key in the other document; nil for
// none there.
func (d *differ) pair(a, b *part, path string, labels []string) {
	switch {
	case a == nil && b.whole != nil:
		d.add(path, "", b.whole(), append(slices.Clip(labels), cmp.Or(b.title, b.label)), "added")
	case b == nil && a.whole != nil:
		d.add(path, a.whole(), "", append(slices.Clip(labels), cmp.Or(a.title, a.label)), "removed")
	case a == nil:
		d.compare(b.without(), *b, path, labels)
	case b == nil:
		d.compare(*a, a.without(), path, labels)
	default:
		d.compare(*a, *b, path, labels)
	}
}

// order reports that what both have stands in another order.
func (d *differ) order(a, b part, path string, labels []string) {
	if !b.listed {
		return
	}
	before, after := common(a.parts, b.parts), common(b.parts, a.parts)
	if !slices.Equal(before, after) {
		last := path[strings.LastIndexByte(path, '.')+1:]
		d.add(path, strings.Join(before, ", "), strings.Join(after, ", "), append(slices.Clip(labels), last), "in another order: "+strings.Join(after, ", "))
	}
}

func (d *differ) add(path, old, now string, labels []string, words string) {
	d.changes = append(d.changes, Change{path, old, now, strings.Join(labels, ": ") + ": " + words})
}

// without is the part with nothing in it.
func (p part) without() part {
	p.value, p.parts = "", nil
	return p
}

// words is the value as a reader sees it. A unit that the other side has too is
// said there.
func (p part) words(other string) string {
	switch {
	case p.value == "" && p.none != "":
		return p.none
	case p.value == "":
		return "none"
	case p.quoted:
		return strconv.Quote(p.value)
	case p.unit == "" || p.unit == other:
		return p.value
	}
	return p.value + " " + p.unit
}

// find is the part of p that has the key of another one.
func (p part) find(other part) *part {
	for i := range p.parts {
		if p.parts[i].key == other.key {
			return &p.parts[i]
		}
	}
	return nil
}

// has says whether a list has a part of that key.
func has(list []part, key string) bool {
	return slices.ContainsFunc(list, func(p part) bool { return p.key == key })
}

// merged are the parts of b in their order, and those that only a has, each
// behind what it follows there.
func merged(a, b []part) []part {
	var list []part
	next := 0
	gone := func(until int) {
		for ; next < until; next++ {
			if !has(b, a[next].key) {
				list = append(list, a[next])
			}
		}
	}
	for _, p := range b {
		if i := slices.IndexFunc(a, func(q part) bool { return q.key == p.key }); i >= next {
			gone(i)
			next = i + 1
		}
		list = append(list, p)
	}
	gone(len(a))
	return list
}

// common are the names of those parts that the other list has too.
func common(list, other []part) []string {
	var names []string
	for _, p := range list {
		if has(other, p.key) {
			names = append(names, strings.Trim(p.key, "[]"))
		}
	}
	return names
}
