package strictyaml

import (
	"fmt"

	yaml "go.yaml.in/yaml/v3"
)

// convert makes our tree of the library's and reports everything in it that is
// not allowed anywhere.
func (d *Document) convert(n *yaml.Node, path string, depth int) *value {
	v := &value{kind: refused, text: n.Value, line: n.Line, column: n.Column}
	switch {
	case depth > MaxDepth:
		d.add(n.Line, n.Column, path, fmt.Sprintf("nested more than %d deep", MaxDepth), "")
		return v
	case n.Kind == yaml.AliasNode:
		d.add(n.Line, n.Column, path, "the alias *"+n.Value, "write the value itself")
		return v
	case n.Anchor != "":
		d.add(n.Line, n.Column, path, "the anchor &"+n.Anchor, "remove it and write the value where it is needed")
	case n.Style&yaml.TaggedStyle != 0:
		d.add(n.Line, n.Column, path, "the tag "+n.Tag, "remove it; quote a value that is text")
	}
	switch n.Kind {
	case yaml.MappingNode:
		v.kind, v.pairs = mapping, d.convertPairs(n, path, depth)
	case yaml.SequenceNode:
		v.kind = sequence
		for i, c := range n.Content {
			v.items = append(v.items, d.convert(c, item(path, i), depth+1))
		}
	case yaml.ScalarNode:
		d.convertScalar(v, n, path)
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return v
}

// convertPairs reads the keys of a mapping, each once.
func (d *Document) convertPairs(n *yaml.Node, path string, depth int) []pair {
	var pairs []pair
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		key, ok := d.convertKey(k, path, depth)
		if !ok {
			continue
		}
		at := join(path, key.text)
		v := d.convert(n.Content[i+1], at, depth+1)
		if line, again := first[key.text]; again {
			d.add(k.Line, k.Column, at, fmt.Sprintf("the key %q again", key.text), fmt.Sprintf("it is on line %d already: keep one", line))
			continue
		}
		first[key.text] = k.Line
		pairs = append(pairs, pair{key, v})
	}
	return pairs
}

// convertKey reads one key, which must be a single word or number.
func (d *Document) convertKey(k *yaml.Node, path string, depth int) (*value, bool) {
	if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" && k.Style == 0 {
		d.add(k.Line, k.Column, path, "the merge key <<", "write the keys themselves")
		return nil, false
	}
	if k.Kind != yaml.ScalarNode {
		d.add(k.Line, k.Column, path, "a key that is not a single word", "write `name: value`; quote text that begins with [ or {")
		return nil, false
	}
	key := d.convert(k, join(path, k.Value), depth)
	if key.text == "" {
		d.add(k.Line, k.Column, path, "a key without a name", "")
	}
	return key, key.kind != refused && key.text != ""
}

func (d *Document) convertScalar(v *value, n *yaml.Node, path string) {
	if n.Style&^yaml.TaggedStyle != 0 { // quoted, | or >
		v.kind, v.quoted = text, true
		return
	}
	k, cure := classify(n.Value)
	v.kind = k
	if cure != "" {
		d.add(n.Line, n.Column, path, fmt.Sprintf("%q is read differently by different YAML readers", n.Value), cure)
	}
}

// join and item make the path of a key and of an element.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
