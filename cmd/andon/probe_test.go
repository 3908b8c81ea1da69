package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"andon/internal/plant/modbusserver"
)

// startRegisters serves 200.5 as a float32 with the low word first, a text, and
// coils.
func startRegisters(t *testing.T) string {
	t.Helper()
	s, err := modbusserver.Listen("", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Set(&modbusserver.Image{Holding: map[uint16]uint16{100: 0x8000, 101: 0x4348, 102: 0x4C2D, 103: 0x3137}, Coils: map[uint16]bool{8: true, 9: false}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Endpoint()
}

func probe(args ...string) (string, error) {
	var out bytes.Buffer
	cmd := newProbeCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestProbe(t *testing.T) {
	url := startRegisters(t)
	flags, err := probe(url, "--unit", "1", "--read", "holding", "--address", "100", "--count", "4")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`(?m)^ +100 +8000 +32768 +-32768 +8000 +1000000000000000 .*$`, `(?m)^ +102 .* "L-" +"-L"$`, `(?m)^ +100-101 +-2.413596e-41 +200.5 +1.178087e-38 +199682$`,
		`address +float32 ABCD +float32 CDAB`, `(?m)^ +100-103 `, `uint64 DCBA`, `(?m)^ +103 +3137 .* 3137 `} {
		if !regexp.MustCompile(want).MatchString(flags) {
			t.Errorf("no %q in:\n%s", want, flags)
		}
	}
	if path, err := probe(url + "/1/holding/100-103"); err != nil || path != flags {
		t.Errorf("by path: %v\n%s", err, path)
	}
	if one, err := probe(url + "/1/holding/101"); err != nil || strings.Contains(one, "float32") || !strings.Contains(one, "4348") {
		t.Errorf("a single register: %v\n%s", err, one)
	}
	coils, err := probe(url, "--read", "coil", "--address", "8", "--count", "2")
	if want := regexp.MustCompile(`(?s)address +bit.* 8 +1.* 9 +0\s*$`); err != nil || !want.MatchString(coils) {
		t.Errorf("coils: %v\n%s", err, coils)
	}
}

// What goes wrong is said with its cure; what was typed wrong is told apart from
// what the device says by the exit code.
func TestProbeRefused(t *testing.T) {
	url := startRegisters(t)
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{url, "--address", "99"}, exitFound, "try one less"},
		{[]string{url, "--unit", "9", "--address", "100"}, exitFound, "check --unit"},
		{[]string{url, "--read", "input", "--address", "100"}, exitFound, "illegal_data_address"},
		{[]string{"tcp://127.0.0.1:1"}, exitFound, "connect"},
		{[]string{"127.0.0.1:502"}, exitUsage, "tcp://host:502"},
		{[]string{"rtu:///dev/ttyUSB0"}, exitUsage, "tcp://host:502"},
		{[]string{url + "/1/holding"}, exitUsage, "a unit, a table and a range"},
		{[]string{url + "/1/holding/7-x"}, exitUsage, `"x" is not a number`},
		{[]string{url + "/1/holding/7-5"}, exitUsage, "count"},
		{[]string{url, "--address", "400101"}, exitUsage, "--address 100"},
		{[]string{url, "--unit", "256"}, exitUsage, "unit"},
		{[]string{url, "--address", "65535", "--count", "2"}, exitUsage, "count"},
		{[]string{url, "--read", "register"}, exitUsage, "table"},
	}
	for _, tt := range tests {
		out, err := probe(tt.args...)
		code := exitUsage
		var e exit
		if errors.As(err, &e) {
			code = e.code
		}
		if err == nil || code != tt.code || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%q: exit %d, %v, %q; want exit %d and %q", tt.args, code, err, out, tt.code, tt.want)
		}
	}
}
