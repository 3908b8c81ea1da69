// Package spec is the controlled specification: the document that says what
// must hold, who approved it, and which revision was in force when.
//
// It is pure. Bytes and instants come in as values; nothing is read, written or
// looked up, and the same bytes are judged alike on every machine and on every
// day. Its callers are the engine, which installs and asks what is in force,
// and the commands with which people write, sign and check documents.
//
// What always holds:
//
//   - A document is valid as a whole or refused as a whole, with every reason.
//     No key in it is ignored: it has an effect, is kept as description, or is
//     refused.
//   - A document judges only when it is approved: each note beside it is a true
//     signature, by a person of the list, on exactly these bytes, and together
//     they are what the policy wants. One wrong note refuses all.
//   - What is in force never goes back: not by re-installing, not by expiry.
//
// # The document
//
// ID.REVISION.spec.yaml (schema andon.spec/1):
//
//	schema: andon.spec/1
//	id: HT-7075-T6                # letters, digits, - and _
//	title: Solution heat treat
//	revision: D                   # letters, digits, -, _ and .
//	document: {system: QMS, number: SPC-2204, change: CR-0912, reason: "…"}
//	effective: {from: 2026-03-01T06:00:00-05:00, to: 2027-03-01T00:00:00-05:00}   # to: optional
//	scope: {materials: […], operation: "0040", equipment_class: …, equipment: […]} # absent: everything
//	context_required: [work_order, lot]
//	applies_when: {phase: [heat, soak]}
//	parameters:
//	  - id: load_temp
//	    name: Load thermocouples
//	    criticality: CPP          # CPP KPP CQA info
//	    inputs: [tc1, tc2]        # tags within the equipment
//	    unit: "[degF]"            # UCUM, equal to the tag's; may be absent when all rules are `equals`
//	    precision: 0.1
//	    accept_uncertain: false
//	    sampling: {interval: 10s, max_gap: 60s}
//	    target: 885
//	    limits: {lsl: 875, usl: 895, inclusive: true}
//	    nor: [880, 890]           # within par and within lsl..usl
//	    par: [875, 895]
//	    rules: […]
//	    missing_data: {up_to: 60s, action: flag, beyond: deviation, credit: none}
//	    alarm: {priority: high, respond_within: 3min, text: …, instruction: WI-118, action: …}
//	    evidence: {before: 10min, after: 10min}
//
//	    computed: p_in - p_out    # one value of the inputs, which the rules then judge
//	    sensor_loss: {minimum_inputs: 1, action: continue_and_flag}   # absent: all are needed
//	    calibration: {overdue: deviation}                             # or flag
//	classification: {escalate_to_critical_when: [product_exposed and outside_par_for > 5min]}
//
// A rule has an id and a kind, and of that kind:
//
//	high low    limit: usl, lsl, nor, par or a number
//	band        limit: nor, par, limits for lsl to usl (the default), or [low, high]
//	equals      value
//	rate        window; min, max; unit: the parameter's over s (default), min, h or d
//	spread      max: the largest difference between two inputs at least
//	envelope    profile: points [t, low, high] or {t, low, high} in order of t, a
//	            duration or seconds since the phase began; null for no limit
//	frozen      for: the longest time without a change
//	window      ranges: {input: [low, high]}, null for no limit; units: {input: unit}
//	            for those that are not in the parameter's; when: is required
//	spc         center, sigma; chart: individuals (default), ewma, cusum;
//	            rules (of individuals, default n1), lambda and l (ewma), k, h and
//	            fir: true or a fraction of h (cusum); subgroup: values a point, default 1;
//	            sample: {per: sample (default), interval, part or phase;
//	            every (of interval); take: last, mean, max, min}
//	soak        tolerance: [low, high]; min, max: durations; mode: continuous
//	            (default) or cumulative; start: lagging_at_or_above_lsl
//	lethality   tref, z; min, max: durations
//	above below value: a number, usl, lsl, nor or par; min, max: durations
//	peak        min, max: numbers, usl, lsl, nor or par; side: high (default) or low
//
// All take
//
//	always: true | when: [phase, …]          default: while the specification applies
//	class          major (default; of spc signal) minor critical signal
//	on_fail        nonconformance
//	on_lot_change  extend (default) split
//
// and, where it has a meaning,
//
//	scope          any_input (default) all_inputs mean max min
//	deadband       in the unit of the rule's limits; narrower than they are apart
//	on_delay off_delay event_delay rejoin    durations, default 0
//
// equals and frozen take the scopes any_input and all_inputs, spc all but
// all_inputs; spread, soak and window are about all inputs by themselves.
// soak, lethality, above, below and peak are decided once, when an operation
// ends: they have no delays and no deadband, and are never always judged.
//
// # Expressions
//
// computed is an expression in the notation of expr-lang/expr over the inputs by
// name: + - * / ^, < <= > >= == !=, and or not, a ? b : c, and abs exp log (natural)
// max mean min pow sqrt. All numbers are floating; true and false inputs are 1 and
// 0. An undefined result (a division by zero) is no value, and the parameter then
// unknown. Write it in quotes where it has `: ` in it.
//
// The other form of computed is {mean_kinetic_temperature: input, delta_h: 83.144,
// over: operation}; rules on it are high, low, band and peak.
//
// A classification's expressions are true or false, over product_exposed,
// special_process, outside_for, outside_par_for (durations, as 5min) and class.
//
// # Approvals
//
// ID.REVISION.approvals holds notes (the form of golang.org/x/mod/sumdb/note,
// Ed25519), one after the other, each followed by an empty line. A note is one
// person's word on one document; its text is these eight lines and no others:
//
//	andon.approval/1
//	specification HT-7075-T6
//	revision D
//	sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//	meaning approved
//	role quality
//	user mmuster
//	time 2026-02-20T09:12:31.000Z
//
//	— mmuster iVYB…
//
// sha256 is that of the document's bytes, meaning one of authored, reviewed and
// approved, time in UTC with three, six or nine digits. There is one way to
// write each note, so a changed byte anywhere is found.
//
// # Approvers
//
// approvers.yaml (schema andon.approvers/1) says who may sign and what is
// needed:
//
//	schema: andon.approvers/1
//	revision: 1
//	policy:                       # absent: as here
//	  required:
//	    - {meaning: approved, role: quality}
//	    - {meaning: approved, not_role: quality}
//	people:
//	  - {id: mmuster, name: Maria Muster, role: quality, key: "mmuster+1a2b3c4d+…"}
//
// Each requirement is met by another person. Whatever the policy, there is an
// author, and no author reviews or approves. until, an instant, is when a person's
// key runs out.
//
// The list has approvals of its own beside it from its second revision on
// (approvers.approvals), which the revision before it judges. Their text is that
// of an approval without the line of the specification, and begins with
//
//	andon.policy-approval/1
//	revision 2
//
// # Withdrawals
//
// ID.REVISION.withdrawal is one note, by somebody of quality:
//
//	andon.withdrawal/1
//	specification HT-7075-T6
//	revision D
//	sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//	reason Wrong upper limit, see CR-1044
//	role quality
//	user mmuster
//	time 2026-04-02T03:40:11.000Z
//
//	— mmuster iVYB…
package spec
