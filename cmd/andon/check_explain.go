package main

import (
	"fmt"
	"slices"
	"strings"

	"andon/internal/config"
	"andon/internal/spec"
)

// explain says in words how the daemon reads what was checked. Of wrong
// settings it says nothing.
func (c *checked) explain() string {
	if c.config == nil {
		return ""
	}
	w := &words{}
	c.explainMachine(w)
	for i := range c.config.Sources {
		c.explainSource(w, &c.config.Sources[i])
	}
	for i := range c.config.Equipment {
		c.explainEquipment(w, &c.config.Equipment[i])
	}
	for _, d := range c.judging() {
		when := ""
		if d.Effective.From > c.now {
			when = " (not yet in force)"
		}
		w.line("\n%s%s", strings.TrimSpace(d.Text()), when)
	}
	explainUplink(w, c.config)
	if list := notUsed(c.config); len(list) > 0 {
		w.line("\nNot used by this version: %s", strings.Join(list, ", "))
	}
	if len(c.errors) == 0 {
		w.line("\n%s: no mistakes found", c.file)
	}
	return w.b.String()
}

// words lays out lines.
type words struct{ b strings.Builder }

func (w *words) line(format string, args ...any) {
	fmt.Fprintf(&w.b, format+"\n", args...)
}

func (c *checked) explainMachine(w *words) {
	cfg := c.config
	at := ""
	if cfg.Gateway.Site != "" {
		at = " at " + cfg.Gateway.Site
	}
	w.line("Gateway %s%s", cfg.Gateway.ID, at)
	w.line("  keeps its record in %s, at most %s, durable within %s, routine samples for %s",
		cfg.Data.Dir, bytesText(cfg.Data.Quota), spec.Span(cfg.Data.CommitEvery), spec.Span(cfg.Data.Retain))
	w.line("  specifications in %s: %d found, %d accepted; approvers in %s", cfg.Specs.Dir, c.found, len(c.register.All()), cfg.Specs.Approvers)
}

// bytesText writes a size in the largest unit that is whole.
func bytesText(n int64) string {
	for i, u := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if unit := int64(1) << (40 - 10*i); n >= unit && n%unit == 0 {
			return fmt.Sprintf("%d%s", n/unit, u)
		}
	}
	return fmt.Sprintf("%dB", n)
}

