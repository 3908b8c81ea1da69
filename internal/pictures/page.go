package pictures

import (
	"fmt"
	"regexp"
	"strings"
)

// Head is the beginning that the examples on the page leave out.
const Head = `schema: andon.spec/1
id: EXAMPLE
revision: A
effective: {from: 2026-01-01T00:00:00Z}
`

// Example is one worked example of the page.
type Example struct {
	Name    string // of its picture
	Title   string // of its picture
	Spec    string // the document behind Head
	Samples string // the table, as CSV
	Said    string // what comes of it, as the page has it
	at      [2]int // where Said stands in the page
}

// Document is the example's specification, whole.
func (e *Example) Document() []byte { return []byte(Head + e.Spec) }

// exampleForm is an example on the page: a mark with its name and the title of
// its picture, and three blocks with words between them.
var exampleForm = regexp.MustCompile("<!-- example ([a-z0-9_]+): ([^\n]+) -->\n[^`]*```yaml\n([^`]*)```\n[^`]*```csv\n([^`]*)```\n[^`]*```text\n([^`]*)```\n")

// Examples are the examples of a page, in its order. The error names one that
// has not the form.
func Examples(page string) ([]Example, error) {
	var list []Example
	for _, m := range exampleForm.FindAllStringSubmatchIndex(page, -1) {
		part := func(i int) string { return page[m[2*i]:m[2*i+1]] }
		list = append(list, Example{Name: part(1), Title: part(2), Spec: part(3), Samples: part(4), Said: part(5), at: [2]int{m[10], m[11]}})
	}
	if marks := strings.Count(page, "<!-- example "); marks != len(list) {
		return nil, fmt.Errorf("%d examples are marked and %d have the form: a mark, and blocks of yaml, csv and text", marks, len(list))
	}
	return list, nil
}

// Rewrite is the page with what comes of its examples.
func Rewrite(page string, list []Example, said []string) string {
	for i := len(list) - 1; i >= 0; i-- { // from the end on, so that places before stay
		page = page[:list[i].at[0]] + said[i] + page[list[i].at[1]:]
	}
	return page
}

var yamlBlock = regexp.MustCompile("```yaml\n([^`]*)```\n")

// Blocks are all YAML blocks of a page, each made a whole document: a part of a
// document, of a parameter or a list of rules is put into a frame.
func Blocks(page string) []string {
	var list []string
	for _, m := range yamlBlock.FindAllStringSubmatch(page, -1) {
		list = append(list, framed(m[1]))
	}
	return list
}

const frame = Head + `applies_when: {phase: [heat, soak, quench, tightened]}
parameters:
  - id: load_temp
    unit: "[degF]"
`

const (
	frameInputs = "    inputs: [tc1, tc2, tc3, tc4]\n"
	frameLimits = "    limits: {lsl: 875, usl: 895}\n    nor: [880, 890]\n    par: [875, 895]\n"
	frameRules  = "    rules: [{id: over, kind: high, limit: 895}]\n"
)

func framed(block string) string {
	first := strings.TrimSpace(strings.SplitN(block, "\n", 2)[0])
	key, _, _ := strings.Cut(first, ":")
	switch {
	case key == "schema":
		return block
	case strings.Contains(block, "parameters:"):
		return Head + block
	case strings.HasPrefix(first, "- "):
		return frame + frameInputs + frameLimits + "    rules:\n" + indent(block, "      ")
	case key == "inputs":
		return frame + indent(block, "    ") + frameRules
	case key == "classification" || key == "document" || key == "scope" || key == "context_required":
		return frame + frameInputs + frameRules + block
	}
	return frame + frameInputs + indent(block, "    ") + frameRules
}

func indent(block, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(block, "\n"), "\n", "\n"+by) + "\n"
}
