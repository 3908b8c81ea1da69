// Package simulator runs the pure core through whole simulated weeks of bad
// luck and compares what comes of it with the truth. It is there for tests.
//
// A run is made of one number, its seed. From it follow the plant (two
// furnaces, their tags, the values they take about their limits), a
// specification, the habits of the sources, and everything that goes wrong. The
// same seed gives the same run, byte for byte, so what a run finds can be looked
// at again and again.
//
// # What is modelled
//
//   - The plant puts out values: calm, restless about a limit (on it, a quarter
//     beside it, at the deadband's end, far beyond), bad, uncertain, not a number.
//   - The sources publish: one stamp a scan or a stamp a tag, all samples or
//     changes only, with or without confirmations, their clocks off by up to two
//     seconds. Answers jitter and come twice, queues overflow, the source falls
//     silent, the link is cut and comes back with the values that are held.
//   - The shell around engine.Decide: numbering, ticks when Due has come, Needs
//     answered from the journal and the groups under way, commits in groups
//     while deciding runs ahead. It is killed between any two operations, is
//     stopped in order, starts again, and folds its state again from a snapshot
//     and the record, which must give the same bytes.
//   - The journal: what is committed stays. A commit may report an error and
//     have happened or not; then what was decided is thrown away.
//   - Uplink and receiver: entries are lost, come twice and are rejected;
//     receipts are lost, doubled, late, overtake one another, or are nonsense.
//
// # The oracle
//
// The oracle knows which inputs were committed, as the world handed them in, and
// works backwards over the whole run: when each tag was known, what each rule
// said when, which stretches out make an excursion. It shares no code with
// judge, quality and engine: it has the rules from the plan, not from the
// parsed specification, and knows no states. What it expects is compared with
// what the receiver got: every excursion is exactly one event with the right
// beginning, end, worst value, detection and clearing; every gap and every loss
// of monitoring is told once; nothing else is; every sample handed over is on
// record once; lanes have no holes; raised = receipted + rejected at the end.
// Alarms are held to their own instants, beside the events.
//
// Where the contract leaves open what holds, the oracle takes these readings:
// any_input judges at once, so a verdict given stands even if an input turns
// out to have been blind; an on-delay counts as far as some input is known to
// have been out, an off-delay as far as all are known to have been in; a
// parameter's loss of monitoring begins with the gap by which it was first
// known; what a rule was in spec until is checked for single inputs only.
//
// A problem is printed with the command that plays its run alone.
// SIMULATOR_RUNS=N plays N seeds.
//
// # What is not modelled yet
//
// Context that changes (phases, lots, operations), specifications that change,
// late and backfilled samples, a clock that steps, a source whose clock is not
// to be trusted, acts of people, inputs of one parameter from two sources, a
// full journal.
package simulator
