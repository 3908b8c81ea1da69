package systemtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// site is one gateway's files, made as people make them: with the program.
type site struct {
	t   *testing.T
	dir string
	o   siteOptions
	key string // the receiver's public key
}

// siteOptions say where things are.
type siteOptions struct {
	endpoint string            // of the PLC; "" for none
	nodes    map[string]string // by tag: tc1 and steady; nil is those of ownPLC
	broker   string            // URL; "" for none
	way      string            // URL by which the gateway reaches the broker; "" is the broker's
	quota    string            // "" is enough
	dataDir  string            // "" is data beside the settings
}

const gatewayID = "line2"

// specification is TEMP revision A. Gaps make no deviation of their own here.
const specification = `schema: andon.spec/1
id: TEMP
title: Temperature of the load
revision: A
effective: {from: 2026-01-01T00:00:00Z}
parameters:
  - id: temp
    inputs: [tc1]
    unit: "[degF]"
    sampling: {interval: 1s, max_gap: 3s}
    limits: {lsl: 875, usl: 895}
    rules:
      - {id: over, kind: high, limit: usl, off_delay: 600ms, deadband: 2, always: true, class: major}
      - {id: under, kind: low, limit: lsl, off_delay: 600ms, deadband: 2, always: true, class: minor}
    missing_data: {up_to: 1h, beyond: deviation, credit: none}
    evidence: {before: 2s, after: 1s}
  - id: pressure
    inputs: [steady]
    unit: bar
    sampling: {interval: 1s, max_gap: 3s}
    limits: {usl: 10}
    rules: [{id: over, kind: high, limit: usl, always: true, class: minor}]
    missing_data: {up_to: 1h, beyond: deviation, credit: none}
`

// newSite makes keys, approvers, settings and an approved specification, and
// installs it.
func newSite(t *testing.T, o siteOptions) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), o: o}
	s.key = s.newKey("qms")
	s.approvers()
	s.settings()
	if err := os.Mkdir(s.path("specs"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("TEMP.A.spec.yaml", specification)
	s.approve("TEMP.A.spec.yaml")
	output(t, 0, "spec", "install", "--config", s.path("gateway.yaml"), s.path("TEMP.A.spec.yaml"))
	return s
}

func (s *site) path(name ...string) string { return filepath.Join(append([]string{s.dir}, name...)...) }

func (s *site) data() string {
	if s.o.dataDir != "" {
		return s.o.dataDir
	}
	return s.path("data")
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) newKey(name string) (public string) {
	s.t.Helper()
	out, _ := output(s.t, 0, "key", "new", "--name", name, "--out", s.path(name+".key"), "--no-passphrase")
	return strings.TrimSpace(out)
}

// people sign specifications: an author, and the two who must approve.
func people() [][3]string {
	return [][3]string{{"ann", "process", "authored"}, {"eve", "process", "approved"}, {"quinn", "quality", "approved"}}
}

func (s *site) approvers() {
	s.t.Helper()
	text := "schema: andon.approvers/1\nrevision: 1\npeople:\n"
	for _, p := range people() {
		text += fmt.Sprintf("  - {id: %s, name: %s Example, role: %s, key: %q}\n", p[0], p[0], p[1], s.newKey(p[0]))
	}
	s.write("approvers.yaml", text)
}

func (s *site) approve(document string) {
	s.t.Helper()
	for _, p := range people() {
		output(s.t, 0, "spec", "approve", "--spec", s.path(document), "--key", s.path(p[0]+".key"), "--user", p[0], "--role", p[1], "--meaning", p[2])
	}
}

// settings writes gateway.yaml for the site's options.
func (s *site) settings() {
	s.t.Helper()
	o := s.o
	if o.endpoint == "" {
		o.endpoint = "opc.tcp://127.0.0.1:1"
	}
	if o.nodes == nil {
		o.nodes = ownNodes()
	}
	if o.quota == "" {
		o.quota = "1GiB"
	}
	if o.broker == "" {
		o.broker = "tcp://127.0.0.1:1"
	}
	if o.way == "" {
		o.way = o.broker
	}
	s.write("gateway.yaml", fmt.Sprintf(`gateway: {id: %s, site: acme/plant1}
data: {dir: %q, quota: %s, commit_every: 100ms}
specs: {dir: specs, approvers: approvers.yaml}
sources:
  plc:
    opcua:
      endpoint: %s
      security: {policy: None, mode: None, insecure: true}
      publish: 100ms
equipment:
  furn-03:
    class: furnace
    tags:
      tc1: {source: plc, node: %q, type: float64, unit: "[degF]", every: 0}
      steady: {source: plc, node: %q, type: float64, unit: bar, every: 500ms}
uplink:
  mqtt:
    brokers: [%q]
    consumers: {qms: {key: %q}}
`, gatewayID, s.data(), o.quota, o.endpoint, o.nodes["tc1"], o.nodes["steady"], o.way, s.key))
}

// run starts the gateway.
func (s *site) run() *process {
	s.t.Helper()
	return andon(s.t, "run", "--config", s.path("gateway.yaml"))
}

// receive starts the quality system, the reference receiver, and waits until it
// listens: what is sent before that is lost and comes again only after a minute.
func (s *site) receive() *process {
	s.t.Helper()
	p := andon(s.t, "receive", "--broker", s.o.broker, "--out", s.path("received"), "--key", s.path("qms.key"), "--json")
	p.says("connected to the broker")
	return p
}

// report is what `journal verify --json` prints.
type report struct {
	OK       bool    `json:"ok"`
	Size     int64   `json:"size"`
	Root     string  `json:"root"`
	Epoch    string  `json:"epoch"`
	FirstBad *uint64 `json:"first_bad"`
	Problems []struct {
		What string `json:"what"`
	} `json:"problems"`
}

// verify asks whether the journal is as it was written.
func (s *site) verify() report {
	s.t.Helper()
	return verifyDir(s.t, s.data())
}

// verifyDir asks it of a directory, with the gateway's public key as it stands
// beside the journal.
func verifyDir(t *testing.T, dir string) report {
	t.Helper()
	public, _ := output(t, 0, "key", "show", filepath.Join(dir, "gateway.key"))
	p := andon(t, "journal", "verify", "--data", dir, "--key", strings.TrimSpace(public), "--json")
	<-p.ended
	var r report
	if err := json.Unmarshal([]byte(p.stdout.String()), &r); err != nil {
		t.Fatalf("journal verify: %v (%v)\n%s\n%s", err, p.err, p.stdout.String(), p.stderr.String())
	}
	if code := p.cmd.ProcessState.ExitCode(); (code == 0) != r.OK || code > 1 {
		t.Fatalf("journal verify: exit code %d with ok %v", code, r.OK)
	}
	return r
}

// whole wants a journal that is as it was written.
func (s *site) whole() report {
	s.t.Helper()
	r := s.verify()
	if !r.OK || r.Size == 0 {
		s.t.Fatalf("the journal is not as it was written: %+v", r)
	}
	return r
}

// export is everything that is on record, a line each.
func (s *site) export() []string {
	s.t.Helper()
	out, _ := output(s.t, 0, "journal", "export", "--data", s.data())
	return lines(out)
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// received is what the quality system has stored of one lane, in the order of
// its numbers. Its files may grow meanwhile: a last line that is not whole does
// not count.
func (s *site) received(lane string) []string {
	s.t.Helper()
	files, err := filepath.Glob(s.path("received", gatewayID+".*."+lane+".jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, lines(string(b[:strings.LastIndexByte(string(b), '\n')+1]))...)
	}
	return all
}
