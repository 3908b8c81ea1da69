package config

import (
	"fmt"
	"maps"
	"slices"

	"andon/internal/strictyaml"
)

func (r *reader) equipment(n strictyaml.Node) {
	places := map[string]string{}
	for _, e := range n.Entries() {
		named(e, idShape, idWords)
		v := e.Value
		q := Equipment{Name: e.Name, Title: e.Name}
		if t := v.Get("name"); t.Present() {
			q.Title = title(t)
		}
		if c := v.Get("class"); c.Present() {
			q.Class = shaped(c, tagShape, tagWords)
		}
		if a := v.Get("asset"); a.Present() {
			q.Asset = title(a)
		}
		q.SpecialProcess = v.Get("special_process").Bool()
		r.tags(v, &q, places)
		r.context(v.Get("context"), &q)
		r.c.Equipment = append(r.c.Equipment, q)
	}
}

// tags reads the tags of the file itself and those of a list beside it. places
// are the addresses seen so far and the tags that have them.
func (r *reader) tags(n strictyaml.Node, q *Equipment, places map[string]string) {
	entries := n.Get("tags").Entries()
	list := n.Get("tags_file")
	var doc *strictyaml.Document
	if list.Present() {
		if doc = r.table(list); doc != nil {
			entries = append(entries, doc.Root().Entries()...)
		}
	}
	if n.OK() && !n.Get("tags").Present() && !list.Present() {
		r.warn(n, "no tags: nothing of it is read", "add tags or tags_file")
	}
	seen := map[string]bool{}
	for _, e := range entries {
		named(e, tagShape, tagWords)
		if seen[e.Name] {
			e.Value.KeyProblem(fmt.Sprintf("the tag %q is in tags and in tags_file", e.Name), "keep one")
		}
		seen[e.Name] = true
		t := r.tag(e)
		r.sharedPlace(places, e.Value, q.Name+"/"+t.Name, &t)
		q.Tags = append(q.Tags, t)
	}
	if doc != nil {
		r.elsewhere = append(r.elsewhere, doc.Problems()...)
	}
}

// table reads a tags_file: a row a tag, named in the column tag, with the keys
// of a tag as the other columns.
func (r *reader) table(n strictyaml.Node) *strictyaml.Document {
	path := r.path(n)
	if path == "" {
		return nil
	}
	b, err := r.read(path)
	if err != nil {
		n.Problem(err.Error(), "the path is relative to the settings' own directory")
		return nil
	}
	r.sum.Write(b)
	return strictyaml.ParseTable(path, b, "tag")
}

// sharedPlace warns of two tags that read the same thing: likely one has
// another's address.
func (r *reader) sharedPlace(places map[string]string, n strictyaml.Node, name string, t *Tag) {
	var place string
	var at strictyaml.Node
	switch {
	case t.OPCUA != nil && t.OPCUA.Node != "":
		place, at = t.Source+" "+t.OPCUA.Node, n.Get("node")
	case t.Modbus != nil && t.Modbus.Table != "":
		m := t.Modbus
		place, at = fmt.Sprintf("%s %d %s %d %d", t.Source, m.UnitID, m.Table, m.Address, m.Bit), n.Get("address")
		if !at.Present() {
			at = n.Get("ref")
		}
	default:
		return
	}
	if first, again := places[place]; again {
		r.warn(at, "the same place as "+first, "check which of the two is right; a value may be read twice")
	}
	places[place] = name
}

// context reads where the words for what is being made come from.
func (r *reader) context(n strictyaml.Node, q *Equipment) {
	for _, e := range n.Entries() {
		named(e, fieldShape, fieldWords)
		v := e.Value
		b := Binding{Field: e.Name}
		tag, from := v.Get("tag"), v.Get("from")
		if v.OK() && tag.Present() == from.Present() {
			v.Problem("want either tag or from", "write {tag: NAME} or {from: mes} or {from: panel}")
		}
		if b.Tag = tag.Text(); tag.OK() {
			hasTag(tag, q)
		}
		if from.Present() {
			b.From = from.OneOf("mes", "panel")
		}
		b.Values = values(v.Get("values"), tag.Present())
		q.Context = append(q.Context, b)
	}
}

// hasTag refuses a binding to a tag that the equipment does not have.
func hasTag(n strictyaml.Node, q *Equipment) {
	names := map[string]bool{}
	for _, t := range q.Tags {
		names[t.Name] = true
	}
	if names[n.Text()] {
		return
	}
	hint := "the tag must be one of " + q.Name
	if near := strictyaml.Nearest(n.Text(), slices.Sorted(maps.Keys(names))); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	n.Problem(fmt.Sprintf("%s has no tag %q", q.Name, n.Text()), hint)
}

// values are what the numbers of a tag mean: {0: idle, 1: heat}.
func values(n strictyaml.Node, ofTag bool) map[string]string {
	if !n.Present() {
		return nil
	}
	if !ofTag {
		n.KeyProblem("values without a tag", "values say what a tag's numbers mean: remove them")
	}
	out := map[string]string{}
	for _, e := range n.AnyEntries() {
		if s := title(e.Value); e.Value.OK() {
			out[e.Name] = s
		}
	}
	return out
}
