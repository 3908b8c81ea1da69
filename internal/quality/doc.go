// Package quality is the life of what the quality system must handle:
// deviations and nonconformances, one for each excursion, and gaps, one for
// each stretch in which the gateway was blind. It decides which revisions of
// each are made and writes their documents (quality-event/1).
//
// It is separate from alarms: acknowledging one changes nothing here but a
// line under people. Nothing is ever withdrawn, closed or lowered by the
// gateway.
//
// It is pure: it reads no clock and does no I/O.
package quality
