package uplink

import (
	"context"
	"errors"
)

// The lanes, in the order in which they are sent.
const (
	laneQuality = "quality"
	laneEvent   = "event"
	laneRecord  = "record"
)

// Outbox is what the uplink needs of the record: only what has been committed,
// and nothing that has been retired. It is called from two goroutines.
type Outbox interface {
	// Level says how far a lane is.
	Level(lane string) (Level, error)
	// Pending returns messages of a lane that hold only numbers greater than
	// after, oldest first, at most limit of them. In lanes quality and event a
	// message is one entry (or the tombstone in its place). In lane record it
	// is cut from outstanding samples that follow one another, at most 100 and
	// at most 64 KiB.
	Pending(lane string, after uint64, limit int) ([]Message, error)
	// Entry returns what is known of one entry, outstanding or retired. ok is
	// false if the number was never given, or nothing is known of it any more.
	Entry(lane string, seq uint64) (e Entry, ok bool, err error)
}

// Level is how far a lane is.
type Level struct {
	Raised      uint64 // the last number given
	Outstanding uint64 // how many numbers still have to be receipted, tombstones included
	Oldest      uint64 // the lowest of them, 0 for none
}

// Message is what goes into one MQTT message.
type Message struct {
	Lane        string
	Topic       string // below up/: quality/deviation, event/alarm, record
	First, Last uint64 // the numbers in it; the same but in lane record
	Payload     []byte // the exact bytes, the same at every sending but in lane record
}

// Entry identifies one entry.
type Entry struct {
	Topic string // below up/
	// SHA256 are the hex digests of the exact bytes that have been sent under
	// the number: of the entry and, after it if there is one, of its tombstone,
	// since a consumer may hold either. In lane record, of its element of
	// records. None if the entry is retired and its bytes are kept no longer.
	SHA256 []string
}

// now is the digest of the bytes that are sent now, "" if it is not known.
func (e Entry) now() string {
	if len(e.SHA256) == 0 {
		return ""
	}
	return e.SHA256[len(e.SHA256)-1]
}

// ErrStopping is what a Sink returns when it takes nothing any more because the
// gateway is stopping.
var ErrStopping = errors.New("the gateway is stopping")

// Sink takes a receipt in. It may block; an error means that the receipt was
// not taken, and is otherwise lost: the consumer's next one says it again.
type Sink func(ctx context.Context, r Receipt) error

// Receipt is a consumer's word on what it has stored, as verified here.
// Refused says why it must not be believed; the other fields then are what it
// claimed, as far as that could be read. A receipt of another epoch is handed
// in unrefused, its hash unchecked: the arithmetic of the outbox ignores it.
type Receipt struct {
	Consumer string // ByBroker: "broker"; rejections of our own: "uplink"
	Epoch    string
	Lane     string
	UpTo     uint64
	Ranges   [][2]uint64
	Rejected []Rejection
	Signed   bool
	Refused  string
}

// Rejection is the refusal of one entry. Topic and SHA256 say which bytes were
// refused and where they were sent; they are empty if that is not known.
type Rejection struct {
	Seq    uint64
	Code   string // the consumer's; "poison" for our own
	Reason string
	Topic  string
	SHA256 string
}

// Consumers that are none of the settings'.
const (
	consumerBroker = "broker"
	consumerUplink = "uplink"
	codePoison     = "poison"
)
