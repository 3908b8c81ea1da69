package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"andon/internal/modbus"
)

// probed is what `probe` was asked for.
type probed struct {
	unit, address, count int
	read                 string
	timeout              time.Duration
}

func newProbeCommand() *cobra.Command {
	var p probed
	cmd := &cobra.Command{
		Use:   "probe URL",
		Short: "Print a Modbus range in every type and byte order",
		Long: `probe reads a range of a Modbus device once and prints it in every type and byte
order, so that a person who knows the value can see which is right. Addresses
count from 0: what a manual calls 400101 is --read holding --address 100. It
never writes. The exit code is 1 when the device does not answer or refuses.`,
		Example: `  andon probe tcp://10.1.7.30:502 --unit 1 --read holding --address 100 --count 4
  andon probe tcp://10.1.7.30:502/1/holding/100-103`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, err := p.target(args[0])
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return p.run(ctx, cmd.OutOrStdout(), host)
		},
	}
	f := cmd.Flags()
	f.IntVar(&p.unit, "unit", 1, "unit id, 0 to 255")
	f.StringVar(&p.read, "read", "holding", "table: coil, discrete, holding or input")
	f.IntVar(&p.address, "address", 0, "first address, from 0")
	f.IntVar(&p.count, "count", 8, "how many registers or bits")
	f.DurationVar(&p.timeout, "timeout", 2*time.Second, "how long to wait for an answer")
	return cmd
}

// target reads the address of the device, and the range where it is part of it.
func (p *probed) target(arg string) (host string, err error) {
	const like = "want tcp://host:502 or tcp://host:502/unit/table/first-last"
	u, err := url.Parse(arg)
	if err != nil || u.Scheme != "tcp" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("probe %q: %s", arg, like)
	}
	if path := strings.Trim(u.Path, "/"); path != "" {
		if err := p.place(strings.Split(path, "/")); err != nil {
			return "", fmt.Errorf("probe %q: %w; %s", arg, err, like)
		}
	}
	switch {
	case p.unit < 0 || p.unit > 255:
		return "", fmt.Errorf("probe: unit %d: want 0 to 255", p.unit)
	case p.address < 0 || p.address > 65535:
		return "", fmt.Errorf("probe: address %d: want 0 to 65535; 400101 of a manual is --read holding --address 100", p.address)
	case p.count < 1 || p.address+p.count > 65536:
		return "", fmt.Errorf("probe: count %d: want 1 to %d from address %d on", p.count, 65536-p.address, p.address)
	case !strings.Contains(" coil discrete holding input ", " "+p.read+" "):
		return "", fmt.Errorf("probe: table %q: want coil, discrete, holding or input", p.read)
	}
	port := u.Port()
	if port == "" {
		port = "502"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// place reads unit, table and range.
func (p *probed) place(parts []string) (err error) {
	if len(parts) != 3 {
		return errors.New("not a unit, a table and a range")
	}
	first, last, many := strings.Cut(parts[2], "-")
	if !many {
		last = first
	}
	p.read = parts[1]
	end := 0
	for _, n := range []struct {
		text string
		into *int
	}{{parts[0], &p.unit}, {first, &p.address}, {last, &end}} {
		if *n.into, err = strconv.Atoi(n.text); err != nil {
			return fmt.Errorf("%q is not a number", n.text)
		}
	}
	p.count = end - p.address + 1
	return nil
}

func (p *probed) run(ctx context.Context, out io.Writer, host string) error {
	table := modbus.Table(p.read)
	data, err := modbus.ReadRange(ctx, modbus.Options{Name: "probe", Address: host, Timeout: p.timeout}, uint8(p.unit), table, uint16(p.address), p.count)
	if err != nil {
		return exit{exitFound, p.explain(host, err)}
	}
	w := &printer{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)}
	if table.Bits() {
		w.bits(data, p.address, p.count)
	} else {
		w.registers(data, p.address)
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// explain adds the cure to what is wrong.
func (p *probed) explain(host string, err error) error {
	var refused *modbus.Exception
	hint := "is the address right, and does the device take one more connection?"
	if errors.As(err, &refused) {
		hint = map[string]string{
			"illegal_function":           "the device has no such table: try --read holding, input, coil or discrete",
			"illegal_data_address":       "addresses count from 0: try one less, or fewer with --count",
			"illegal_data_value":         "the device takes fewer at once: lower --count",
			"gateway_path_unavailable":   "the gateway knows no such unit: check --unit",
			"gateway_target_no_response": "the unit behind the gateway is silent: check --unit",
		}[refused.Status()]
	}
	if hint != "" {
		hint = "\n  " + hint
	}
	return fmt.Errorf("probe %s unit %d %s %d-%d: %w%s", host, p.unit, p.read, p.address, p.address+p.count-1, err, hint)
}

// printer prints tables, and stops at the first error.
type printer struct {
	w   *tabwriter.Writer
	err error
}

func (p *printer) row(cells ...string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.Join(cells, "\t")+"\t")
	}
}

// gap ends one table and begins the next, with columns of its own.
func (p *printer) gap() {
	if p.err == nil {
		p.err = p.w.Flush()
	}
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w)
	}
}

func (p *printer) bits(data []byte, address, count int) {
	p.row("address", "bit")
	for i := range count {
		p.row(strconv.Itoa(address+i), strconv.Itoa(int(data[i/8]>>(i%8)&1)))
	}
}

// registers prints one table for each width: what a value that begins at the
// address would be.
func (p *printer) registers(data []byte, address int) {
	count := len(data) / 2
	p.row("address", "hex", "uint16", "int16", "bcd16", "bits 15-0", "text ABCD", "text BADC")
	for i := range count {
		at := data[2*i:]
		u := binary.BigEndian.Uint16(at)
		p.row(strconv.Itoa(address+i), fmt.Sprintf("%04X", u), decoded(at, "uint16", ""), decoded(at, "int16", ""), decoded(at, "bcd16", ""),
			fmt.Sprintf("%016b", u), strconv.QuoteToASCII(string(at[:2])), strconv.QuoteToASCII(string([]byte{at[1], at[0]})))
	}
	for _, width := range []struct {
		registers int
		types     []string
	}{{2, []string{"float32", "int32", "uint32", "bcd32"}}, {4, []string{"float64", "int64", "uint64"}}} {
		for _, typ := range width.types {
			p.orders(data, address, width.registers, typ)
		}
	}
}

// orders prints one type in every order.
func (p *printer) orders(data []byte, address, registers int, typ string) {
	count := len(data)/2 - registers + 1
	if count < 1 {
		return
	}
	p.gap()
	header := []string{"address"}
	for _, o := range modbus.Orders() {
		header = append(header, typ+" "+o)
	}
	p.row(header...)
	for i := range count {
		cells := []string{fmt.Sprintf("%d-%d", address+i, address+i+registers-1)}
		for _, o := range modbus.Orders() {
			cells = append(cells, decoded(data[2*i:], typ, o))
		}
		p.row(cells...)
	}
}

// decoded is a value in words; "-" where the registers hold none of the type.
func decoded(registers []byte, typ, order string) string {
	v, ok := modbus.Decode(registers, typ, order, 0)
	if !ok {
		return "-"
	}
	if f, isNumber := v.Number(); isNumber && strings.HasPrefix(typ, "float") {
		return strconv.FormatFloat(f, 'g', map[string]int{"float32": 7, "float64": 15}[typ], 64)
	}
	return v.String()
}
