package metrics

import "time"

// Facts are what is true at one scrape.
type Facts struct {
	// Known is false before the first commit: then only Progress, Clock and the
	// sizes of the record are exported.
	Known     bool
	Recording bool
	Progress  time.Time // when the deciding goroutine last got through a turn

	Commits int64  // in this epoch
	Samples uint64 // in this epoch
	Bytes   int64  // of the journal's file
	Quota   int64  // what it may have

	Sources []Source
	Alarms  map[Alarm]int
	Events  map[Event]int // open ones
	Gaps    int           // open ones
	Shelved int           // alarms that are put aside
	Screens *int          // that are being told of changes; nil: there is no panel
	Lanes   []Lane
	Broker  *Broker // nil: no uplink in the settings
	Clock   Clock
	Specs   []Spec

	Certificates []Certificate
}

// Source is one connection to a PLC.
type Source struct {
	Name       string
	Up         bool
	Reconnects uint64
	LastGood   time.Time // when a tag of it was last good or confirmed; source time
	Skew       time.Duration
}

// Alarm is what alarms are counted by.
type Alarm struct{ Priority, State string }

// Event is what open quality events are counted by.
type Event struct{ Kind, Class string }

// Lane is one lane of the outbox.
type Lane struct {
	Name      string
	Raised    uint64
	Receipted uint64
	Pending   uint64 // waiting for receipts, tombstones included
	Rejected  uint64
	Oldest    time.Time // when the oldest pending entry was made; zero when none waits
}

// Broker is the uplink's connection.
type Broker struct {
	Connected       bool
	Connections     uint64
	InFlight        int
	Sent, SentAgain uint64
	Acknowledged    uint64 // by the broker
	Poisoned        uint64
	Receipts        map[string]uint64 // by what was made of them
	LastReceipt     time.Time
}

// Clock is what is known of the gateway's own clock.
type Clock struct {
	Known               bool // somebody can say; else only that it is not synchronised
	Synced              bool
	Offset, Uncertainty time.Duration
}

// Spec is a revision that judges somewhere.
type Spec struct {
	ID, Revision, SHA256 string
	Effective            time.Time
}

// Certificate is one that we present to others.
type Certificate struct {
	Name     string // opcua, mqtt, panel
	NotAfter time.Time
}
