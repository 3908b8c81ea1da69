package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// fieldShape is the form of a context field's name, tagShape of a tag's.
var (
	fieldShape = shape{regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`), "small letters, digits and _, a letter first"}
	tagShape   = shape{regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`), "letters, digits, -, _ and ."}
	anyShape   = shape{regexp.MustCompile(`(?s).`), "a name"}
)

// Parse reads a specification document. The error is strictyaml.Problems:
// every mistake at once, each with its place in file, its cause and its cure.
// Nothing in the document is ignored: a key has an effect, is kept as
// description, or is refused.
func Parse(file string, b []byte) (*Document, error) {
	sum := sha256.Sum256(b)
	yaml := strictyaml.Parse(file, b)
	p := &parser{doc: &Document{SHA256: hex.EncodeToString(sum[:]), places: map[string]strictyaml.Problem{}}}
	p.document(yaml.Root())
	if err := yaml.Err(); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// parser fills doc. Problems are collected by the nodes that it reads.
type parser struct{ doc *Document }

func (p *parser) document(n strictyaml.Node) {
	n.Need("schema").OneOf(Schema)
	d := p.doc
	d.ID = shaped(n.Need("id"), idShape)
	d.Revision = shaped(n.Need("revision"), revisionShape)
	d.Title = words(n.Get("title"))

	o := n.Get("document")
	d.Origin = Origin{
		System: words(o.Get("system")), Number: words(o.Get("number")),
		Change: words(o.Get("change")), Reason: words(o.Get("reason")),
	}
	d.Effective = effective(n.Need("effective"))
	p.placeOf(n, "revision")
	p.placeOf(n.Get("effective"), "from", "to")
	d.Scope = p.scope(n.Get("scope"))
	d.ContextRequired = p.names(n.Get("context_required"), fieldShape)
	d.AppliesWhen = p.appliesWhen(n.Get("applies_when"))
	p.parameters(n.Need("parameters"))
	d.Classification = classification(n.Get("classification"))
	p.placeOf(n.Get("classification"), "escalate_to_critical_when")
}

func effective(n strictyaml.Node) Effective {
	from, to := n.Need("from"), n.Get("to")
	e := Effective{From: instant(from), To: instant(to)}
	if from.OK() && to.OK() && e.To <= e.From {
		to.Problem(fmt.Sprintf("effective.to %s is not after effective.from %s", e.To, e.From), "the revision would never judge")
	}
	return e
}

func instant(n strictyaml.Node) sample.Time {
	t := sample.At(n.Time())
	if t == 0 && n.OK() { // 0 means "not known" everywhere else
		n.Problem("1970-01-01T00:00:00Z is not an instant a specification can name", "")
	}
	return t
}

func (p *parser) scope(n strictyaml.Node) Scope {
	p.place(n)
	s := Scope{
		Materials:      p.names(n.Get("materials"), anyShape),
		Operation:      words(n.Get("operation")),
		EquipmentClass: words(n.Get("equipment_class")),
		Equipment:      p.names(n.Get("equipment"), anyShape),
	}
	for _, key := range []string{"operation", "equipment_class"} {
		if v := n.Get(key); v.OK() && words(v) == "" {
			v.Problem("empty", "remove the key: an absent one restricts nothing")
		}
	}
	return s
}

func (p *parser) appliesWhen(n strictyaml.Node) []Condition {
	var list []Condition
	for _, e := range n.Entries() {
		p.place(e.Value)
		if !fieldShape.MatchString(e.Name) {
			e.Value.KeyProblem(fmt.Sprintf("%q is not the name of a context field", e.Name), "phase, operation, material, lot, …")
			continue
		}
		list = append(list, Condition{Field: e.Name, Values: p.names(e.Value, anyShape)})
	}
	if n.OK() && n.IsMap() && len(list) == 0 {
		n.Problem("no condition", "remove the key: without it the specification always applies")
	}
	return list
}

func (p *parser) parameters(n strictyaml.Node) {
	p.place(n)
	nodes := n.Seq()
	if n.OK() && len(nodes) == 0 {
		n.Problem("no parameter", "nothing would be judged")
	}
	seen := map[string]bool{}
	for _, e := range nodes {
		par := p.parameter(e)
		unique(seen, e.Get("id"), par.ID, "parameter")
		p.doc.Parameters = append(p.doc.Parameters, par)
	}
}

// unique reports an id that was there before.
func unique(seen map[string]bool, n strictyaml.Node, id, what string) {
	if id != "" && seen[id] {
		n.Problem(fmt.Sprintf("%s id %q again", what, id), "each id once: events and records name it")
	}
	seen[id] = true
}

// place remembers where a value stands.
func (p *parser) place(n strictyaml.Node) { p.doc.places[n.Path()] = n.At("", "") }

// placeOf remembers where values of a mapping stand, those that there are.
func (p *parser) placeOf(n strictyaml.Node, keys ...string) {
	for _, key := range keys {
		if v := n.Get(key); v.OK() {
			p.place(v)
		}
	}
}

// shaped is a text or whole number of the given form.
func shaped(n strictyaml.Node, form shape) string {
	s := n.Label()
	if n.OK() && !form.MatchString(s) {
		n.Problem(fmt.Sprintf("%q is not a name here", clip(s)), "want "+form.like)
		return ""
	}
	return s
}

// words is text for people, without what could make a screen or a printout show
// something else than was approved: control characters and those that turn the
// direction of writing.
func words(n strictyaml.Node) string {
	s := n.Label()
	for _, r := range s {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			n.Problem(fmt.Sprintf("the text holds the invisible character %U", r), "remove it")
			return ""
		}
	}
	return strings.TrimSpace(s)
}

// names is a list of different names, or one name alone.
func (p *parser) names(n strictyaml.Node, form shape) []string {
	p.place(n)
	elements := []strictyaml.Node{n}
	if n.IsSeq() {
		elements = n.Seq()
	}
	if n.OK() && len(elements) == 0 {
		n.Problem("an empty list", "name at least one")
	}
	var list []string
	for _, e := range elements {
		p.place(e)
		s := words(e)
		switch {
		case !e.OK():
		case s == "":
			e.Problem("an empty name", "")
		case slices.Contains(list, s):
			e.Problem(fmt.Sprintf("%q again", s), "remove it")
		case !form.MatchString(s):
			e.Problem(fmt.Sprintf("%q is not a name here", clip(s)), "want "+form.like)
		default:
			list = append(list, s)
		}
	}
	return list
}
