package uplink

import (
	"encoding/json"
	"time"
)

// Spec names a specification in force, in the state message.
type Spec struct {
	ID       string `json:"id"`
	Revision string `json:"revision"`
	SHA256   string `json:"sha256"`
}

// The states of a gateway.
const (
	online  = "online"
	offline = "offline"
)

// stateMessage is the payload of up/state. After valid_until nothing is known
// of the gateway, whatever the state says: a will may be lost with its broker.
// An offline of an earlier session than the last online is old news.
type stateMessage struct {
	Gateway    string               `json:"gateway"`
	State      string               `json:"state"`
	Epoch      string               `json:"epoch"`
	Version    string               `json:"version"`
	Specs      []Spec               `json:"specs"`
	Time       string               `json:"time"`
	ValidUntil string               `json:"valid_until"`
	Session    int64                `json:"session"` // rises with every connection
	Lanes      map[string]laneState `json:"lanes"`   // shows a gap at the very end of a lane
}

type laneState struct {
	Raised      uint64 `json:"raised"`
	Outstanding uint64 `json:"outstanding"`
}

// timeLayout is RFC 3339 in UTC to the millisecond.
const timeLayout = "2006-01-02T15:04:05.000Z"

// stateValid is how many heartbeats a state is valid for.
const stateValid = 3

// state is the payload of the state message.
func (u *Uplink) state(what string, session int64, now time.Time) []byte {
	m := stateMessage{
		Gateway: u.o.Gateway, State: what, Epoch: u.o.Epoch, Version: u.o.Version,
		Specs:      []Spec{},
		Time:       now.UTC().Format(timeLayout),
		ValidUntil: now.Add(stateValid * u.o.StateEvery).UTC().Format(timeLayout),
		Session:    session,
		Lanes:      map[string]laneState{},
	}
	if u.o.Specs != nil {
		m.Specs = append(m.Specs, u.o.Specs()...)
	}
	for _, l := range u.sched.lanes {
		m.Lanes[l.name] = laneState{Raised: l.level.Raised, Outstanding: l.level.Outstanding}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic("uplink: the state does not encode: " + err.Error()) // plain strings and numbers always do
	}
	return b
}