func (c *checked) explainSource(w *words, s *config.Source) {
	tags := 0
	for _, e := range c.config.Equipment {
		for _, t := range e.Tags {
			if t.Source == s.Name {
				tags++
			}
		}
	}
	w.line("\nSource %s, %s", s.Name, count(tags, "tag"))
	if o := s.OPCUA; o != nil {
		w.line("  OPC UA at %s, %s", o.Endpoint, securityText(o))
		w.line("  %s; sends changes every %s; its clock may be off by %s", identityText(o.Identity), spec.Span(o.Publish), spec.Span(o.MaxSkew))
		return
	}
	m := s.Modbus
	w.line("  Modbus at %s", modbusText(m.Address))
	w.line("  at most %s a read, %d read in between, an answer within %s", count(m.MaxRegisters, "register"), m.MaxGap, spec.Span(m.Timeout))
	for _, h := range m.Holes {
		w.line("  never reads %s %d to %d", h.Table, h.First, h.Last)
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func securityText(o *config.OPCUA) string {
	if o.Policy == "None" {
		return "NOT PROTECTED (as the settings say)"
	}
	return fmt.Sprintf("%s, %s, trusting %s", o.Policy, o.Mode, o.Trust)
}

func identityText(i config.Identity) string {
	switch {
	case i.Username != "":
		return "as user " + i.Username
	case i.Certificate != "":
		return "with the certificate " + i.Certificate
	}
	return "anonymously"
}

func modbusText(a config.ModbusAddress) string {
	switch a.Transport {
	case "rtu":
		return fmt.Sprintf("%s, %d baud, %d%s%d", a.Device, a.Baud, a.DataBits, a.Parity, a.StopBits)
	case "rtu+tcp":
		return a.Host + ", serial frames over TCP"
	}
	return a.Host
}

func (c *checked) explainEquipment(w *words, e *config.Equipment) {
	w.line("\nEquipment %s", strings.Join(nonEmpty(e.Name, quotedTitle(e), e.Class, e.Asset, special(e)), ", "))
	for i := range e.Tags {
		t := &e.Tags[i]
		w.line("  %s: %s", t.Name, strings.Join(nonEmpty(typeText(t), t.Unit, everyText(t), placeText(t), rawText(t), sensorText(t), c.useText(e, t)), ", "))
	}
	for _, b := range e.Context {
		w.line("  context %s: %s", b.Field, bindingText(&b))
	}
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

func quotedTitle(e *config.Equipment) string {
	if e.Title == e.Name {
		return ""
	}
	return fmt.Sprintf("%q", e.Title)
}

func special(e *config.Equipment) string {
	if e.SpecialProcess {
		return "special process"
	}
	return ""
}

func typeText(t *config.Tag) string {
	if s := t.Type.String(); s != "" {
		return s
	}
	return "as the server has it"
}

func everyText(t *config.Tag) string {
	if t.Every == 0 {
		return "at the server's own cycle"
	}
	return "every " + spec.Span(t.Every)
}

func placeText(t *config.Tag) string {
	if t.OPCUA != nil {
		return fmt.Sprintf("%s of %s", t.OPCUA.Node, t.Source)
	}
	m := t.Modbus
	s := fmt.Sprintf("unit %d %s %d", m.UnitID, m.Table, m.Address)
	if n := t.Type.Registers(); n > 1 && !m.Table.Bits() {
		s += fmt.Sprintf("-%d order %s", int(m.Address)+n-1, m.Order)
	}
	if m.Bit >= 0 {
		s += fmt.Sprintf(" bit %d", m.Bit)
	}
	return s + " of " + t.Source
}

func rawText(t *config.Tag) string {
	var parts []string
	if t.Scaled {
		parts = append(parts, fmt.Sprintf("raw x %v + %v", t.Scale, t.Offset))
	}
	if t.Range != nil {
		parts = append(parts, fmt.Sprintf("bad outside %v to %v", t.Range[0], t.Range[1]))
	}
	for _, v := range t.Invalid {
		parts = append(parts, fmt.Sprintf("bad at raw %s", v))
	}
	return strings.Join(parts, ", ")
}

func sensorText(t *config.Tag) string {
	switch {
	case t.Sensor == "":
		return ""
	case t.CalibrationDue == "":
		return "sensor " + t.Sensor
	}
	return fmt.Sprintf("sensor %s calibrated until %s", t.Sensor, t.CalibrationDue)
}

// useText says which parameters and context fields take the tag as an input.
func (c *checked) useText(e *config.Equipment, t *config.Tag) string {
	var by []string
	for _, d := range c.judging() {
		if !d.Scope.Holds(e.Name, e.Class) {
			continue
		}
		for _, p := range d.Parameters {
			if slices.Contains(p.Inputs, t.Name) {
				by = append(by, fmt.Sprintf("%s of %s revision %s", p.ID, d.ID, d.Revision))
			}
		}
	}
	for _, b := range e.Context {
		if b.Tag == t.Name {
			by = append(by, "the context "+b.Field)
		}
	}
	if len(by) == 0 {
		return "recorded only"
	}
	return "for " + strings.Join(by, " and ")
}

func bindingText(b *config.Binding) string {
	if b.From != "" {
		return "told " + map[string]string{"mes": "by the MES", "panel": "at the panel"}[b.From]
	}
	s := "from the tag " + b.Tag
	if len(b.Values) == 0 {
		return s
	}
	var parts []string
	for k, v := range b.Values {
		parts = append(parts, k+" is "+v)
	}
	slices.Sort(parts)
	return s + ": " + strings.Join(parts, ", ")
}

func explainUplink(w *words, cfg *config.Config) {
	m := cfg.MQTT
	if m == nil {
		w.line("\nNothing is sent: the settings have no uplink")
		return
	}
	var urls []string
	for _, b := range m.Brokers {
		urls = append(urls, b.URL())
	}
	w.line("\nSends to %s as %s, below %sandon/v1/%s/", strings.Join(urls, ", else "), m.Username, m.Prefix, cfg.Gateway.ID)
	var names []string
	for _, c := range m.Consumers {
		names = append(names, c.Name)
	}
	switch m.Receipts {
	case "broker":
		w.line("  an entry is done when the broker has it: weaker than a receipt, and shown so")
	case "unsigned":
		w.line("  an entry is done when %s has receipted it, without a signature: weaker, and shown so", strings.Join(names, " and "))
	default:
		w.line("  an entry is done when %s has receipted it with its signature", strings.Join(names, " and "))
	}
}

// notUsed are the parts of the settings that are read and checked, and that
// nothing in this version acts on yet.
func notUsed(cfg *config.Config) []string {
	var list []string
	for _, s := range cfg.Sources {
		if s.Modbus != nil && s.Modbus.Address.Transport != "tcp" {
			list = append(list, "sources."+s.Name+" (Modbus "+s.Modbus.Address.Transport+")")
		}
	}
	if slices.ContainsFunc(cfg.Equipment, func(e config.Equipment) bool {
		return slices.ContainsFunc(e.Tags, func(t config.Tag) bool { return t.OPCUA != nil && t.OPCUA.History })
	}) {
		list = append(list, "history of tags")
	}
	if cfg.Beacon != nil {
		list = append(list, "beacon")
	}
	return list
}
