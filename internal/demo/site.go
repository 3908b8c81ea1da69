package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/config"
	"andon/internal/sample"
	"andon/internal/signkey"
	"andon/internal/spec"
	"andon/internal/spec/specdir"
)

// person is one who signs specifications at the demonstration's site.
type person struct {
	id, name, role string
	meaning        string
	key            signkey.Key
}

// signers are an author and the two who must approve: quality, and one who
// answers for the process.
func signers() ([]person, error) {
	list := []person{
		{id: "u-author", name: "A. Author", role: "process-engineer", meaning: spec.Authored},
		{id: "u-process", name: "P. Process", role: "process-engineer", meaning: spec.Approved},
		{id: "u-quality", name: "Q. Quality", role: spec.Quality, meaning: spec.Approved},
	}
	for i := range list {
		key, err := signkey.Generate(list[i].id)
		if err != nil {
			return nil, err
		}
		list[i].key = key
	}
	return list, nil
}

// approvers writes the list of approvers.
func approvers(list []person) []byte {
	var b strings.Builder
	b.WriteString("schema: andon.approvers/1\nrevision: 1\npeople:\n")
	for _, p := range list {
		fmt.Fprintf(&b, "  - {id: %s, name: %s, role: %s, key: %q}\n", p.id, p.name, p.role, p.key.Public)
	}
	return []byte(b.String())
}

// approve signs a document with all people, each as it is theirs to.
func approve(list []person, d *spec.Document, at sample.Time) ([]byte, error) {
	var notes []byte
	for _, p := range list {
		signer, err := note.NewSigner(p.key.Private)
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", p.id, err)
		}
		n, err := spec.Approval{ID: d.ID, Revision: d.Revision, SHA256: d.SHA256, Meaning: p.meaning, Role: p.role, User: p.id, Time: at}.Sign(signer)
		if err != nil {
			return nil, err
		}
		notes = append(notes, n...)
	}
	return notes, nil
}

// installed approves a document and puts both into the directory.
func installed(dir string, list []person, specification []byte, now time.Time) error {
	doc, err := spec.Parse("specification", specification)
	if err != nil {
		return err
	}
	approvals, err := approve(list, doc, sample.At(now))
	if err != nil {
		return err
	}
	_, err = specdir.Store(dir, doc, specdir.Pair{Document: specification, Approvals: approvals})
	return err
}

// publish is the publishing interval that the demonstration asks the plant for.
const publish = 200 * time.Millisecond

// site writes all files of a site into a directory, as a person would, and
// reads the settings back as the daemon does.
func site(dir, plantSettings string, specifications [][]byte, broker, consumerKey string, now time.Time) (*config.Config, error) {
	list, err := signers()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "specs"), 0o750); err != nil {
		return nil, err
	}
	for _, b := range specifications {
		if err := installed(filepath.Join(dir, "specs"), list, b, now); err != nil {
			return nil, err
		}
	}
	settings := fmt.Sprintf(`gateway: {id: demo, site: acme/plant1/heat-treat}
data: {dir: data, quota: 1GiB, commit_every: 250ms}
specs: {dir: specs, approvers: approvers.yaml}
%suplink:
  mqtt:
    brokers: [%s]
    consumers: {qms: {key: %q}}
`, plantSettings, broker, consumerKey)
	files := map[string][]byte{"approvers.yaml": approvers(list), "gateway.yaml": []byte(settings)}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o640); err != nil {
			return nil, err
		}
	}
	return config.Load(filepath.Join(dir, "gateway.yaml"))
}
