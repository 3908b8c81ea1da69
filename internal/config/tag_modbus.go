package config

import (
	"fmt"
	"strconv"

	"andon/internal/strictyaml"
)

// modbusTag reads where a tag lies in a device and what its registers mean.
func (r *reader) modbusTag(n strictyaml.Node, s *Modbus, t *Tag) {
	m := &ModbusTag{Bit: -1}
	t.Modbus = m
	m.UnitID = unitID(n.Need("unit_id"), s)
	place := r.place(n, m)
	if typ := n.Get("type"); typ.Present() {
		t.Type = modbusType(typ)
	} else if m.Table.Bits() {
		t.Type = Type{Name: "bool"}
	} else {
		n.Need("type")
	}
	bit(n, m, t)
	m.Order = order(n.Get("order"), n, t.Type)
	r.reach(place, s, m, t)
}

// unitID is 1 to 247 on a serial line, where 0 is a broadcast nobody answers.
func unitID(n strictyaml.Node, s *Modbus) uint8 {
	if s.Address.Transport == "tcp" {
		return uint8(n.Int(0, 255))
	}
	return uint8(n.Int(1, 247))
}

// place reads the table and the address, which may be said as one reference. It
// returns the node that says the address.
func (r *reader) place(n strictyaml.Node, m *ModbusTag) strictyaml.Node {
	ref, read, address := n.Get("ref"), n.Get("read"), n.Get("address")
	if ref.Present() {
		if read.Present() || address.Present() {
			ref.KeyProblem("ref beside read and address", "keep one of the two ways to say it")
			return ref
		}
		reference(ref, m)
		return ref
	}
	m.Table = Table(n.Need("read").OneOf(string(Coil), string(Discrete), string(Holding), string(Input)))
	address = n.Need("address")
	m.Address = uint16(address.Int(0, 65535))
	if m.Address > 40000 && m.Address < 50000 && m.Table == Holding {
		r.warn(address, fmt.Sprintf("%d looks like a reference, and address counts from 0", m.Address),
			fmt.Sprintf("if the manual says %d, write `ref: %d`", m.Address, m.Address))
	}
	return address
}

// reference reads the numbers of manuals: a digit for the table and the item
// from 1, in five or six digits. Those of coils begin with 0 and are quoted.
func reference(n strictyaml.Node, m *ModbusTag) {
	s := n.Label()
	if !n.OK() {
		return
	}
	item, err := strconv.Atoi(s)
	table, ok := map[byte]Table{'0': Coil, '1': Discrete, '3': Input, '4': Holding}[(s + " ")[0]]
	if err == nil && (len(s) == 5 || len(s) == 6) {
		item, err = strconv.Atoi(s[1:])
	}
	if err != nil || !ok || len(s) < 5 || len(s) > 6 || item < 1 || item > 65536 {
		n.Problem("not a reference: "+quoted(s), `write 400101 or 40101 for holding register 100, "000009" for coil 8`)
		return
	}
	m.Table, m.Address = table, uint16(item-1)
}

// bit reads the bit of a register, and refuses types that the table has not.
func bit(n strictyaml.Node, m *ModbusTag, t *Tag) {
	b := n.Get("bit")
	if b.Present() {
		m.Bit = int(b.Int(0, 15))
	}
	typ := n.Get("type")
	switch {
	case m.Table == "" || t.Type.Name == "":
	case m.Table.Bits() && t.Type.Name != "bool":
		typ.Problem(fmt.Sprintf("%s of a %s", t.Type, m.Table), "a single bit is a bool; registers are read with holding or input")
	case m.Table.Bits():
		b.KeyProblem(fmt.Sprintf("bit of a %s", m.Table), "it is a bit already: remove the key")
	case t.Type.Name == "bool" && !b.Present():
		typ.Problem("bool of a register without bit", "add `bit: 0` to 15")
	case t.Type.Name != "bool":
		b.KeyProblem(fmt.Sprintf("bit of a tag of type %s", t.Type), "write `type: bool`, or remove the bit")
	}
}

// reach refuses a value that one read cannot fetch.
func (r *reader) reach(n strictyaml.Node, s *Modbus, m *ModbusTag, t *Tag) {
	if !n.OK() || m.Table == "" {
		return
	}
	count := 1
	if !m.Table.Bits() {
		count = t.Type.Registers()
	}
	last := int(m.Address) + count - 1
	switch {
	case last > 65535:
		n.Problem(fmt.Sprintf("its %d registers end after 65535", count), "")
	case s.MaxRegisters > 0 && count > s.MaxRegisters && !m.Table.Bits():
		n.Problem(fmt.Sprintf("its %d registers are more than max_registers of the source, %d", count, s.MaxRegisters), "one value is fetched by one read")
	}
	for _, h := range s.Holes {
		if h.Table == m.Table && int(h.First) <= last && m.Address <= h.Last {
			n.Problem(fmt.Sprintf("in the hole %s %d-%d of the source, which is never read", h.Table, h.First, h.Last), "correct the address, or the hole")
		}
	}
}
