package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// PolicySchema is the value of `schema` in a list of approvers.
const PolicySchema = "andon.approvers/1"

// Quality is the role without which, by default, nothing is approved.
const Quality = "quality"

// Policy is one revision of the list of approvers: who may sign, and whose
// signatures a specification needs. Two things hold under every policy: there
// is an author, and an author neither reviews nor approves.
type Policy struct {
	Revision int
	SHA256   string // hex, of the file's bytes
	// Required are the signatures needed, each by another person.
	Required []Requirement
	People   []Person
}

// Requirement is one signature that a specification needs.
type Requirement struct {
	Meaning string // Reviewed or Approved
	Role    string // in this role; "" for any
	NotRole string // in any role but this; "" for any
}

// Person is one who may sign.
type Person struct {
	ID   string // as in the approvals
	Name string // as printed beside a signature
	Role string
	Key  string // public key, as `andon key new` prints it
	// Until is when the key runs out, 0 for never.
	Until sample.Time

	verifier note.Verifier
}

// defaultRequired is the rule of two: quality, and one who answers for the
// process.
func defaultRequired() []Requirement {
	return []Requirement{{Meaning: Approved, Role: Quality}, {Meaning: Approved, NotRole: Quality}}
}

// Person finds who has the id; nil when nobody has.
func (p *Policy) Person(id string) *Person {
	for i := range p.People {
		if p.People[i].ID == id {
			return &p.People[i]
		}
	}
	return nil
}

// expired says whether the person's key has run out by t.
func (p *Person) expired(t sample.Time) bool { return p.Until != 0 && t >= p.Until }

// String says the requirement in words.
func (r Requirement) String() string {
	switch {
	case r.Role != "":
		return fmt.Sprintf("%s by role %s", r.Meaning, r.Role)
	case r.NotRole != "":
		return fmt.Sprintf("%s by another role than %s", r.Meaning, r.NotRole)
	}
	return r.Meaning + " by any role"
}

func (r Requirement) metBy(a *Approval) bool {
	return a.Meaning == r.Meaning && (r.Role == "" || a.Role == r.Role) && (r.NotRole == "" || a.Role != r.NotRole)
}

