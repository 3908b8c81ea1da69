// Package uplink carries the entries of the outbox to the quality system over
// MQTT 3.1.1, lane by lane, oldest first, and brings receipts back. It knows no
// alarm and no deviation, and nothing else of ours.
//
// # What always holds
//
//   - It retires no entry. Only a consumer's receipt does, and that is handed
//     in as an input; a broker's PUBACK is flow control and nothing more,
//     unless the settings say otherwise (ByBroker).
//   - An entry may arrive twice, never not at all: what is not receipted is
//     sent again, byte for byte, for as long as it takes.
//   - Quality goes before events and events before records. Records of just now
//     share the window with a backlog of records, three to one.
//   - A receipt is believed only if it is the consumer's signed word on bytes
//     that we sent. One that is not is handed in too, as refused.
//   - What no broker takes goes aside as a dead letter, so that the rest can
//     pass; it is never dropped.
//
// # One connection
//
// Every connection has a new client, which is thrown away with it: the MQTT
// library neither reconnects nor retries nor stores, because its tokens then
// report success for messages that were lost. In order: connect; subscribe the
// receipts and read the broker's answer; publish the retained state; publish
// the last checkpoint; then keep up to a window of messages in flight. A lost
// connection, an acknowledgement that does not come, or a write that does not
// end, ends it: what was not acknowledged is sent again on the next one, after
// a pause, at the next broker of the list.
//
// # Sending again
//
// When the oldest entry of a lane is acknowledged by the broker but not
// receipted for ReceiptTimeout, it is sent again, and then at twice the time,
// up to RetryMax. Its receipt shows that the way is open: twice as many of the
// following ones go next, and so on until what had been sent before is
// receipted. A new connection, or a consumer that repeats its last receipt
// unasked (as it does when it starts), makes the oldest due at once.
//
// # Goroutines
//
// Run owns two: one talks to the broker and is the only one that touches the
// schedule, one verifies receipts and hands them in, and may be held up by the
// gateway as long as that takes. Status, Wake and Checkpoint may be called from
// anywhere.
package uplink
