// Package receiver is the reference receiver of a gateway's events and records:
// what a quality system must do, done plainly. It subscribes, stores every
// entry durably, recognises what it has already, and only then says so, in a
// signed receipt. docs/events.md describes the exchange for those who write
// their own.
//
// # Order
//
// For each batch of messages, in this order, so that a kill at any instant
// loses nothing that has been receipted:
//
//  1. read, compare with what is held, append to the files
//  2. fsync the files
//  3. acknowledge the messages to the broker
//  4. publish a receipt for each lane touched
//
// A kill before 3 makes the broker, one before 4 the gateway, send again; both
// come in as duplicates and are receipted again.
//
// # Files
//
//	{gateway}.{epoch}.{lane}.jsonl   entries, one a line, in order of arrival: the exact bytes
//	{gateway}.checkpoints.jsonl      tree heads, each as it changed
//	{gateway}.aside.jsonl            what was not stored as an entry, and why
//
// What is held is rebuilt from the files at start; a last line without its end
// was never receipted and is cut off. In memory an entry takes 8 bytes.
//
// It imports nothing of ours: it must not share the gateway's mistakes.
package receiver
