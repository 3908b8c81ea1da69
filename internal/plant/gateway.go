package plant

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Class is the equipment class of the plant's furnaces, which HT-DEMO is
// scoped to.
const Class = "furnace-class-2"

// maxGapSteps is how many steps may be missing before that is a gap: more than
// a busy machine is ever late.
const maxGapSteps = 10

// SpecID and SpecRevision name the specification that Specification returns.
const (
	SpecID       = "HT-DEMO"
	SpecRevision = "A"
)

// PressSource is the name of the source for the press in Settings.
const PressSource = "press-bus"

// Settings are the `sources` and `equipment` sections of gateway.yaml with
// which a gateway reads this plant, as a source of the given name; publish is
// the publishing interval it asks for. A press is a source of its own,
// PressSource.
func (p *Plant) Settings(source string, publish time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, `sources:
  %s:
    opcua:
      endpoint: %s
      security: {policy: None, mode: None, insecure: true}
      publish: %s
`, source, p.Endpoint(), yamlDuration(publish))
	if p.press != nil {
		p.pressSource(&b, PressSource)
	}
	b.WriteString("equipment:\n")
	for _, e := range p.opt.Equipment {
		p.furnaceSettings(&b, source, e)
	}
	if p.press != nil {
		p.pressSettings(&b, PressSource)
	}
	return b.String()
}

func (p *Plant) furnaceSettings(b *strings.Builder, source, e string) {
	fmt.Fprintf(b, "  %s:\n    name: Furnace %s\n    class: %s\n    asset: SIM-%s\n    tags:\n", e, strings.TrimLeft(suffix(e), "0"), Class, suffix(e))
	for _, tag := range furnaceTags() {
		fmt.Fprintf(b, "      %s: {source: %s, node: %q, type: %s, every: %s%s}\n",
			tag, source, "nsu="+Namespace+";s="+e+"."+tag, settingsType(tag), yamlDuration(p.every(tag)), settingsMore(e, tag))
	}
	fmt.Fprintf(b, `    context:
      phase:      {tag: %s, values: {0: idle, 1: heat, 2: soak, 3: quench}}
      lot:        {tag: %s}
      work_order: {tag: %s}
      material:   {tag: %s}
      operator:   {from: panel}
`, tagPhase, tagLot, tagOrder, tagMaterial)
}

// every is how often a tag is to be heard of. What is being made changes seldom,
// is told when it changes, and a silence of three times this is a gap: so that a
// busy machine, on which the plant itself may be late, does not make one.
func (p *Plant) every(tag string) time.Duration {
	switch tag {
	case tagPhase, tagLot, tagOrder, tagMaterial:
		return 4 * p.opt.Step
	}
	return p.opt.Step
}

// settingsType is a tag's type as settings name it.
func settingsType(tag string) string {
	switch tag {
	case tagPhase:
		return "int32"
	case tagLot, tagOrder, tagMaterial, tagRecipe:
		return "string"
	}
	return "float64"
}

// settingsMore is what else the settings say of a tag.
func settingsMore(equipment, tag string) string {
	switch {
	case tag == tagQuench:
		return ", unit: s, range: [0, 600]"
	case strings.HasPrefix(tag, "tc"):
		return fmt.Sprintf(`, unit: "[degF]", range: [0, 2000], sensor: TC-%s-%s, calibration_due: 2099-12-31`, suffix(equipment), tag[2:])
	}
	return ""
}

// Specification is the document HT-DEMO revision A, with delays that suit the
// plant's step. Its limits are those the truth is counted with.
func (p *Plant) Specification() []byte {
	steps := func(n float64) string { return yamlDuration(time.Duration(n * float64(p.opt.Step))) }
	return fmt.Appendf(nil, specification,
		SpecID, SpecRevision, Class, strings.Join(p.opt.Equipment, ", "),
		steps(1), steps(maxGapSteps), num(tempTarget), num(tempLSL), num(tempUSL), num(tempLSL), num(tempUSL),
		steps(offDelaySteps), num(tempDeadband), steps(offDelaySteps), num(tempDeadband),
		steps(40), steps(10), steps(4),
		steps(1), steps(maxGapSteps), num(quenchUSL), steps(offDelaySteps), num(quenchDead), steps(40), steps(10), steps(4),
		steps(1), steps(maxGapSteps), releasedID, steps(offDelaySteps), steps(40), steps(10), steps(4),
	)
}

// specification is a form to be filled in by Specification. Gaps shorter than
// up_to are recorded and raise nothing more; the plant's are.
const specification = `schema: andon.spec/1
id: %s
title: Solution heat treat, simulated furnaces
revision: %s
document: {system: QMS, number: SPC-DEMO, change: CR-0001, reason: First issue for the simulated plant}
effective: {from: 2020-01-01T00:00:00Z}
scope: {equipment_class: %s, equipment: [%s]}
context_required: [lot, work_order]
applies_when: {phase: [heat, soak, quench]}
parameters:
  - id: load_temp
    name: Load thermocouples
    criticality: CPP
    inputs: [tc1, tc2, tc3, tc4]
    unit: "[degF]"
    precision: 0.1
    sampling: {interval: %s, max_gap: %s}
    target: %s
    limits: {lsl: %s, usl: %s, inclusive: true}
    nor: [880, 890]
    par: [%s, %s]
    rules:
      - {id: over, kind: high, limit: usl, scope: any_input, off_delay: %s, deadband: %s, always: true, class: major}
      - {id: under, kind: low, limit: lsl, scope: any_input, off_delay: %s, deadband: %s, when: [soak], class: minor}
    missing_data: {up_to: %s, beyond: deviation, credit: none}
    alarm: {priority: high, respond_within: 3min, text: Load temperature out of limits, instruction: WI-118, action: "Hold the load, call quality"}
    evidence: {before: %s, after: %s}
  - id: quench_delay
    name: Time from the furnace door to the bath
    criticality: CPP
    inputs: [quench_delay_s]
    unit: s
    precision: 0.1
    sampling: {interval: %s, max_gap: %s}
    limits: {usl: %s, inclusive: true}
    rules:
      - {id: late, kind: high, limit: usl, scope: any_input, off_delay: %s, deadband: %s, when: [quench], class: critical}
    missing_data: {up_to: %s, beyond: deviation, credit: none}
    alarm: {priority: critical, respond_within: 3min, text: Load too late in the bath, instruction: WI-121, action: "Set the load apart, call quality"}
    evidence: {before: %s, after: %s}
  - id: recipe
    name: Recipe in the controller
    criticality: CPP
    inputs: [recipe]
    sampling: {interval: %s, max_gap: %s}
    rules:
      - {id: released, kind: equals, value: %q, off_delay: %s, when: [heat, soak], class: major}
    missing_data: {up_to: %s, beyond: deviation, credit: none}
    alarm: {priority: high, respond_within: 10min, text: Not the released recipe, instruction: WI-104, action: "Load the released recipe, call quality"}
    evidence: {before: %s, after: %s}
`

// num writes a limit.
func num(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// yamlDuration writes a duration as settings and specifications do.
func yamlDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
