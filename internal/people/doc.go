// Package people knows who may do what at this gateway: persons with an id, a
// printed name and a role, the PINs with which they sign, and what each role has
// the right to do. There is no default account and no shared one, and no session
// that signs: every act is signed anew with both components, id and PIN.
//
// It decides only who somebody is and what that person may do. The act itself,
// and its place on the audit trail, are the gateway's.
//
// # The file
//
// People are kept in users.json in the gateway's data directory (mode 0600). It
// is the store of credentials and nothing else; the record is the journal. The
// commands and the running gateway both write it: each change takes the lock of
// the directory, reads the file, and replaces it whole and durably. Nothing is
// held in memory, so each check sees what the file says at that moment.
//
// # Nothing unrecorded
//
// A change and the audit entry that it owes are one write: the file keeps a list
// of changes not yet on record, from which Store.Record takes only what the
// gateway has committed. Wherever a process ends in between, the entry is still
// owed at the next start; at worst it is recorded twice, under the same id.
// Wrong PINs are changes like any other. When 1000 of them wait, nobody can sign
// any more until the gateway records again.
//
// # What guards a PIN
//
//   - argon2id with 64 MiB; one at a time in this process, however many try, and
//     at most 64 waiting: a flood of tries costs time, never memory
//   - five wrong PINs in a row lock the id for 15 minutes, also across a restart
//   - an unknown, a locked and a known id cost the same time
//   - a nonce of this gateway, good for one try within two minutes
//
// Instants come in as values (no clock is read here); locking by them is exact
// but trusts the clock that the caller has.
package people
