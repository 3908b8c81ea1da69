// Package config reads gateway.yaml: the settings of one machine, that is
// addresses, paths, names and intervals, and never a limit.
//
// Parse takes the bytes and gives settings that are whole and valid, with all
// defaults filled in, or every problem at once, each with its place, cause and
// cure. After it nothing is checked again. An option that is absent never
// switches a check off: security is the strongest, receipts are signed, and
// what would be weaker must be written down.
//
// Load is the thin shell around it that reads files. This package imports
// nothing of ours but strictyaml, ucum and the values of sample; the gateway
// gives each part what it needs of the settings.
package config

import (
	"time"

	"andon/internal/sample"
	"andon/internal/strictyaml"
)

// Config is one machine's settings, valid and complete. Paths are absolute, or
// relative to the working directory when the file was named so.
type Config struct {
	File string // as it was named
	// SHA256 is the hex hash over the file's bytes and those of every tags_file
	// in the order of the file: what the record names as the settings in force.
	SHA256 string

	Gateway   Gateway
	Data      Data
	Specs     Specs
	Sources   []Source    // in the order of the file
	Equipment []Equipment // in the order of the file
	MQTT      *MQTT       // nil: nothing is sent
	Beacon    *Beacon     // nil: none
	Panel     *Panel      // nil: not served
	Metrics   *Metrics    // nil: not served

	// Warnings are what is allowed but likely meant otherwise.
	Warnings strictyaml.Problems
}

// Gateway says who this is.
type Gateway struct {
	ID   string // [A-Za-z0-9_-]; also MQTT client id and user
	Site string // ISA-95 path of the place: acme/plant1/heat-treat; may be ""
}

// Data is where and how the record is kept.
type Data struct {
	Dir         string
	Quota       int64 // bytes that the journal may have on disk
	CommitEvery time.Duration
	Retain      time.Duration // how long routine samples are kept
}

// Specs is where the controlled specifications lie.
type Specs struct {
	Dir       string
	Approvers string // the list of people who may sign
}

// Source is one connection to a PLC; exactly one of OPCUA and Modbus is set.
type Source struct {
	Name   string
	OPCUA  *OPCUA
	Modbus *Modbus
}

// Kind is the protocol: opcua or modbus.
func (s *Source) Kind() string {
	if s.OPCUA != nil {
		return "opcua"
	}
	return "modbus"
}

// OPCUA is a connection to an OPC UA server.
type OPCUA struct {
	Endpoint string // opc.tcp://host:port/path
	Policy   string // short name of the security policy: Basic256Sha256, None
	Mode     string // SignAndEncrypt, Sign, None
	// Insecure says that the weak policy was asked for in so many words.
	Insecure bool
	Trust    string // directory with the certificates that are accepted; "" only when Policy is None
	Identity Identity
	Publish  time.Duration // publishing interval
	MaxSkew  time.Duration // how far the server's clock may be off before arrival time decides
	Timeout  time.Duration // of one request
}

// Identity is who we are to an OPC UA server. All empty: anonymous.
type Identity struct {
	Username    string
	Password    Secret
	Certificate string // path, DER or PEM; then Key too
	Key         string
}

// Anonymous reports whether no identity was given.
func (i Identity) Anonymous() bool { return i.Username == "" && i.Certificate == "" }

// Modbus is a connection to a Modbus server or a serial bus with several.
type Modbus struct {
	Address      ModbusAddress
	Timeout      time.Duration // of one answer
	MaxRegisters int           // in one read, 1 to 125
	MaxGap       int           // registers read in between to join two reads
	Holes        []Hole        // never touched
}

// ModbusAddress is how a Modbus device is reached.
type ModbusAddress struct {
	Transport string // tcp, rtu or rtu+tcp
	Host      string // host:port of tcp and rtu+tcp
	Device    string // of rtu: /dev/ttyUSB0
	Baud      int
	DataBits  int
	Parity    string // N, E, O
	StopBits  int
}

