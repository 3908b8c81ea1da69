package gateway

import (
	"context"

	"andon/internal/opcua"
	"andon/internal/record"
	"andon/internal/sample"
)

// SourceReading is what one source gave when it was asked once.
type SourceReading struct {
	Source   string
	Readings []TagReading
	Err      error // that of the connection
}

// TagReading is one tag, in words.
type TagReading struct {
	Tag, Value, Unit, Quality, Time string
	Bad                             bool
}

// ReadOnce reads every tag of every source once, and stores nothing.
func ReadOnce(ctx context.Context, o Options) []SourceReading {
	w := Wiring(o.Config, &record.Wiring{})
	var list []SourceReading
	for i := range o.Config.Sources {
		s := &o.Config.Sources[i]
		if s.OPCUA == nil {
			continue
		}
		r := SourceReading{Source: s.Name}
		var src *opcua.Source
		options, err := opcuaOptions(o.Config, s, &w)
		if err == nil {
			src, err = opcua.New(options)
		}
		var readings []opcua.NodeReading
		if err == nil {
			readings, err = src.Read(ctx)
		}
		r.Err = err
		for _, x := range readings {
			r.Readings = append(r.Readings, inWords(&w, x))
		}
		list = append(list, r)
	}
	return list
}

func inWords(w *record.Wiring, x opcua.NodeReading) TagReading {
	t := &w.Tags[x.Item.Tag]
	r := TagReading{Tag: t.Path(), Value: x.Reading.Value.String(), Unit: t.Unit, Quality: x.Reading.Quality.String(), Time: x.Time.String(),
		Bad: x.Reading.Quality == sample.Bad}
	if x.Reading.Status != "" {
		r.Quality += " " + x.Reading.Status
	}
	return r
}
