// Package record is the vocabulary of the journal: the inputs that the engine
// decides on, the outcomes that follow, and their canonical bytes.
//
// The atomic input is one scan, confirmation, loss, tick, act, context,
// receipt, specification, answer, clock reading, start or stop. Each has a
// number N, counted from 1 in the life of a journal (an epoch), and the instant
// At at which the gateway took it in. The same inputs give the same outcomes.
//
// Canonical bytes are what hashes are taken over. They are written once and
// never re-written in another form: a record is
//
//	kind (1 byte) | length of body (uvarint) | body
//
// where the body of a scan and of a confirmation is binary (see encode.go) and
// every other body is JSON as encoding/json writes our structs. docs/journal.md
// describes both for a reader in any language.
//
// It is pure, and imports only package sample.
package record
