// Package requirements traces what quality people ask of the records to the
// tests that prove it. It has no code: its test reads the list in testdata and
// the tags in all tests, holds the one against the other, and writes
// docs/requirements.md, which is shipped.
package requirements
