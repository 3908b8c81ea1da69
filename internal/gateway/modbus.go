package gateway

import (
	"context"

	"andon/internal/config"
	"andon/internal/metrics"
	"andon/internal/modbus"
	"andon/internal/record"
)

// modbusOptions are the options of one Modbus source over TCP.
func modbusOptions(c *config.Config, s *config.Source, w *record.Wiring) modbus.Options {
	m := s.Modbus
	o := modbus.Options{Name: s.Name, Address: m.Address.Host, Timeout: m.Timeout, MaxRegisters: m.MaxRegisters, MaxGap: m.MaxGap}
	for _, h := range m.Holes {
		o.Holes = append(o.Holes, modbus.Hole{Table: modbus.Table(h.Table), First: h.First, Last: h.Last})
	}
	for e := range c.Equipment {
		for i := range c.Equipment[e].Tags {
			t := &c.Equipment[e].Tags[i]
			if t.Source != s.Name || t.Modbus == nil {
				continue
			}
			n, ok := w.Find(c.Equipment[e].Name, t.Name)
			if !ok {
				panic("gateway: a tag of the settings is not wired: " + t.Name) // Wiring has every one
			}
			it := modbus.Item{Tag: n, Unit: t.Modbus.UnitID, Table: modbus.Table(t.Modbus.Table), Address: t.Modbus.Address,
				Type: t.Type.String(), Order: t.Modbus.Order, Bit: t.Modbus.Bit, Every: t.Every, Range: t.Range, Invalid: t.Invalid}
			if t.Scaled {
				it.Scale, it.Offset = t.Scale, t.Offset
			}
			o.Items = append(o.Items, it)
		}
	}
	return o
}

// readable: this version speaks what the source does. Of Modbus that is TCP; the
// serial transports are refused by no setting, but are not read yet.
func readable(s *config.Source) bool {
	return s.OPCUA != nil || s.Modbus != nil && s.Modbus.Address.Transport == "tcp"
}

// makeModbus makes a source of a Modbus connection.
func (g *Gateway) makeModbus(s *config.Source, w *record.Wiring) (source, error) {
	o := modbusOptions(g.o.Config, s, w)
	o.Logger, o.Now = g.log, g.o.Now
	src, err := modbus.New(o)
	if err != nil {
		return source{}, err
	}
	return source{
		name:   s.Name,
		status: func() metrics.Source { return modbusFacts(src.Status()) },
		run: func(ctx context.Context, in *intake, position int) error {
			return src.Run(ctx, sourceSink{in, position})
		},
		committed: src.Committed,
	}, nil
}

func modbusFacts(st modbus.Status) metrics.Source {
	m := metrics.Source{Up: st.Connected}
	if st.Connects > 0 {
		m.Reconnects = st.Connects - 1
	}
	return m
}
