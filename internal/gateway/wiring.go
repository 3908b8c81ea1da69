package gateway

import (
	"fmt"
	"os"
	"path/filepath"

	"andon/internal/config"
	"andon/internal/opcua"
	"andon/internal/record"
	"andon/internal/sample"
)

// Wiring turns the settings into what judging depends on. before is the wiring
// of the run before: tags keep their numbers for the life of the journal, those
// that the settings no longer hold keep their place without a source.
func Wiring(c *config.Config, before *record.Wiring) record.Wiring {
	w := record.Wiring{}
	for i := range c.Sources {
		w.Sources = append(w.Sources, wiredSource(&c.Sources[i]))
	}
	numbers := map[string]int{}
	for _, t := range before.Tags {
		numbers[t.Path()] = len(w.Tags)
		t.Source = ""
		w.Tags = append(w.Tags, t)
	}
	for i := range c.Equipment {
		e := &c.Equipment[i]
		w.Equipment = append(w.Equipment, wiredEquipment(e))
		for k := range e.Tags {
			t := wiredTag(e.Name, &e.Tags[k])
			if n, ok := numbers[t.Path()]; ok {
				w.Tags[n] = t
			} else {
				w.Tags = append(w.Tags, t)
			}
		}
	}
	if c.MQTT != nil {
		w.Receipts = c.MQTT.Receipts
		for _, x := range c.MQTT.Consumers {
			w.Consumers = append(w.Consumers, x.Name)
		}
		if w.Receipts == receiptsBroker {
			w.Consumers = []string{"broker"}
		}
	}
	return w
}

const receiptsBroker = "broker"

func wiredSource(s *config.Source) record.Source {
	w := record.Source{Name: s.Name, Kind: s.Kind()}
	if s.OPCUA != nil {
		w.Publish, w.MaxSkew = s.OPCUA.Publish, s.OPCUA.MaxSkew
	}
	return w
}

func wiredEquipment(e *config.Equipment) record.Equipment {
	w := record.Equipment{Name: e.Name, Title: e.Title, Class: e.Class, Asset: e.Asset, SpecialProcess: e.SpecialProcess}
	for _, b := range e.Context {
		w.Context = append(w.Context, record.Binding(b))
	}
	return w
}

func wiredTag(equipment string, t *config.Tag) record.Tag {
	return record.Tag{History: t.OPCUA != nil && t.OPCUA.History, Equipment: equipment, Name: t.Name, Source: t.Source, Unit: t.Unit, Kind: kindOf(t.Type), Every: t.Every,
		Range: t.Range, Sensor: t.Sensor, CalibrationDue: t.CalibrationDue}
}

// kindOf is the kind of values that a declared type gives; None when the source
// decides.
func kindOf(t config.Type) sample.Kind {
	switch t.Name {
	case "":
		return sample.None
	case "string":
		return sample.String
	case "bool":
		return sample.Bool
	default:
		return sample.Float
	}
}

// opcuaOptions are the options of one OPC UA source.
func opcuaOptions(c *config.Config, s *config.Source, w *record.Wiring) (opcua.Options, error) {
	u := s.OPCUA
	o := opcua.Options{Name: s.Name, Endpoint: u.Endpoint, Policy: u.Policy, Mode: u.Mode, Insecure: u.Insecure, Trust: u.Trust,
		Username: u.Identity.Username, Publish: u.Publish, Items: opcuaItems(c, s.Name, w)}
	if !u.Identity.Password.None() {
		password, err := u.Identity.Password.Read(os.Getenv("CREDENTIALS_DIRECTORY"))
		if err != nil {
			return o, fmt.Errorf("source %s: password: %w", s.Name, err)
		}
		o.Password = password
	}
	if u.Policy != "None" {
		o.Certificate, o.Key = filepath.Join(ownDir(c), opcua.CertificateFile), filepath.Join(ownDir(c), opcua.KeyFile)
	}
	return o, nil
}

func ownDir(c *config.Config) string { return filepath.Join(c.Data.Dir, "own") }

func opcuaItems(c *config.Config, source string, w *record.Wiring) []opcua.Item {
	var items []opcua.Item
	for e := range c.Equipment {
		for i := range c.Equipment[e].Tags {
			t := &c.Equipment[e].Tags[i]
			if t.Source != source || t.OPCUA == nil {
				continue
			}
			n, ok := w.Find(c.Equipment[e].Name, t.Name)
			if !ok {
				panic("gateway: a tag of the settings is not wired: " + t.Name) // Wiring has every one
			}
			it := opcua.Item{Tag: n, Node: t.OPCUA.Node, Type: t.Type.String(), Every: t.Every, Range: t.Range}
			if t.Scaled {
				it.Scale, it.Offset = t.Scale, t.Offset
			}
			items = append(items, it)
		}
	}
	return items
}