// ParsePolicy reads a list of approvers (approvers.yaml). The error is
// strictyaml.Problems: every mistake at once. A policy under which nothing
// could ever be approved is refused, as is one in which two entries could be
// the same person: the same id, printed name or key.
func ParsePolicy(file string, b []byte) (*Policy, error) {
	sum := sha256.Sum256(b)
	yaml := strictyaml.Parse(file, b)
	n := yaml.Root()
	n.Need("schema").OneOf(PolicySchema)
	p := &Policy{
		Revision: int(n.Need("revision").Int(1, 1<<31-1)),
		SHA256:   hex.EncodeToString(sum[:]),
		People:   people(n.Need("people")),
		Required: required(n.Get("policy")),
	}
	if yaml.Err() == nil {
		p.reachable(n.Get("people"))
	}
	if err := yaml.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// required reads the signatures that the policy wants; the default when it is
// silent.
func required(n strictyaml.Node) []Requirement {
	if !n.Present() {
		return defaultRequired()
	}
	var list []Requirement
	approved := false
	needs := n.Need("required")
	for _, e := range needs.Seq() {
		r := Requirement{
			Meaning: e.Need("meaning").OneOf(Reviewed, Approved),
			Role:    shaped(e.Get("role"), userShape),
			NotRole: shaped(e.Get("not_role"), userShape),
		}
		if r.Role != "" && r.NotRole != "" {
			e.Get("not_role").Problem("role and not_role together", "keep one of them")
		}
		approved = approved || r.Meaning == Approved
		list = append(list, r)
	}
	if needs.OK() && needs.IsSeq() && !approved {
		needs.Problem("no approval is required", "name at least one {meaning: approved, …}; remove policy for the default (quality and one other)")
	}
	return list
}

func people(n strictyaml.Node) []Person {
	var list []Person
	nodes := n.Seq()
	if n.OK() && len(nodes) == 0 {
		n.Problem("nobody may sign", "add {id, name, role, key}")
	}
	seen := map[string]string{} // what must be one person's -> whose it is
	for _, e := range nodes {
		who := Person{
			ID:    shaped(e.Need("id"), userShape),
			Name:  words(e.Need("name")),
			Role:  shaped(e.Need("role"), userShape),
			Until: instant(e.Get("until")),
		}
		key := e.Need("key")
		who.verifier = verifier(key)
		if key.OK() {
			who.Key = key.Text()
		}
		if e.Get("name").OK() && who.Name == "" {
			e.Get("name").Problem("an empty name", "it is printed beside the signature")
		}
		oneOwner(seen, e.Get("id"), "id", who.ID, who.ID)
		oneOwner(seen, e.Get("name"), "name", strings.ToLower(who.Name), who.ID)
		oneOwner(seen, key, "key", publicPart(who.Key), who.ID)
		list = append(list, who)
	}
	return list
}

// oneOwner refuses what another person of the list has too. Two people signing
// as one, or one as two, is what the rule of two is there to prevent.
func oneOwner(seen map[string]string, n strictyaml.Node, what, value, id string) {
	if value == "" {
		return
	}
	if other, taken := seen[what+" "+value]; taken {
		n.Problem(fmt.Sprintf("the %s of %s again", what, other), "each person has an id, a printed name and a key of their own")
		return
	}
	seen[what+" "+value] = id
}

// publicPart is the key without its name and hash, which anyone may change. It
// may hold + itself.
func publicPart(key string) string {
	parts := strings.SplitN(key, "+", 3)
	return parts[len(parts)-1]
}

func verifier(n strictyaml.Node) note.Verifier {
	key := n.Text()
	if !n.OK() {
		return nil
	}
	if strings.HasPrefix(key, "PRIVATE+KEY+") {
		n.Problem("this is a private key", "put the public key here (andon key show); the private one has been seen by others: make a new one")
		return nil
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		n.Problem("not a public key: "+err.Error(), "write it as andon key show prints it: NAME+hash+base64")
		return nil
	}
	return v
}

// reachable refuses a policy that its own people cannot meet, one of them being
// the author.
func (p *Policy) reachable(n strictyaml.Node) {
	signers := make([]Approval, 0, len(p.People))
	for _, r := range []string{Reviewed, Approved} {
		for _, who := range p.People {
			signers = append(signers, Approval{Meaning: r, Role: who.Role, User: who.ID})
		}
	}
	for _, author := range p.People {
		others := slices.DeleteFunc(slices.Clone(signers), func(a Approval) bool { return a.User == author.ID })
		if len(unmet(p.Required, others)) == 0 {
			return
		}
	}
	want := make([]string, len(p.Required))
	for i, r := range p.Required {
		want[i] = r.String()
	}
	n.Problem("these people can never approve anything: needed are an author and, by different others, "+strings.Join(want, ", "), "add people, or change the policy")
}

// unmet returns the requirements that remain when as many as possible have been
// met, each by another person.
func unmet(required []Requirement, list []Approval) []Requirement {
	by := map[string]int{} // user -> the requirement that the user's signature meets
	var left []Requirement
	for i := range required {
		if !assign(required, list, i, by, map[string]bool{}) {
			left = append(left, required[i])
		}
	}
	return left
}

// assign finds a person for requirement i, moving others to another person
// where that makes room (augmenting paths); tried are the people asked so far.
func assign(required []Requirement, list []Approval, i int, by map[string]int, tried map[string]bool) bool {
	for k := range list {
		user := list[k].User
		if tried[user] || !required[i].metBy(&list[k]) {
			continue
		}
		tried[user] = true
		held, busy := by[user]
		if !busy || assign(required, list, held, by, tried) {
			by[user] = i
			return true
		}
	}
	return false
}
