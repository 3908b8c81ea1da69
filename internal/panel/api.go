package panel

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// apiPath is where the API begins. What it answers is under contract: fields are
// added, never changed.
const apiPath = "/api/v1"

// answer is an answer's body.
type answer[T any] struct{ Body T }

// alarmList is the answer to GET alarms.
type alarmList struct {
	Alarms []Alarm `json:"alarms" doc:"unacknowledged first, then by priority, then the newest first; the shelved ones behind all others"`
}

// nonceAnswer is the answer to GET nonce.
type nonceAnswer struct {
	Nonce string `json:"nonce" doc:"good for one signature within two minutes"`
}

// routeAPI registers the API. Its description is at /api/v1/openapi.json; there
// is no page of documentation, since that would load scripts from elsewhere.
func (p *Panel) routeAPI(mux *http.ServeMux) {
	c := huma.DefaultConfig("andon", "1")
	c.Info.Description = "What the gateway has on record, and signed acts. Errors are RFC 9457 problems."
	c.OpenAPIPath = apiPath + "/openapi"
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.Transformers = append(c.Transformers, withoutValues)
	api := humago.New(mux, c)

	get(api, "state", "Everything that is shown, as of the last commit", func(context.Context, *struct{}) (*answer[*State], error) {
		s, err := p.state()
		return &answer[*State]{s}, err
	})
	get(api, "alarms", "Alarms that are not normal", func(context.Context, *struct{}) (*answer[alarmList], error) {
		s, err := p.state()
		return &answer[alarmList]{alarmList{s.Alarms}}, err
	})
	get(api, "outbox", "Raised = receipted + pending + rejected, by lane", func(ctx context.Context, _ *struct{}) (*answer[outboxAnswer], error) {
		a, err := p.outbox(ctx)
		return &answer[outboxAnswer]{a}, err
	})
	get(api, "journal/head", "Where the record stands: what it names is durable", func(context.Context, *struct{}) (*answer[Head], error) {
		s, err := p.state()
		return &answer[Head]{s.Head}, err
	})
	get(api, "health", "What is well and what is not, and what to do", func(context.Context, *struct{}) (*answer[Health], error) {
		return &answer[Health]{p.health()}, nil
	})
	get(api, "nonce", "A number for the next signature", func(context.Context, *struct{}) (*answer[nonceAnswer], error) {
		return &answer[nonceAnswer]{nonceAnswer{p.o.People.NewNonce(p.o.Now())}}, nil
	})
	p.routeSpecs(api)
	p.routeEvents(api)
	p.routeRecords(api)
	p.routeProof(api)
	p.routeAudit(api)
	p.routeLots(api)
	p.routeActs(api)
	p.routeContext(api)
	p.routeRequests(api)
	describeStream(api)
}

// get registers one thing to read.
func get[I, O any](api huma.API, path, summary string, handler func(context.Context, *I) (*O, error)) {
	huma.Register(api, huma.Operation{OperationID: "get-" + operationName(path), Method: http.MethodGet, Path: apiPath + "/" + path, Summary: summary}, handler)
}

// operationName makes an id of a path.
func operationName(path string) string {
	b := []byte(path)
	for i, c := range b {
		if c == '/' || c == '{' || c == '}' {
			b[i] = '-'
		}
	}
	return string(b)
}

// withoutValues keeps what a client sent out of what is answered about it: that
// may be a PIN.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		for _, d := range m.Errors {
			d.Value = nil
		}
	}
	return v, nil
}

// state is the committed state; while there is none, an empty one and the
// problem that says so.
func (p *Panel) state() (*State, error) {
	if s := p.o.Gateway.State(); s != nil {
		return s, nil
	}
	return &State{}, huma.Error503ServiceUnavailable("the gateway is starting: nothing has been committed yet")
}

type eventsInput struct {
	Limit int  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Open  bool `query:"open" doc:"only those that are open"`
}

type eventInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (p *Panel) routeEvents(api huma.API) {
	get(api, "events", "Quality events, the newest first, and how far each has come", func(_ context.Context, in *eventsInput) (*answer[EventList], error) {
		list := p.o.Gateway.Events()
		picked := []Event{}
		for _, e := range brief(list.Events) {
			if len(picked) < in.Limit && (e.Open || !in.Open) {
				picked = append(picked, e)
			}
		}
		list.Events = picked
		return &answer[EventList]{list}, nil
	})
	get(api, "events/{id}", "One quality event with the document of its last revision", func(ctx context.Context, in *eventInput) (*answer[Event], error) {
		e, err := p.findEvent(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &answer[Event]{*e}, nil
	})
}

// event is the event with an id, nil when it is not among those known.
func (p *Panel) event(id string) *Event {
	list := p.o.Gateway.Events().Events
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// describeStream puts the stream, which is not served through the API's
// machinery, into its description.
func describeStream(api huma.API) {
	changes := api.OpenAPI().Components.Schemas.Schema(typeOf[changeMessage](), true, "Change")
	beats := api.OpenAPI().Components.Schemas.Schema(typeOf[beatMessage](), true, "Beat")
	api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "get-stream", Method: http.MethodGet, Path: apiPath + "/stream", Summary: "Changes as they are committed (server-sent events)",
		Description: "`change` carries the parts of the state that have changed, `beat` comes every second. Parts are named `gateway`, `recording`, `head`, `clock`, `sources`, `alarms`, `gaps`, `outbox`, `specs`, `events`, `equipment`, `equipment/{name}`, `parameter/{equipment}/{spec}/{id}`; null is a part that is gone. `Last-Event-ID` asks for what has changed since.",
		Responses: map[string]*huma.Response{"200": {Description: "the stream", Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: &huma.Schema{OneOf: []*huma.Schema{changes, beats}}}}}},
	})
}