// Hole is a stretch of a table that must not be read; both ends are included.
type Hole struct {
	Table       Table
	First, Last uint16
}

// Table is one of the four tables of a Modbus device.
type Table string

// The tables.
const (
	Coil     Table = "coil"
	Discrete Table = "discrete"
	Holding  Table = "holding"
	Input    Table = "input"
)

// Bits reports whether the table holds single bits.
func (t Table) Bits() bool { return t == Coil || t == Discrete }

// Equipment is one piece of equipment, an ISA-95 work unit.
type Equipment struct {
	Name           string // as in tag names: furn-03
	Title          string // as people call it; Name when not given
	Class          string // what specifications scope by
	Asset          string
	SpecialProcess bool // results cannot be verified afterwards
	Tags           []Tag
	Context        []Binding
}

// Tag is one value read from a source; one of OPCUA and Modbus is set, as its
// source is.
type Tag struct {
	Name   string // within the equipment
	Source string
	OPCUA  *OPCUATag
	Modbus *ModbusTag

	Type Type
	Unit string // UCUM; "" for none
	// Every is the sampling interval; 0 (OPC UA only) asks for the server's own
	// cycle.
	Every time.Duration
	// Scaled says that the value is raw*Scale + Offset.
	Scaled        bool
	Scale, Offset float64
	Range         *[2]float64    // scaled values outside are bad
	Invalid       []sample.Value // raw values that mean "no value"

	Sensor         string
	CalibrationDue string // YYYY-MM-DD; "" for not given
}

// OPCUATag is where a tag lies in an OPC UA server.
type OPCUATag struct {
	Node    string // node id in its text form, the namespace by index or by URI (nsu=)
	History bool   // the server keeps the node's history, which fills gaps
}

// ModbusTag is where a tag lies in a Modbus device.
type ModbusTag struct {
	UnitID  uint8
	Table   Table
	Address uint16 // 0-based
	// Order is ABCD, CDAB, BADC or DCBA for values above 16 bits, ABCD or BADC
	// for text, and "" otherwise.
	Order string
	Bit   int // of a register, 0 to 15 (0 is the least significant); -1 for the whole
}

// Binding says where a context field comes from: exactly one of Tag and From.
type Binding struct {
	Field  string            // phase, lot, material, ...
	Tag    string            // a tag of the same equipment
	Values map[string]string // what the tag's values mean; empty: they stand for themselves
	From   string            // mes, panel
}

// MQTT is the way to the quality system.
type MQTT struct {
	Brokers  []Broker // the first that answers is used
	Username string
	Password Secret // none: no password is sent
	TLS      TLS
	Prefix   string // put before andon/v1/…
	// Receipts says what retires an entry: signed, unsigned, or broker (its
	// PUBACK).
	Receipts  string
	Consumers []Consumer // by name; all of them must receipt
}

// Broker is one address of a broker.
type Broker struct {
	TLS  bool
	Addr string // host:port
}

// URL is the broker as it is written in the settings.
func (b Broker) URL() string {
	if b.TLS {
		return "tls://" + b.Addr
	}
	return "tcp://" + b.Addr
}

// TLS names certificate files (PEM). No CA: the system's.
type TLS struct{ CA, Certificate, Key string }

// Consumer is a system that answers with receipts.
type Consumer struct {
	Name string
	Key  string // its public key in the note format; "" when receipts are not signed
}

// Beacon is a stack light or horn of our own.
type Beacon struct{ Device string } // serial:///dev/… or http(s)://…

// Panel is the operators' page.
type Panel struct {
	Listen           string // host:port
	TLS              TLS
	Hosts            []string // names besides Listen's by which it may be asked for
	ScreenDiagonalIn float64
	ViewingDistanceM float64
}

// Metrics is the listener for Prometheus.
type Metrics struct{ Listen string }
