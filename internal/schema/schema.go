// Package schema holds the JSON Schemas (draft 2020-12) of what people write and
// of what the quality system receives: for editors, and for who builds a
// receiver. They describe forms; `andon check` and `andon spec lint` know what a
// form cannot say. Tests hold them against the shipped examples, against every
// key that the readers know, and against events as they are sent.
package schema

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed gateway.json spec.json events.json
var files embed.FS

// Names are the schemas there are.
func Names() []string { return []string{"gateway", "spec", "events"} }

// Schema is the text of one of them.
func Schema(name string) ([]byte, error) {
	b, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no schema %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return b, nil
}
