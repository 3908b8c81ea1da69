package engine

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"andon/internal/alarm"
	"andon/internal/record"
)

// TestComments: what one person says stands under that person's name, in the state
// and in every document, and never as the words of who acknowledged.
//
//andon:req Q60
func TestComments(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	p.play("0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.play("1 phase=2 lot=L-1 recipe=R-2 tc1=885 tc2=885")
	if len(p.s.Alarms) != 1 {
		t.Fatalf("alarms: %+v", p.s.Alarms)
	}
	id := p.s.Alarms[0].ID
	do := func(user, name, kind, text string) {
		p.decide(p.s.At, &record.Act{User: user, Name: name, Role: "operator", Kind: kind, Target: id, Comment: text})
	}
	said := func(user, name, text string) alarm.Comment {
		return alarm.Comment{By: user, Name: name, At: p.s.At, Text: text}
	}
	do("bob", "Bob Example", record.Comment, "I look")
	do("ann", "Ann Example", record.Ack, "valve stuck")
	do("carl", "Carl Example", record.Comment, "no, the sensor")
	want := []alarm.Comment{said("bob", "Bob Example", "I look"), said("carl", "Carl Example", "no, the sensor")}
	if al := p.s.Alarms[0]; al.AckedBy != "ann" || al.AckedName != "Ann Example" || al.Comment != "valve stuck" || !cmp.Equal(al.Comments, want) {
		t.Errorf("state: %+v", al)
	}

	sent := len(p.payloads)
	p.play("2 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	var told struct {
		Data struct {
			AckedBy  string          `json:"acked_by"`
			Name     string          `json:"acked_by_name"`
			Comment  string          `json:"comment"`
			Comments []alarm.Comment `json:"comments"`
		}
	}
	for _, e := range p.payloads[sent:] {
		if e.Topic == "event/alarm" {
			if err := json.Unmarshal(e.Payload, &told); err != nil {
				t.Fatal(err)
			}
		}
	}
	if al := told.Data; al.AckedBy != "ann" || al.Name != "Ann Example" || al.Comment != "valve stuck" || !cmp.Equal(al.Comments, want) {
		t.Errorf("document: %+v", al)
	}
}

// TestPrintedNames: what is sent of a signed act names the person as printed, beside
// the id: the alarm's document, its shelf and the event's acknowledgements.
//
//andon:req Q60
func TestPrintedNames(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	p.play("0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.play("1 phase=2 lot=L-1 recipe=R-2 tc1=885 tc2=885")
	id := p.s.Alarms[0].ID
	for _, a := range []record.Act{{Kind: record.Ack}, {Kind: record.Shelve, Comment: "why", For: 1e9, Senior: true}} {
		a.User, a.Name, a.Role, a.Target = "ann", "Ann Example", "quality", id
		p.decide(p.s.At, &a)
	}
	if shelf := p.s.Alarms[0].Shelf; shelf.By != "ann" || shelf.Name != "Ann Example" {
		t.Errorf("shelf: %+v", shelf)
	}
	sent := len(p.payloads)
	p.play("2 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.play("30 tick")
	acks := 0
	for _, e := range p.payloads {
		var told struct {
			Data struct {
				State  string `json:"state"`
				Name   string `json:"by_name"`
				People struct {
					Ack []struct{ By, Name string } `json:"ack"`
				} `json:"people"`
			} `json:"data"`
		}
		if err := json.Unmarshal(e.Payload, &told); err != nil {
			t.Fatal(err)
		}
		d := told.Data
		if e.Topic == "event/alarm" && (d.State == "ACKED" || d.State == "SHLVD") && d.Name != "Ann Example" {
			t.Errorf("%s: by %q", d.State, d.Name)
		}
		for _, a := range d.People.Ack {
			if acks++; a.By != "ann" || a.Name != "Ann Example" {
				t.Errorf("event: %+v", a)
			}
		}
	}
	if acks == 0 {
		t.Errorf("no event tells of the acknowledgement (%d sent before its end)", sent)
	}
}

// TestCommentOfLostAck: with the acknowledgement its comment goes, and the others
// stay.
func TestCommentOfLostAck(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	p.play("0 phase=2 lot=L-1 recipe=R-1 tc1=885 tc2=885")
	p.play("1 phase=2 lot=L-1 recipe=R-2 tc1=885 tc2=885")
	al := p.s.Alarms[0]
	for _, a := range []record.Act{{Kind: record.Ack, Comment: "mine"}, {Kind: record.Comment, Comment: "stays"},
		{Kind: record.Shelve, Comment: "why", For: 1e9, Senior: true}, {Kind: record.Unshelve}} {
		a.User, a.Target = "u1", al.ID
		p.decide(p.s.At, &a)
	}
	if al := p.s.Alarms[0]; al.AckedBy != "" || al.AckedName != "" || al.Comment != "" || len(al.Comments) != 1 {
		t.Errorf("%+v", al)
	}
}

// TestObjectOfUnknownID: a try under an id that nobody has names its object too.
//
//andon:req Q60
func TestObjectOfUnknownID(t *testing.T) {
	p := newPlayer(t, propertySpec, propertyWiring)
	for target, want := range map[string]string{"": "unknown user", "ann": "user ann"} {
		p.decide(p.s.At, &record.Act{User: "zed", Kind: "sign_refused", Target: target, Change: "c-1" + target, New: "refused: ack"})
		var told struct{ Data audit }
		if err := json.Unmarshal(p.payloads[len(p.payloads)-1].Payload, &told); err != nil {
			t.Fatal(err)
		}
		if told.Data.Object != want || told.Data.Who != "zed" {
			t.Errorf("%+v, want object %q", told.Data, want)
		}
	}
}
