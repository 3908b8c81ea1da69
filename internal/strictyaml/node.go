package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// Node is one value in a document, or the place where it might have been. The
// zero Node is absent. Every method may be called on an absent Node: it gives
// zero values and reports nothing.
type Node struct {
	d    *Document
	v    *value
	key  *value // of the pair that v belongs to; nil for elements and the root
	path string
}

// Root is the top of the document.
func (d *Document) Root() Node {
	if d.root == nil {
		return Node{}
	}
	return Node{d: d, v: d.root}
}

// Problems are all problems found so far and the keys nobody asked for, by
// place. Call it when everything has been read.
func (d *Document) Problems() Problems {
	all := slices.Clone(d.problems)
	d.unknown(d.root, "", &all)
	if d.head != nil && len(d.head.asked) > 1 { // a row has been read
		d.unknown(d.head, "", &all)
	}
	return all.Sorted()
}

// Err is Problems as an error, nil when there are none.
func (d *Document) Err() error { return d.Problems().Err() }

// unknown reports the keys of v and below that no reader knows.
func (d *Document) unknown(v *value, path string, all *Problems) {
	if v == nil {
		return
	}
	for i, c := range v.items {
		d.unknown(c, item(path, i), all)
	}
	for _, p := range v.pairs {
		at := join(path, p.key.text)
		if v.asked != nil && !v.skipped && !v.asked[p.key.text] {
			*all = append(*all, Problem{d.file, p.key.line, p.key.column, at, fmt.Sprintf("unknown key %q", p.key.text), v.known(p.key.text)})
			continue
		}
		d.unknown(p.value, at, all)
	}
}

// known is the hint for an unknown key: the nearest name, or all of them.
func (v *value) known(key string) string {
	var free []string
	for name := range v.asked {
		if _, taken := v.find(name); !taken {
			free = append(free, name)
		}
	}
	slices.Sort(free)
	if near := Nearest(key, free); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(free) == 0 || len(free) > 16 {
		return "remove it"
	}
	return "known here: " + strings.Join(free, ", ")
}

func (v *value) find(name string) (pair, bool) {
	for _, p := range v.pairs {
		if p.key.text == name {
			return p, true
		}
	}
	return pair{}, false
}

// Present reports whether the file has the value, be it right or wrong.
func (n Node) Present() bool { return n.v != nil }

// OK reports whether the file has the value and nothing was found wrong with it.
func (n Node) OK() bool { return n.v != nil && n.v.kind != refused }

// Path names the value from the top of the file.
func (n Node) Path() string { return n.path }

// Written is a single word or number as it stands in the file, without quotes;
// "" for lists, mappings and what is absent or refused.
func (n Node) Written() string {
	if !n.OK() {
		return ""
	}
	return n.v.text
}

// Line and Column are the value's place, from 1; 0 when absent.
func (n Node) Line() int {
	if n.v == nil {
		return 0
	}
	return n.v.line
}

// Column is the value's column in characters, from 1; 0 when absent.
func (n Node) Column() int {
	if n.v == nil {
		return 0
	}
	return n.v.column
}

// Get is the value of a key of a mapping. The name is then known.
func (n Node) Get(name string) Node {
	if !n.is(mapping, "keys with values") {
		return Node{}
	}
	if n.v.asked == nil {
		n.v.asked = map[string]bool{}
	}
	n.v.asked[name] = true
	p, ok := n.v.find(name)
	if !ok {
		return Node{d: n.d, path: join(n.path, name)}
	}
	return Node{d: n.d, v: p.value, key: p.key, path: join(n.path, name)}
}

// Need is Get for a key that must be there. It is reported at the mapping's own
// key when it is not.
func (n Node) Need(name string) Node {
	got := n.Get(name)
	if n.OK() && !got.Present() {
		at := n.v
		if n.key != nil {
			at = n.key
		}
		n.d.add(at.line, at.column, join(n.path, name), "missing", "add `"+name+": …`")
	}
	return got
}

// Entry is one key of a mapping whose keys are names, and its value.
type Entry struct {
	Name  string
	Value Node
}

