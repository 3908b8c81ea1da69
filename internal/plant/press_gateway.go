package plant

import (
	"fmt"
	"strings"
	"time"
)

// PressClass is the equipment class of the press, which PRESS-DEMO is scoped to.
const PressClass = "press-class-1"

// PressSpecID and PressSpecRevision name the specification that
// PressSpecification returns.
const (
	PressSpecID       = "PRESS-DEMO"
	PressSpecRevision = "A"
)

// The limits of PRESS-DEMO, all inclusive.
const (
	forceLSL       = 180.0 // kN, while pressing
	forceUSL       = 220.0 // kN, always
	forceTarget    = 200.0
	forceDeadband  = 4.0
	distanceLow    = 41.5 // mm, while pressing
	distanceHigh   = 42.5 // mm, while pressing
	distanceTarget = 42.0
	distanceDead   = 0.1
)

// PressLimits are the rules of PRESS-DEMO for a plant with this step.
func PressLimits(step time.Duration) []Limit {
	off := time.Duration(offDelaySteps * float64(step))
	num := func(v float64) *float64 { return &v }
	pressing := []string{pressPhase(pressPress)}
	return []Limit{
		{Parameter: "press_force", Rule: "over", Tags: []string{tagForce}, High: num(forceUSL), Deadband: forceDeadband, OffDelay: off},
		{Parameter: "press_force", Rule: "under", Tags: []string{tagForce}, Phases: pressing, Low: num(forceLSL), Deadband: forceDeadband, OffDelay: off},
		{Parameter: "press_distance", Rule: "depth", Tags: []string{tagDistance}, Phases: pressing,
			Low: num(distanceLow), High: num(distanceHigh), Deadband: distanceDead, OffDelay: off},
	}
}

// PressEndpoint is the address of the press's Modbus server; "" without a press.
func (p *Plant) PressEndpoint() string {
	if p.press == nil {
		return ""
	}
	return p.press.server.Endpoint()
}

// Specifications are all documents that go with the plant.
func (p *Plant) Specifications() [][]byte {
	all := [][]byte{p.Specification()}
	if p.press != nil {
		all = append(all, p.PressSpecification())
	}
	return all
}

// pressSource is the press's entry under `sources`.
func (p *Plant) pressSource(b *strings.Builder, source string) {
	fmt.Fprintf(b, "  %s:\n    modbus: {address: %q, timeout: 500ms}\n", source, p.PressEndpoint())
}

// pressSettings is the press's entry under `equipment`.
func (p *Plant) pressSettings(b *strings.Builder, source string) {
	every := yamlDuration(PressEvery(p.opt.Step))
	fmt.Fprintf(b, "  %s:\n    name: Press %s\n    class: %s\n    asset: SIM-%s\n    tags:\n",
		p.opt.Press, strings.TrimLeft(suffix(p.opt.Press), "0"), PressClass, suffix(p.opt.Press))
	for _, t := range []struct{ tag, where string }{
		{tagPhase, fmt.Sprintf("read: holding, address: %d, type: uint16", addrPhase)},
		{tagLot, fmt.Sprintf("read: holding, address: %d, type: string(%d)", addrLot, pressTextSize)},
		{tagSerial, fmt.Sprintf("read: holding, address: %d, type: string(%d)", addrSerial, pressTextSize)},
		{tagForce, fmt.Sprintf("read: holding, address: %d, type: float32, order: CDAB, unit: kN, range: [-10, 500]", addrForce)},
		{tagDistance, fmt.Sprintf("read: holding, address: %d, type: float32, order: CDAB, unit: mm, range: [0, 200], invalid: [%d]", addrDistance, noDistance)},
		{tagParts, fmt.Sprintf("read: holding, address: %d, type: uint32, order: CDAB", addrParts)},
		{tagAlive, fmt.Sprintf("read: coil, address: %d, type: bool", addrAlive)},
	} {
		fmt.Fprintf(b, "      %s: {source: %s, unit_id: %d, %s, every: %s}\n", t.tag, source, pressUnit, t.where, every)
	}
	fmt.Fprintf(b, `    context:
      phase:    {tag: %s, values: {0: load, 1: press, 2: eject}}
      lot:      {tag: %s}
      serials:  {tag: %s}
      operator: {from: panel}
`, tagPhase, tagLot, tagSerial)
}

// PressSpecification is the document PRESS-DEMO revision A, with delays that suit
// the plant's step. Its limits are those the truth is counted with.
func (p *Plant) PressSpecification() []byte {
	steps := func(n float64) string { return yamlDuration(time.Duration(n * float64(p.opt.Step))) }
	every := yamlDuration(PressEvery(p.opt.Step))
	return fmt.Appendf(nil, pressSpecification,
		PressSpecID, PressSpecRevision, PressClass, p.opt.Press,
		every, steps(maxGapSteps), num(forceTarget), num(forceLSL), num(forceUSL),
		steps(offDelaySteps), num(forceDeadband), steps(offDelaySteps), num(forceDeadband), steps(40), steps(10), steps(4),
		every, steps(maxGapSteps), num(distanceTarget), num(distanceLow), num(distanceHigh),
		steps(offDelaySteps), num(distanceDead), steps(40), steps(10), steps(4),
	)
}

// pressSpecification is a form to be filled in by PressSpecification.
const pressSpecification = `schema: andon.spec/1
id: %s
title: Press fit, simulated press
revision: %s
document: {system: QMS, number: SPC-DEMO-2, change: CR-0002, reason: First issue for the simulated press}
effective: {from: 2020-01-01T00:00:00Z}
scope: {equipment_class: %s, equipment: [%s]}
context_required: [lot, serials]
applies_when: {phase: [load, press, eject]}
parameters:
  - id: press_force
    name: Press force
    criticality: CPP
    inputs: [force]
    unit: kN
    precision: 0.1
    sampling: {interval: %s, max_gap: %s}
    target: %s
    limits: {lsl: %s, usl: %s, inclusive: true}
    rules:
      - {id: over, kind: high, limit: usl, scope: any_input, off_delay: %s, deadband: %s, always: true, class: major}
      - {id: under, kind: low, limit: lsl, scope: any_input, off_delay: %s, deadband: %s, when: [press], class: major}
    missing_data: {up_to: %s, beyond: deviation, credit: none}
    alarm: {priority: high, respond_within: 3min, text: Press force out of limits, instruction: WI-204, action: "Stop the press, set the part apart"}
    evidence: {before: %s, after: %s}
  - id: press_distance
    name: Distance of the dies
    criticality: CPP
    inputs: [distance]
    unit: mm
    precision: 0.01
    sampling: {interval: %s, max_gap: %s}
    target: %s
    limits: {lsl: %s, usl: %s, inclusive: true}
    rules:
      - {id: depth, kind: band, limit: limits, scope: any_input, off_delay: %s, deadband: %s, when: [press], class: critical}
    missing_data: {up_to: %s, beyond: deviation, credit: none}
    alarm: {priority: critical, respond_within: 3min, text: Pressed to the wrong depth, instruction: WI-205, action: "Stop the press, set the part apart"}
    evidence: {before: %s, after: %s}
`
