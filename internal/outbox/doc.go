// Package outbox is the arithmetic of what must reach the quality system:
// which numbers have been given, which the consumers have receipted, which they
// have rejected, and what may therefore leave the outbox.
//
// It holds no message. The journal keeps the entries, the engine keeps this
// State beside its own and asks it three things: the next number of a lane
// (Next, Advance), what follows from a receipt (Receipt), and the counts that
// the page shows (Count). It is pure: no clock, no I/O, nothing of ours.
//
// # Lanes and numbers
//
// There are three lanes, sent strictly in this order: quality, event, record.
// Each counts its entries from 1 without gaps in the life of a journal (an
// epoch). In lane record an entry is one sample and its number is i.
//
// # What one number can be
//
//	state      counted as   in the outbox             leaves the outbox
//	pending    Pending      the entry                 all consumers hold it: receipted
//	                                                  a consumer rejects it: withheld
//	receipted  Receipted    nothing                   -
//	withheld   Rejected     its tombstone             all consumers hold the number: rejected
//	rejected   Rejected     nothing                   -
//
// So Raised = Receipted + Pending + Rejected, always. Withheld is the part of
// Rejected whose tombstone is still on its way.
//
// A consumer holds a number when it has receipted it, whether it was the entry
// or its tombstone that it stored. Who stored the entry before another consumer
// rejected it holds the number and need not store the tombstone.
//
// # Rejections
//
// A number rejected by any consumer is rejected, for good. The caller then
// keeps the entry's bytes as a dead letter and puts a tombstone in its place
// (Withheld makes it), under the same lane, number and topic, so that consumers
// who count without gaps can go on. A tombstone cannot be rejected: the number
// stays outstanding until every consumer has receipted it. Sending a dead
// letter again makes a new entry with a new number.
//
// # What is not believed
//
// A receipt is taken whole or not at all. It is refused (the caller records and
// alarms that) when it names a lane or a consumer that there is not, a number
// that was never given, a range that is none, or rejects what has left the
// outbox as receipted. It is ignored, without alarm, when it is of another
// epoch. One that says nothing new changes nothing: receipts may be repeated
// and may overtake one another.
package outbox
