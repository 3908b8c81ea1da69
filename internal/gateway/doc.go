// Package gateway wires all parts into the daemon and owns the one deciding
// goroutine.
//
// Inputs come by one channel: what sources hand over, receipts, acts,
// specifications. The deciding goroutine numbers each, decides it on a working
// state, and gathers what follows into a group. A group is committed in one
// transaction: at once when it holds anything that people or the quality system
// must know, else at the settings' interval. Only then is anything of it shown,
// sent, or acknowledged to its source.
//
// When the channel is full a source waits; what its server then loses comes as
// a loss, and is a gap on record.
//
// # When a commit's fate is unknown
//
// The working state is thrown away, sources and uplink are stopped, the journal
// is opened again and its head is read, and everything starts over from what is
// there, again and again until recording works. It is the same way as after a
// kill, and the time it took is a gap.
//
// # Order of stopping
//
// Sources end, and with them the channel; what is in it is decided and
// committed with a snapshot of the state; the uplink gets a few seconds to send;
// the journal closes last.
package gateway
