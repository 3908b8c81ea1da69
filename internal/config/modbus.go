package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"andon/internal/strictyaml"
)

func (r *reader) modbus(n strictyaml.Node) *Modbus {
	m := &Modbus{Address: modbusAddress(n.Need("address")), MaxRegisters: 125}
	m.Timeout = between(n.Get("timeout"), 500*time.Millisecond, 10*time.Millisecond, 30*time.Second)
	if max := n.Get("max_registers"); max.Present() {
		m.MaxRegisters = int(max.Int(1, 125))
	}
	m.MaxGap = int(n.Get("max_gap").Int(0, 124))
	holes := n.Get("holes")
	for _, t := range []Table{Coil, Discrete, Holding, Input} {
		for _, e := range holes.Get(string(t)).Seq() {
			if h, ok := hole(e, t); ok {
				m.Holes = append(m.Holes, h)
			}
		}
	}
	return m
}

var holeForm = regexp.MustCompile(`^([0-9]{1,5})(?:-([0-9]{1,5}))?$`)

// hole is one address, or the first and last of a stretch: 200-299.
func hole(n strictyaml.Node, t Table) (Hole, bool) {
	m := holeForm.FindStringSubmatch(n.Label())
	if !n.OK() {
		return Hole{}, false
	}
	if m == nil {
		n.Problem(quoted(n.Written())+" is not a stretch of addresses", "write 200-299, or one address")
		return Hole{}, false
	}
	first, err1 := strconv.ParseUint(m[1], 10, 16)
	last, err2 := first, error(nil)
	if m[2] != "" {
		last, err2 = strconv.ParseUint(m[2], 10, 16)
	}
	if err1 != nil || err2 != nil || first > last {
		n.Problem(quoted(n.Written())+" is not a stretch of addresses", "from 0 to 65535, the lower first")
		return Hole{}, false
	}
	return Hole{t, uint16(first), uint16(last)}, true
}

const addressForms = "write tcp://host:502, rtu:///dev/ttyUSB0?baud=19200&parity=E or rtu+tcp://host:port"

// modbusAddress reads the three ways to a device.
func modbusAddress(n strictyaml.Node) ModbusAddress {
	s := n.Text()
	if !n.OK() {
		return ModbusAddress{}
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Fragment != "" {
		n.Problem("not a Modbus address", addressForms)
		return ModbusAddress{}
	}
	switch u.Scheme {
	case "tcp", "rtu+tcp":
		return overTCP(n, u)
	case "rtu":
		return serial(n, u)
	}
	n.Problem("not a Modbus address: "+quoted(s), addressForms)
	return ModbusAddress{}
}

func overTCP(n strictyaml.Node, u *url.URL) ModbusAddress {
	if u.Path != "" || u.RawQuery != "" {
		n.Problem("a path or ? after the host", addressForms)
		return ModbusAddress{}
	}
	return ModbusAddress{Transport: u.Scheme, Host: hostPort(n, u.Host, "502")}
}

// serial reads the line's settings. What is not said is as the Modbus serial
// line specification has it: 19200 baud, even parity, and two stop bits where
// there is no parity.
func serial(n strictyaml.Node, u *url.URL) ModbusAddress {
	a := ModbusAddress{Transport: "rtu", Device: u.Path, Baud: 19200, DataBits: 8, Parity: "E", StopBits: 1}
	if u.Host != "" || u.Path == "" || u.Path == "/" {
		n.Problem("no serial device", "three slashes and its path: rtu:///dev/ttyUSB0?baud=19200&parity=E")
		return a
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		n.Problem("not readable after ?", addressForms)
		return a
	}
	if p := q["parity"]; len(p) == 1 {
		a.Parity = p[0]
	}
	if a.Parity == "N" {
		a.StopBits = 2
	}
	choice(n, q, "baud", &a.Baud, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
	choice(n, q, "data", &a.DataBits, 8)
	choice(n, q, "stop", &a.StopBits, 1, 2)
	if !strings.Contains("N E O", a.Parity) || len(a.Parity) != 1 {
		n.Problem("the parity "+quoted(a.Parity), "parity=N, E or O")
	}
	for k, v := range q {
		if !strings.Contains(" baud data stop parity ", " "+k+" ") || len(v) != 1 {
			n.Problem("the setting "+quoted(k)+" is unknown or there twice", "known are baud, data, parity and stop")
		}
	}
	return a
}

// choice reads one number of the line's settings out of a list.
func choice(n strictyaml.Node, q url.Values, name string, into *int, allowed ...int) {
	s := q.Get(name)
	if !q.Has(name) {
		return
	}
	for _, a := range allowed {
		if s == strconv.Itoa(a) {
			*into = a
			return
		}
	}
	words := strings.Trim(strings.ReplaceAll(fmt.Sprint(allowed), " ", ", "), "[]")
	n.Problem(name+"="+quoted(s), name+" is one of "+words)
}
