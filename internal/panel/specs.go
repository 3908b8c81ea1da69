package panel

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// specList is the answer to GET specs.
type specList struct {
	At    Instant `json:"at" doc:"the instant that was asked for; null when none was"`
	Specs []Spec  `json:"specs" doc:"every installed revision, those in force first; with at those that were in force then"`
}

type specsInput struct {
	At time.Time `query:"at" doc:"RFC 3339; only the revisions that were in force at this instant, as far as is known from what is installed now"`
}

func (p *Panel) routeSpecs(api huma.API) {
	get(api, "specs", "Every installed revision of the specifications, who approved it and when it was in force", func(_ context.Context, in *specsInput) (*answer[specList], error) {
		s, err := p.state()
		if err != nil || in.At.IsZero() {
			return &answer[specList]{specList{Specs: s.Specs}}, err
		}
		at := instantOf(in.At)
		if at == 0 {
			return nil, huma.Error422UnprocessableEntity("at must lie in the years 1678 to 2261")
		}
		return &answer[specList]{specList{at, SpecsAt(s.Specs, at)}}, nil
	})
}

// SpecsAt are the revisions of a list that were in force at an instant. Their
// status stays that of now.
func SpecsAt(list []Spec, at Instant) []Spec {
	then := []Spec{}
	for i := range list {
		x := &list[i]
		if x.InForceFrom != 0 && x.InForceFrom <= at && (x.InForceTo == 0 || at < x.InForceTo) {
			then = append(then, *x)
		}
	}
	return then
}

// specsPage is what /specs shows: all revisions, or what was in force at the
// instant of its question.
func (p *Panel) specsPage(r *http.Request, v *page) error {
	v.Specs = v.State.Specs
	v.Asked = r.URL.Query().Get("at")
	if v.Asked == "" {
		return nil
	}
	at, err := askedInstant(v.Asked)
	if err != nil {
		return err
	}
	v.At, v.Specs = at, SpecsAt(v.State.Specs, at)
	return nil
}

// askedInstant reads an instant as a person or a form writes it: with its zone,
// or without in the zone in which the page shows instants.
func askedInstant(s string) (Instant, error) {
	for _, form := range []string{time.RFC3339Nano, layout, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil && instantOf(t) != 0 {
			return instantOf(t), nil
		}
	}
	return 0, huma.Error422UnprocessableEntity(fmt.Sprintf("%q is not an instant: write it like 2026-03-01T06:00:00-05:00, or 2026-03-01 06:00 for the time of this place", s))
}
