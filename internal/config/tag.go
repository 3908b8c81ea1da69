package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"andon/internal/strictyaml"
	"andon/internal/ucum"
)

// tag reads one tag by the keys that its source's kind has. When the source is
// not known its keys are not judged: what is wrong is the source.
func (r *reader) tag(e strictyaml.Entry) Tag {
	n := e.Value
	t := Tag{Name: e.Name}
	s := r.source(n.Need("source"))
	if s == nil || s.OPCUA == nil && s.Modbus == nil {
		n.Skip()
		return t
	}
	t.Source = s.Name
	r.common(n, s, &t)
	if s.OPCUA != nil {
		r.opcuaTag(n, s.OPCUA, &t)
	} else {
		r.modbusTag(n, s.Modbus, &t)
	}
	scaling(n, &t)
	t.Invalid = invalid(n.Get("invalid"), t.Type)
	return t
}

// source finds the source that a tag names.
func (r *reader) source(n strictyaml.Node) *Source {
	name := n.Text()
	if !n.OK() {
		return nil
	}
	s := r.find(name)
	if s != nil {
		return s
	}
	names := map[string]bool{}
	for _, s := range r.c.Sources {
		names[s.Name] = true
	}
	known := slices.Sorted(maps.Keys(names))
	hint := "known are " + strings.Join(known, ", ")
	if near := strictyaml.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(known) == 0 {
		hint = "add it under sources"
	}
	n.Problem(fmt.Sprintf("no source %q", name), hint)
	return nil
}

// common reads what all tags have.
func (r *reader) common(n strictyaml.Node, s *Source, t *Tag) {
	t.Unit = unit(n.Get("unit"))
	t.Every = every(n.Get("every"), s.OPCUA != nil)
	t.Range = n.Get("range").Range()
	if sensor := n.Get("sensor"); sensor.Present() {
		t.Sensor = title(sensor)
	}
	due := n.Get("calibration_due")
	if t.CalibrationDue = due.Date(); due.OK() && t.Sensor == "" {
		due.KeyProblem("calibration_due without a sensor", "add `sensor:`, what is calibrated")
	}
}

func unit(n strictyaml.Node) string {
	if n.IsSeq() {
		n.Problem("found a list, want a unit", `quote a unit that begins with a bracket: "[degF]"`)
	}
	u := n.Label()
	if !n.OK() {
		return ""
	}
	if cause, cure := ucum.Check(u); cause != "" {
		n.Problem(cause, cure)
		return ""
	}
	return u
}

// every is the sampling interval. Only an OPC UA server has a cycle of its own,
// which 0 asks for.
func every(n strictyaml.Node, opcua bool) time.Duration {
	const least = 10 * time.Millisecond
	if opcua && n.OK() && n.Duration() == 0 {
		return 0
	}
	return between(n, time.Second, least, 24*time.Hour)
}

// scaling reads scale, offset and what may only be said of numbers.
func scaling(n strictyaml.Node, t *Tag) {
	t.Scale = 1
	scale, offset := n.Get("scale"), n.Get("offset")
	if scale.Present() {
		if t.Scale = scale.Float(); scale.OK() && t.Scale == 0 {
			scale.Problem("the scale is 0", "every value would be the offset: give the factor, or remove the key")
		}
	}
	t.Offset = offset.Float()
	t.Scaled = t.Scale != 1 || t.Offset != 0
	if t.Type.Numeric() {
		return
	}
	for _, k := range []string{"scale", "offset", "range", "unit"} {
		n.Get(k).KeyProblem(fmt.Sprintf("%s of a tag of type %s", k, t.Type), "only numbers have it: remove it, or change the type")
	}
}

func (r *reader) opcuaTag(n strictyaml.Node, o *OPCUA, t *Tag) {
	t.OPCUA = &OPCUATag{Node: nodeID(n.Need("node")), History: n.Get("history").Bool()}
	t.Type = tagType(n.Get("type"), opcuaTypes)
	if t.Every > 0 && o.Publish > 10*t.Every {
		r.warn(n.Get("every"), fmt.Sprintf("sampled every %s but published every %s", span(t.Every), span(o.Publish)),
			"an alarm can be late by the publishing interval: make it shorter")
	}
}

var nodeForm = regexp.MustCompile(`^(ns=(0|[1-9][0-9]{0,4});|nsu=[^;]+;)?(i=(0|[1-9][0-9]{0,9})|s=.+|g=[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|b=[A-Za-z0-9+/]+={0,2})$`)

// nodeID is the text form of a node id (OPC 10000-6, 5.1.12).
func nodeID(n strictyaml.Node) string {
	s := n.Text()
	if !n.OK() {
		return ""
	}
	if !nodeForm.MatchString(s) || len(s) > 4096 {
		hint := `write it like "nsu=urn:plc:furnace;s=TC1", "ns=2;s=Phase" or "i=2258"`
		if strings.Contains(s, "; ") || strings.Contains(s, " =") {
			hint = "without blanks: " + hint
		}
		n.Problem("not a node id: "+quoted(s), hint)
		return ""
	}
	return s
}
