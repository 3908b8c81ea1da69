package record

import (
	"strconv"
	"time"

	"andon/internal/sample"
)

// Input is one numbered thing that happened outside.
type Input struct {
	N    uint64      // number in the epoch, from 1, without gaps
	At   sample.Time // arrival: the gateway's clock when it was taken in
	Body Body
}

// Body is one of the input types of this file.
type Body interface{ Type() Kind }

// Kind names a record's type; it is the first byte of its canonical form.
// Numbers are part of the format and are never given anew.
type Kind byte

// The kinds of records: inputs below 64, outcomes from 64 on.
const (
	KindStart         Kind = 1
	KindStop          Kind = 2
	KindScan          Kind = 3
	KindConfirm       Kind = 4
	KindLoss          Kind = 5
	KindTick          Kind = 6
	KindAct           Kind = 7
	KindContext       Kind = 8
	KindReceipt       Kind = 9
	KindSpecification Kind = 10
	KindAnswer        Kind = 11
	KindClock         Kind = 12
	KindPolicy        Kind = 13
	KindWithdrawal    Kind = 14

	KindJudgement Kind = 64
	KindEntry     Kind = 65
	KindRetired   Kind = 66
	KindNeed      Kind = 67
	KindDead      Kind = 68
)

// Scan is what one source gave for one source time: one sample a tag.
type Scan struct {
	Source   string           `json:"source"`
	Time     sample.Time      `json:"time"`   // source time of all readings
	AsOf     sample.Time      `json:"as_of"`  // set for values held at (re)connection: the instant they are judged at
	Server   sample.Time      `json:"server"` // the source's own clock when it answered; 0 if it has none
	Readings []sample.Reading `json:"readings"`
}

// Confirm is a source's word that the tags it watches have not changed since
// their last sample, up to Time (source time).
type Confirm struct {
	Source string       `json:"source"`
	Time   sample.Time  `json:"time"`
	Except []sample.Tag `json:"except"` // tags of the source that are not watched just now
}

// Loss says that samples of tags are known to be lost from their last good one
// on, until the next sample arrives. No tags means all of the source.
type Loss struct {
	Source string       `json:"source"`
	Tags   []sample.Tag `json:"tags,omitempty"`
	Cause  string       `json:"cause"`            // a gap's cause: source, link, overflow, ...
	Detail string       `json:"detail,omitempty"` // in words, for people
}

// Tick is the clock: nothing arrived, and a timer is due. At is the instant.
type Tick struct{}

// Act is what a person did, already authenticated and authorised by the shell.
type Act struct {
	User     string `json:"user"`
	Role     string `json:"role"`
	Kind     string `json:"kind"`   // ack, comment, shelve, unshelve, context, requeue
	Target   string `json:"target"` // alarm id; equipment (context); id of a dead letter
	Meaning  string `json:"meaning"`
	Comment  string `json:"comment,omitempty"`
	Terminal string `json:"terminal,omitempty"`
	// Letter is the dead letter that is to be sent again (requeue), as the shell
	// read it from the record.
	Letter *Letter `json:"letter,omitempty"`
	// For is how long the alarm is to be shelved. Senior says that the person may
	// shelve alarms of critical rules too, which the engine decides by.
	For    time.Duration `json:"for,omitempty"`
	Senior bool          `json:"senior,omitempty"`
	// Fields are what is said to be being made (context); an empty text says that
	// there is nothing.
	Fields map[string]string `json:"fields,omitempty"`
	// of what was done to an account, which may be recorded long after it happened
	Name   string      `json:"name,omitempty"`   // printed name of the user
	Change string      `json:"change,omitempty"` // its id: the same when it comes twice
	When   sample.Time `json:"when"`
	Old    string      `json:"old,omitempty"`
	New    string      `json:"new,omitempty"`
}

// Kinds of acts. An act of any other kind is about an account, and says in Change
// which.
const (
	Ack        = "ack"      // an alarm was seen
	Comment    = "comment"  // something was said about an alarm
	Shelve     = "shelve"   // an alarm is put aside for a time
	Unshelve   = "unshelve" // it is taken back before that
	SetContext = "context"  // what is being made
	Requeue    = "requeue"  // a dead letter is sent again
)

// Refused begins what the audit trail says is new by an act that was not carried
// out; why stands behind it.
const Refused = "refused: "

