// Package judge decides, sample by sample, whether a process parameter is
// within its specification, and what must be raised when it is not.
//
// It is a function of its inputs: it reads no clock, keeps no goroutine and
// writes nothing. Time enters with each input; a state saved and loaded again
// goes on as if it had never been interrupted.
//
// A State belongs to one parameter on one piece of equipment. What reaches it:
//
//	Scan      good values of its inputs at one source time
//	Heard     an input is known not to have changed up to an instant
//	Gap       an input is unknown from an instant on, until its next value
//	Context   what the rules' applicability depends on has changed
//	Advance   all that can be known up to an instant (the limit) is known
//
// What comes of it is a list of Changes: verdicts, alarms raised and cleared,
// events opened, changed, cleared.
//
// # Time
//
// All instants are source time. A sample at T comes before a timer at T; a
// timer takes effect at its own instant however late it is fired. Rules with
// scope any_input judge each input at once. The other scopes need all inputs at
// one instant: their samples wait in a queue until the limit has passed them.
//
// # Unknown
//
// An input in a gap is neither in nor out. Verdicts of several inputs join as
// in Kleene's three-valued logic: any_input is out as soon as one input is out,
// and in only when all are known to be in.
package judge
