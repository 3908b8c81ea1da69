// Package journal is the gateway's memory. Everything that follows from one
// input (the record, the alarm state, the deviation, the message to send) is
// written in one transaction, or none of it is.
//
// It knows bytes, not what they mean: records arrive as canonical frames
// (kind byte, uvarint length, body), messages as lane, number, topic and
// payload, the engine's state as one blob. It is the only user of bbolt.
//
// # What always holds
//
//   - When Commit returns nil the group is on the disk. What can be read with
//     the methods of View is on the disk: a transaction that is being written
//     is not seen before its last flush, although bbolt itself would show it.
//   - A commit that failed in any other way than ErrFull is of unknown outcome:
//     the journal refuses to go on until Reopen has read what is really there.
//   - The tree has one leaf a commit: the commit's header, which holds the hash
//     of its records, the hash of the header before it and the hash of the state
//     saved with it. A byte changed later does not go unseen (Verify).
//   - No reader holds a transaction while its caller works: pages are copied
//     and the transaction is closed, so neither the file nor the writer is held.
//   - A damaged file is set aside, never deleted and never repaired.
//
// # Buckets
//
//	bucket          key                    value                          who deletes it
//	meta            "identity"             Identity as text               nobody
//	journal         sequence 8, part 2     a part of the commit's block   nobody yet (retention)
//	chain           sequence 8             1 to 64 tree hashes            nobody
//	outbox/<lane>   seq 8                  entry                          Group.Retired
//	snapshot        sequence 8             saved state                    the next but one snapshot
//	checkpoint      tree size 8            signed note                    nobody yet (retention)
//
// Numbers are big-endian. docs/journal.md gives every layout byte by byte, and
// what is promised at each instant at which the power may fail.
//
// # Use
//
// One goroutine commits. Any number read. Nothing here reads a clock: instants
// are nanoseconds since 1970 and come from the caller.
package journal