// Letter is a dead letter: the entry's place and the exact bytes that were sent.
type Letter struct {
	Lane    string `json:"lane"`
	Seq     uint64 `json:"seq"`
	Topic   string `json:"topic"`
	Payload []byte `json:"payload"`
}

// Context is what is being made, told by the MES or a person.
type Context struct {
	Equipment string            `json:"equipment"`
	From      sample.Time       `json:"from"` // since when; 0 = since it arrived
	Fields    map[string]string `json:"fields"`
	By        string            `json:"by"` // mes, panel
	Verified  bool              `json:"verified"`
	// WithNext: it was said together with the values of the next input, a scan;
	// nothing from before is judged in what it begins.
	WithNext bool `json:"with_next,omitempty"`
}

// Receipt is a consumer's word on what it has stored, with what the shell found
// when it checked it: Refused says in words why it must not be believed.
type Receipt struct {
	Consumer string      `json:"consumer"`
	Epoch    string      `json:"epoch"`
	Lane     string      `json:"lane"`
	UpTo     uint64      `json:"up_to"`
	Ranges   [][2]uint64 `json:"ranges,omitempty"`
	Rejected []Rejection `json:"rejected,omitempty"`
	Signed   bool        `json:"signed"`
	Refused  string      `json:"refused,omitempty"`
}

