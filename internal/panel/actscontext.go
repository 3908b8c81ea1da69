package panel

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"andon/internal/people"
	"andon/internal/record"
)

// Bounds on what a person may say is being made.
const (
	mostFields   = 32
	longestField = 200 // bytes of a value
)

// contextInput is the act that says what is being made.
type contextInput struct {
	From
	Body struct {
		Signed
		Equipment string            `json:"equipment" minLength:"1" maxLength:"100"`
		Fields    map[string]string `json:"fields" doc:"by name; an empty value says that there is nothing"`
	}
}

func (p *Panel) routeContext(api huma.API) {
	post(api, "context", "Say what is being made: all the fields given, or none of them", MeaningContext, p.actOnContext)
}

// actOnContext carries out a signed act on what is being made.
func (p *Panel) actOnContext(ctx context.Context, in *contextInput) (*actAnswer, error) {
	s, err := p.recording()
	if err != nil {
		return nil, err
	}
	b := &in.Body
	i := slices.IndexFunc(s.Equipment, func(e Equipment) bool { return e.Name == b.Equipment })
	if i < 0 {
		return nil, huma.Error404NotFound("there is no equipment " + b.Equipment)
	}
	if err := sayable(&s.Equipment[i], b.Fields); err != nil {
		return nil, err
	}
	return p.do(ctx, deed{right: people.SetContext, meaning: MeaningContext, signed: b.Signed, terminal: in.terminal,
		act: record.Act{Kind: record.SetContext, Target: b.Equipment, Fields: b.Fields}})
}

// sayable says why these fields may not be said: a problem for each, so that all
// of them can be mended at once. What a tag gives is a conflict, all else a
// mistake.
func sayable(e *Equipment, fields map[string]string) error {
	if len(fields) == 0 || len(fields) > mostFields {
		return huma.Error422UnprocessableEntity(fmt.Sprintf("%d fields are given: want 1 to %d", len(fields), mostFields))
	}
	status, why := http.StatusConflict, []string(nil)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		i := slices.IndexFunc(e.Context, func(f Field) bool { return f.Name == name })
		v := fields[name]
		switch {
		case i < 0 || e.Context[i].From == "":
			status, why = http.StatusUnprocessableEntity, append(why, fmt.Sprintf("field %q: the settings of %s do not name it (%s)", name, e.Name, strings.Join(sayableNames(e), ", ")))
		case e.Context[i].From == FromTag:
			why = append(why, fmt.Sprintf("field %q: it comes from the tag %s/%s, and only from there", name, e.Name, e.Context[i].Tag))
		case len(v) > longestField || !people.Printable(v) || strings.TrimSpace(v) != v:
			status, why = http.StatusUnprocessableEntity, append(why, fmt.Sprintf("field %q: want at most %d bytes of printable text without spaces around it", name, longestField))
		}
	}
	if why == nil {
		return nil
	}
	return huma.NewError(status, strings.Join(why, "; "))
}

// sayableNames are the fields that a person may say.
func sayableNames(e *Equipment) []string {
	var names []string
	for _, f := range e.Context {
		if f.From == FromMES || f.From == FromPanel {
			names = append(names, f.Name)
		}
	}
	if names == nil {
		return []string{"none can be said here"}
	}
	return names
}
