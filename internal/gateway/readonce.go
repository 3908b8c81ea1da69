package gateway

import (
	"context"

	"andon/internal/config"
	"andon/internal/modbus"
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
		switch {
		case !readable(s):
			o.Log.Warn("source is not read by this version", "source", s.Name, "kind", s.Kind())
		case s.OPCUA != nil:
			list = append(list, readOPCUA(ctx, o.Config, s, &w))
		default:
			list = append(list, readModbus(ctx, o.Config, s, &w))
		}
	}
	return list
}

func readOPCUA(ctx context.Context, c *config.Config, s *config.Source, w *record.Wiring) SourceReading {
	r := SourceReading{Source: s.Name}
	var src *opcua.Source
	options, err := opcuaOptions(c, s, w)
	if err == nil {
		src, err = opcua.New(options)
	}
	var readings []opcua.NodeReading
	if err == nil {
		readings, err = src.Read(ctx)
	}
	r.Err = err
	for _, x := range readings {
		r.Readings = append(r.Readings, inWords(w, x.Reading, x.Time))
	}
	return r
}

func readModbus(ctx context.Context, c *config.Config, s *config.Source, w *record.Wiring) SourceReading {
	r := SourceReading{Source: s.Name}
	src, err := modbus.New(modbusOptions(c, s, w))
	var readings []modbus.TagReading
	if err == nil {
		readings, err = src.Read(ctx)
	}
	r.Err = err
	for _, x := range readings {
		r.Readings = append(r.Readings, inWords(w, x.Reading, x.Time))
	}
	return r
}

func inWords(w *record.Wiring, x sample.Reading, at sample.Time) TagReading {
	t := &w.Tags[x.Tag]
	r := TagReading{Tag: t.Path(), Value: x.Value.String(), Unit: t.Unit, Quality: x.Quality.String(), Time: at.String(), Bad: x.Quality == sample.Bad}
	if x.Status != "" {
		r.Quality += " " + x.Status
	}
	return r
}