// Rejection is a consumer's refusal of one entry. Topic and SHA256 are the
// shell's, from the entry that was rejected.
type Rejection struct {
	Seq    uint64 `json:"seq"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Topic  string `json:"topic"`
	SHA256 string `json:"sha256"`
}

// Policy is the list of people and rules by which approvals are judged: the
// bytes of approvers.yaml and of the signed notes beside it (empty for the
// first revision, which is taken as found and recorded).
type Policy struct {
	Document  []byte `json:"document"`
	Approvals []byte `json:"approvals"`
}

// Specification is a controlled document offered for installation: its bytes
// and those of its approvals.
type Specification struct {
	Document  []byte `json:"document"`
	Approvals []byte `json:"approvals"`
	By        string `json:"by"` // who or what brought it: file, mqtt
	// Unsigned judges a draft, in rehearsals only; no shell of the daemon sets it.
	Unsigned bool `json:"unsigned,omitempty"`
	// Draft: effective from its installation on, whatever it says; in rehearsals
	// only, as a draft is in force at no time.
	Draft bool `json:"draft,omitempty"`
}

// Withdrawal takes an installed specification out of force: the signed note that
// says so.
type Withdrawal struct {
	Note []byte `json:"note"`
	By   string `json:"by"` // who or what brought it: file
}

// Answer is what the shell read for a Need.
type Answer struct {
	Need   string `json:"need"`  // the need's id
	First  uint64 `json:"first"` // sample numbers i of the first and last sample found; 0,0 for none
	Last   uint64 `json:"last"`  // sample numbers i of the first and last sample found; 0,0 for none
	Count  uint64 `json:"count"`
	SHA256 string `json:"sha256"` // hex, over the records' bytes as sent, one a line
}

// Clock is a change in what is known of the gateway's clock.
type Clock struct {
	Source      string        `json:"source"` // ntp, none
	Synced      bool          `json:"synced"`
	Offset      time.Duration `json:"offset"` // estimate of the error
	Uncertainty time.Duration `json:"uncertainty"`
	Step        time.Duration `json:"step"` // how far the clock was found to have jumped; 0 for none
}

// Start is the beginning of a run of the gateway.
type Start struct {
	Gateway string `json:"gateway"`
	Site    string `json:"site"`
	Epoch   string `json:"epoch"`
	Version string `json:"version"`
	Config  string `json:"config"` // SHA-256 of the settings, hex
	Wiring  Wiring `json:"wiring"`
	Clock   Clock  `json:"clock"`
	// LastAlive is the last instant at which the run before is known to have
	// lived; the time from there on is a gap. 0 at the first start of all.
	LastAlive sample.Time `json:"last_alive"`
	// Differs says at which input the record, decided again, came out otherwise;
	// Cause why the run before ended, where that was not by a stop or a kill.
	Differs string `json:"differs,omitempty"`
	Cause   string `json:"cause,omitempty"`
	// NoGrace lets the clock decide at the very instant at which something is
	// due: for rehearsals, where nothing can still be on its way.
	NoGrace bool `json:"no_grace,omitempty"`
}

// Stop is a clean end of a run; its outcome is the last before the end.
type Stop struct {
	Reason string
	// Final: nothing follows. Operations that are under way end here. For the
	// end of a file that is rehearsed; a gateway's run never is final.
	Final bool `json:",omitempty"`
}

// Wiring is the machine's settings as far as judging depends on them.
type Wiring struct {
	Sources   []Source    `json:"sources"`
	Equipment []Equipment `json:"equipment"`
	Tags      []Tag       `json:"tags"` // by number; a tag no longer in the settings keeps its number with Source ""
	Consumers []string    `json:"consumers"`
	Receipts  string      `json:"receipts"` // signed, unsigned, broker
}

// Source is one connection to a PLC.
type Source struct {
	Name    string        `json:"name"`
	Kind    string        `json:"kind"`     // opcua, modbus
	Publish time.Duration `json:"publish"`  // how long a sample may be on its way: the publishing interval, or 0
	MaxSkew time.Duration `json:"max_skew"` // how far its clock may be off before arrival time decides; 0 = 5 s
}

// Equipment is one piece of equipment, an ISA-95 work unit.
type Equipment struct {
	Name           string    `json:"name"` // as in tag names: furn-03
	Title          string    `json:"title,omitempty"`
	Class          string    `json:"class,omitempty"`
	Asset          string    `json:"asset,omitempty"`
	SpecialProcess bool      `json:"special_process,omitempty"`
	Context        []Binding `json:"context,omitempty"`
}

// Binding says where a context field comes from: a tag, the MES or the panel.
type Binding struct {
	Field  string            `json:"field"`            // phase, lot, material, operation, operator, ...
	Tag    string            `json:"tag,omitempty"`    // short name of a tag of the equipment
	Values map[string]string `json:"values,omitempty"` // what the tag's values mean
	From   string            `json:"from,omitempty"`   // mes, panel
}

// Tag describes one tag.
type Tag struct {
	Equipment string        `json:"equipment"`
	Name      string        `json:"name"`
	Source    string        `json:"source"`
	Kind      sample.Kind   `json:"kind,omitempty"` // of its values; None when not known
	Unit      string        `json:"unit,omitempty"`
	Every     time.Duration `json:"every"`           // sampling interval; 0 = the source's own cycle
	Range     *[2]float64   `json:"range,omitempty"` // values outside are bad
	Sensor    string        `json:"sensor,omitempty"`
	// CalibrationDue is the day after which the sensor may not be relied on.
	CalibrationDue string `json:"calibration_due,omitempty"`
	// History: its source may bring samples late, from a history of its own.
	History bool `json:"history,omitempty"`
}

// Path is the tag's name in the gateway: equipment/name.
func (t Tag) Path() string { return t.Equipment + "/" + t.Name }

// The types of the inputs.
func (*Start) Type() Kind         { return KindStart }
func (*Stop) Type() Kind          { return KindStop }
func (*Scan) Type() Kind          { return KindScan }
func (*Confirm) Type() Kind       { return KindConfirm }
func (*Loss) Type() Kind          { return KindLoss }
func (*Tick) Type() Kind          { return KindTick }
func (*Act) Type() Kind           { return KindAct }
func (*Context) Type() Kind       { return KindContext }
func (*Receipt) Type() Kind       { return KindReceipt }
func (*Policy) Type() Kind        { return KindPolicy }
func (*Specification) Type() Kind { return KindSpecification }
func (*Withdrawal) Type() Kind    { return KindWithdrawal }
func (*Answer) Type() Kind        { return KindAnswer }
func (*Clock) Type() Kind         { return KindClock }

// Name returns the equipment and short name of a tag; one that the table does
// not hold is given its number for a name.
func (w *Wiring) Name(t sample.Tag) (equipment, tag string) {
	if int(t) < len(w.Tags) {
		return w.Tags[t].Equipment, w.Tags[t].Name
	}
	return "", "#" + strconv.FormatUint(uint64(t), 10)
}

// Find returns the number of a tag.
func (w *Wiring) Find(equipment, tag string) (sample.Tag, bool) {
	for i := range w.Tags {
		if w.Tags[i].Equipment == equipment && w.Tags[i].Name == tag {
			return sample.Tag(i), true
		}
	}
	return 0, false
}