// Entries are the keys of a mapping of names, in the order of the file. A key
// that is a number or a boolean is reported: it must be quoted to be a name.
func (n Node) Entries() []Entry {
	entries := n.AnyEntries()
	for i, e := range entries {
		if !e.Value.key.quoted && e.Value.key.kind != text {
			e.Value.KeyProblem(fmt.Sprintf("the key %s is not text", e.Name), fmt.Sprintf("write %q", e.Name))
			entries[i].Value = Node{}
		}
	}
	return slices.DeleteFunc(entries, func(e Entry) bool { return !e.Value.Present() })
}

// AnyEntries are Entries whose keys may also be numbers and booleans, as
// written: the values of a tag, for example.
func (n Node) AnyEntries() []Entry {
	if !n.is(mapping, "names with values") {
		return nil
	}
	n.v.skipped = true
	var entries []Entry
	for _, p := range n.v.pairs {
		entries = append(entries, Entry{p.key.text, Node{d: n.d, v: p.value, key: p.key, path: join(n.path, p.key.text)}})
	}
	return entries
}

// Seq are the elements of a list.
func (n Node) Seq() []Node {
	if !n.is(sequence, "a list [a, b]") {
		return nil
	}
	nodes := make([]Node, len(n.v.items))
	for i, v := range n.v.items {
		nodes[i] = Node{d: n.d, v: v, path: item(n.path, i)}
	}
	return nodes
}

// IsMap reports whether the value is a mapping. This and its like are for keys
// that take several forms; they report nothing as a problem.
func (n Node) IsMap() bool { return n.v != nil && n.v.kind == mapping }

// IsSeq reports whether the value is a list.
func (n Node) IsSeq() bool { return n.v != nil && n.v.kind == sequence }

// IsNull reports whether the key is there without a value.
func (n Node) IsNull() bool { return n.v != nil && n.v.kind == null }

// IsNumber reports whether the value is a number that is not quoted.
func (n Node) IsNumber() bool {
	return n.v != nil && (n.v.kind == whole || n.v.kind == number)
}

// Skip takes the value and all keys below it as they are, because what they
// should be is not known: an error that has been reported already, or a part
// read elsewhere.
func (n Node) Skip() {
	if n.v != nil {
		n.v.skipped = true
	}
}

// Problem reports what is wrong with the value, at the value. It is then
// refused: readers get zero and OK is false. On an absent Node it does nothing.
func (n Node) Problem(message, hint string) {
	if n.v == nil || n.v.kind == refused {
		return
	}
	n.d.add(n.v.line, n.v.column, n.path, message, hint)
	n.v.kind = refused
}

// KeyProblem reports what is wrong with the key, at the key. The key of a cell
// in a table is the column's, so there it is reported at the cell.
func (n Node) KeyProblem(message, hint string) {
	if n.v != nil && n.v.cell {
		n.Problem(message, hint)
		return
	}
	if n.key == nil || n.key.kind == refused {
		return
	}
	n.d.add(n.key.line, n.key.column, n.path, message, hint)
	n.key.kind = refused
}

// At is a Problem at the value (at the key when there is one and the value is
// absent) that is not recorded: for warnings.
func (n Node) At(message, hint string) Problem {
	p := Problem{Path: n.path, Message: message, Hint: hint}
	if n.d != nil {
		p.File = n.d.file
	}
	if n.v != nil {
		p.Line, p.Column = n.v.line, n.v.column
	}
	return p
}

// is reports whether the value is of the kind wanted, and says what is wrong
// when it is not.
func (n Node) is(k kind, want string) bool {
	if !n.OK() {
		return false
	}
	if n.v.kind == k {
		return true
	}
	n.want(want, "")
	return false
}

// want reports that the value is not what it should be.
func (n Node) want(want, hint string) {
	found := ""
	switch n.v.kind {
	case null:
		n.Problem("no value, want "+want, "give a value, or remove the key")
		return
	case boolean, whole, number:
		found = n.v.text
	case text:
		found = fmt.Sprintf("%q", clip(n.v.text))
	case mapping:
		found = "keys with values"
	case sequence:
		found = "a list"
	case refused:
	}
	n.Problem("found "+found+", want "+want, hint)
}

// clip keeps a message on one line of readable length.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
