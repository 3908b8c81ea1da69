package modbus

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"andon/internal/peer"
	"andon/internal/record"
	"andon/internal/sample"
)

// served is what the foreign server says of itself.
type served struct {
	Address string
	Items   []struct {
		Type, Order, Value string
		Address            uint16
	}
}

// startPymodbus runs a Modbus server that shares no code with ours.
func startPymodbus(t *testing.T) served {
	t.Helper()
	python, script := peer.Pymodbus(t)
	cmd := exec.Command(python, script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(2*patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
		kill.Stop()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the server says nothing: %v", err)
	}
	var s served
	if err := json.Unmarshal(line, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A server that others have written, with values that others have packed: every
// type in every order is read as what it is.
func TestPymodbus(t *testing.T) {
	server := startPymodbus(t)
	o := Options{Address: server.Address, Timeout: patience}
	for i, x := range server.Items {
		o.Items = append(o.Items, Item{Tag: sample.Tag(i), Unit: 1, Table: Holding, Address: x.Address, Type: x.Type, Order: x.Order, Every: 20 * time.Millisecond})
	}
	absent := sample.Tag(len(o.Items))
	last := o.Items[absent-1]
	o.Items = append(o.Items, Item{Tag: absent, Unit: 1, Table: Holding, Address: last.Address + 3, Type: "uint16", Every: last.Every})
	s, k, _ := start(t, o)
	all := k.until(t, "three polls of each", func(all []record.Body) bool {
		return good(all, 0) >= 3 && good(all, absent-1) >= 3 && bad(all, absent, "illegal_data_address") >= 3
	})
	if len(server.Items) < 30 || losses(all) != nil {
		t.Errorf("%d items, losses %v", len(server.Items), losses(all))
	}
	for i, x := range server.Items {
		for _, p := range points(all, sample.Tag(i)) {
			if p.Quality != sample.Good || !sameNumber(p.Value, x.Value) {
				t.Errorf("%s %s at %d: got %v %s, want %s", x.Type, x.Order, x.Address, p.Value, p.Status, x.Value)
			}
		}
	}
	if st := s.Status(); st.Connects != 1 || len(st.Failing) != 1 {
		t.Errorf("status %+v", st)
	}
}

// sameNumber compares a value with how the other side writes it.
func sameNumber(v sample.Value, text string) bool {
	if v.Kind() != sample.Float {
		return v.String() == text
	}
	var want float64
	n, ok := v.Number()
	return ok && json.Unmarshal([]byte(text), &want) == nil && n == want
}

// Ranges of registers and coils, as the server's rule has them.
func TestPymodbusRanges(t *testing.T) {
	server := startPymodbus(t)
	o := Options{Address: server.Address, Timeout: patience}
	r := rand.New(rand.NewPCG(5, 0))
	for range 50 {
		from := r.IntN(900)
		count := 1 + r.IntN(1000-from)
		data, err := ReadRange(t.Context(), o, 2, Input, uint16(from), count)
		if err != nil || len(data) != 2*count {
			t.Fatalf("%d registers from %d: %d bytes, %v", count, from, len(data), err)
		}
		for i := range count {
			if got, want := binary.BigEndian.Uint16(data[2*i:]), uint16((from+i)*40503+7); got != want {
				t.Fatalf("register %d: got %d, want %d", from+i, got, want)
			}
		}
	}
	data, err := ReadRange(t.Context(), o, 2, Coil, 3, 2400)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2400 {
		a := 3 + i
		if got, want := int(data[i/8]>>(i%8)&1), (a*7+a/9)%2; got != want {
			t.Fatalf("coil %d: got %d, want %d", a, got, want)
		}
	}
	var refused *Exception
	if _, err := ReadRange(t.Context(), o, 2, Input, 990, 20); !errors.As(err, &refused) || refused.Status() != "illegal_data_address" {
		t.Errorf("beyond the end: got %v", err)
	}
}
