package record

import (
	"encoding/json"

	"andon/internal/sample"
)

// Outcome is all that follows from one input. It is written in the same
// transaction as the input, after it, in the order of the fields.
type Outcome struct {
	// FirstI is the number i of the first reading of a scan that was kept as a
	// sample; the others follow in order, without those listed in Repeated.
	FirstI uint64
	// Repeated are the positions within the scan of readings that only repeat
	// the last one (same source time, value and status): confirmations.
	Repeated []int

	Judgements []Judgement
	Entries    []Entry
	Retired    []Retired
	Dead       []Dead
	Needs      []Need
}

// Judgement is a change in what one rule says of one piece of equipment: the
// record of every sample in between is that nothing changed.
type Judgement struct {
	Equipment string      `json:"equipment"`
	Parameter string      `json:"parameter"`
	Rule      string      `json:"rule"`
	Verdict   string      `json:"verdict"` // in, out, unknown, not_applicable
	At        sample.Time `json:"at"`      // source time from which it holds
	Spec      SpecRef     `json:"spec"`
	Result    *Result     `json:"result,omitempty"` // of a rule that needs a whole operation
}

// Result is what a rule that needs a whole operation, or a phase of it, has
// come to: at Judgement.At, met or not.
type Result struct {
	From        sample.Time `json:"from"` // when the operation or phase began
	Requirement Requirement `json:"requirement"`
	// GapsS is how many seconds too few inputs were known while the rule applied.
	GapsS float64 `json:"gaps_s,omitempty"`
	// Cut: the operation was still under way when the inputs ended.
	Cut bool `json:"cut,omitempty"`
}

// Requirement is what was asked and what was: the requirement of a quality
// event (contract, section 4). Required is one limit or a pair of them.
type Requirement struct {
	Name     string `json:"name"`
	Required any    `json:"required"`
	Actual   any    `json:"actual"`
	Unit     string `json:"unit"`
	Met      bool   `json:"met"`
}

// SpecRef names the exact revision that judged.
type SpecRef struct {
	ID       string `json:"id"`
	Revision string `json:"revision"`
	SHA256   string `json:"sha256"`
}

// Entry is one message that must reach every consumer. Payload is the exact
// bytes that are sent, now and at every re-send.
type Entry struct {
	Lane    string          `json:"lane"` // quality, event
	Seq     uint64          `json:"seq"`
	Topic   string          `json:"topic"` // under up/: quality/deviation, event/alarm, ...
	Payload json.RawMessage `json:"payload"`
}

// Retired says that all consumers have receipted the entries First to Last of a
// lane: they leave the outbox.
type Retired struct {
	Lane  string `json:"lane"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Dead says that a consumer has rejected an entry: its bytes are kept as a dead
// letter and a tombstone, in Entries, takes its place in the outbox.
type Dead struct {
	Lane     string `json:"lane"`
	Seq      uint64 `json:"seq"`
	Consumer string `json:"consumer"`
	Code     string `json:"code"`
	Reason   string `json:"reason"`
}

// Need asks the shell to read something from the record, the group that is
// still waiting for its commit included, and to bring it as an Answer.
type Need struct {
	ID   string       `json:"id"`
	Tags []sample.Tag `json:"tags"`
	From sample.Time  `json:"from"` // source times, both ends included
	To   sample.Time  `json:"to"`
}
