package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"andon/internal/config"
	"andon/internal/sample"
	"andon/internal/strictyaml"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the files in testdata/bad want")

// The example says in so many words what the defaults are; here they are once
// more, with everything else it holds.
func TestExample(t *testing.T) {
	c, err := config.Load("../../config/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Gateway, (config.Gateway{ID: "line2-ipc1", Site: "acme/plant1/heat-treat"}); got != want {
		t.Errorf("gateway: got %+v, want %+v", got, want)
	}
	if got, want := c.Data, (config.Data{Dir: "/var/lib/andon", Quota: 8 << 30, CommitEvery: 250 * time.Millisecond, Retain: 90 * 24 * time.Hour}); got != want {
		t.Errorf("data: got %+v, want %+v", got, want)
	}
	wantSources := []config.Source{
		{Name: "furnace-plc", OPCUA: &config.OPCUA{
			Endpoint: "opc.tcp://10.1.7.20:4840", Policy: "Basic256Sha256", Mode: "SignAndEncrypt", Trust: "/etc/andon/pki/furnace-plc",
			Identity: config.Identity{Username: "andon", Password: config.Secret{File: "/etc/andon/secrets/furnace-plc"}},
			Publish:  250 * time.Millisecond, MaxSkew: 5 * time.Second, Timeout: 5 * time.Second}},
		{Name: "press-bus", Modbus: &config.Modbus{
			Address: config.ModbusAddress{Transport: "tcp", Host: "10.1.7.30:502"}, Timeout: 500 * time.Millisecond, MaxRegisters: 125,
			Holes: []config.Hole{{Table: config.Holding, First: 200, Last: 299}, {Table: config.Holding, First: 4096, Last: 4096}}}},
	}
	if diff := cmp.Diff(c.Sources, wantSources); diff != "" {
		t.Errorf("sources (-got +want):\n%s", diff)
	}
	wantMQTT := &config.MQTT{
		Brokers:  []config.Broker{{TLS: true, Addr: "broker-a:8883"}, {TLS: true, Addr: "broker-b:8883"}},
		Username: "line2-ipc1", Password: config.Secret{Credential: "mqtt-password"},
		TLS:      config.TLS{CA: "/etc/andon/pki/broker-ca.pem", Certificate: "/etc/andon/pki/line2-ipc1.pem", Key: "/etc/andon/secrets/line2-ipc1.key"},
		Receipts: "signed", Consumers: []config.Consumer{{Name: "qms", Key: "qms+185f761b+AVvzQ+EXjkvS/O0vOcsO/29npLjjK3zBmNPvTyaJSmaT"}},
	}
	if diff := cmp.Diff(c.MQTT, wantMQTT); diff != "" {
		t.Errorf("mqtt (-got +want):\n%s", diff)
	}
	wantPanel := &config.Panel{Listen: "127.0.0.1:8080", Hosts: []string{"line2-ipc1"}, ScreenDiagonalIn: 21.5, ViewingDistanceM: 2}
	if diff := cmp.Diff(c.Panel, wantPanel); diff != "" {
		t.Errorf("panel (-got +want):\n%s", diff)
	}
	if c.Beacon == nil || c.Beacon.Device != "serial:///dev/ttyUSB1" || c.Metrics == nil || c.Metrics.Listen != "127.0.0.1:9464" {
		t.Errorf("beacon %+v, metrics %+v", c.Beacon, c.Metrics)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings:\n%v", c.Warnings)
	}
}

func TestExampleEquipment(t *testing.T) {
	c, err := config.Load("../../config/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const source = "press-bus"
	furnace, press := c.Equipment[0], c.Equipment[1]
	want := []config.Tag{
		{Name: "force", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Holding, Address: 100, Order: "CDAB", Bit: -1},
			Type: config.Type{Name: "float32"}, Unit: "kN", Every: 200 * time.Millisecond, Scaled: true, Scale: 0.1, Range: &[2]float64{0, 500},
			Invalid: []sample.Value{sample.FloatValue(65535)}},
		{Name: "alive", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Coil, Address: 8, Bit: -1},
			Type: config.Type{Name: "bool"}, Every: time.Second, Scale: 1},
		{Name: "door", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Holding, Address: 20, Bit: 3},
			Type: config.Type{Name: "bool"}, Every: time.Second, Scale: 1},
		{Name: "stroke", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Input, Address: 20, Bit: -1},
			Type: config.Type{Name: "uint16"}, Unit: "mm", Every: 200 * time.Millisecond, Scaled: true, Scale: 0.01, Range: &[2]float64{0, 400}},
		{Name: "oil_temp", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Input, Address: 21, Bit: -1},
			Type: config.Type{Name: "int16"}, Unit: "Cel", Every: time.Second, Scaled: true, Scale: 0.1, Range: &[2]float64{-20, 120}},
		{Name: "strokes", Source: source, Modbus: &config.ModbusTag{UnitID: 1, Table: config.Holding, Address: 110, Order: "ABCD", Bit: -1},
			Type: config.Type{Name: "uint32"}, Unit: "1", Every: time.Second, Scale: 1},
	}
	if diff := cmp.Diff(press.Tags, want); diff != "" {
		t.Errorf("press-1 (-got +want):\n%s", diff)
	}
	wantTag := config.Tag{Name: "tc1", Source: "furnace-plc", OPCUA: &config.OPCUATag{Node: "nsu=urn:plc:furnace;s=TC1", History: true},
		Type: config.Type{Name: "float64"}, Unit: "[degF]", Every: 500 * time.Millisecond, Scale: 1, Sensor: "TC-3", CalibrationDue: "2027-05-01"}
	if diff := cmp.Diff(furnace.Tags[0], wantTag); diff != "" {
		t.Errorf("tc1 (-got +want):\n%s", diff)
	}
	wantContext := []config.Binding{
		{Field: "phase", Tag: "phase", Values: map[string]string{"0": "idle", "1": "heat", "2": "soak", "3": "quench"}},
		{Field: "lot", Tag: "lot"}, {Field: "material", From: "mes"}, {Field: "operator", From: "panel"},
	}
	if diff := cmp.Diff(furnace.Context, wantContext); diff != "" {
		t.Errorf("context (-got +want):\n%s", diff)
	}
	if furnace.Title != "Furnace 3" || furnace.Class != "furnace-class-2" || furnace.Asset != "A-10233" || !furnace.SpecialProcess || press.Title != "press-1" {
		t.Errorf("got %+v and %q", furnace, press.Title)
	}
}

// Every key that the reader asks for stands in the example, so that nobody has
// to read code to find one.
func TestExampleHoldsEveryKey(t *testing.T) {
	example, err := os.ReadFile("../../config/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	asked, found := regexp.MustCompile(`(?:Get|Need)\("([a-z_]+)"\)`), 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range asked.FindAllStringSubmatch(string(b), -1) {
			found++
			if !regexp.MustCompile(`(?m)(^|[\s{])` + m[1] + `:( |$)`).Match(example) {
				t.Errorf("%s asks for %q, which the example does not have", file, m[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d keys in the code, want the whole reader's", found)
	}
}

func TestMinimal(t *testing.T) {
	c, err := config.Load("testdata/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := []string{c.Data.Dir, c.Specs.Dir, c.Specs.Approvers}, []string{"testdata/data", "testdata/specs", "testdata/approvers.yaml"}; !cmp.Equal(got, want) {
		t.Errorf("paths: got %q, want %q", got, want)
	}
	if c.Panel != nil || c.Metrics != nil || c.Beacon != nil || c.MQTT.Username != "line2-ipc1" || c.Equipment[0].Tags[0].Every != time.Second {
		t.Errorf("defaults: %+v", c)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Message, "not protected") {
		t.Errorf("warnings: got %v, want one about the connection", c.Warnings)
	}
}

func TestLoadAbsent(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "gateway.yaml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a file that does not exist", err)
	}
}

// The hash changes with every byte of the file and of the tag lists.
func TestSHA256(t *testing.T) {
	hash := func(yaml, csv string) string {
		c, err := config.Parse("g.yaml", []byte(yaml), func(string) ([]byte, error) { return []byte(csv), nil })
		if err != nil {
			t.Fatal(err)
		}
		return c.SHA256
	}
	const yaml = "gateway: {id: g}\nsources: {a: {modbus: {address: tcp://h}}}\nequipment: {e: {tags_file: t.csv}}\n"
	const csv = "tag,source,unit_id,ref,type\nx,a,1,400001,int16\n"
	a, b, c := hash(yaml, csv), hash(yaml+"#\n", csv), hash(yaml, csv+"\n")
	if a == b || a == c || b == c || len(a) != 64 || a != hash(yaml, csv) {
		t.Errorf("got %s, %s, %s", a, b, c)
	}
}

// Each file in testdata/bad breaks one rule; its last lines say what check must
// say of it, warnings among them.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := verdict(t, file, b)
			content, want, _ := strings.Cut(string(b), "# want:\n")
			if *update {
				if err := os.WriteFile(file, []byte(content+"# want:\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("problems (-got +want):\n%s", diff)
			}
		})
	}
}

// verdict is every problem and warning of a file, a comment line each.
func verdict(t *testing.T, file string, b []byte) string {
	c, err := config.Parse(filepath.Base(file), b, func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(file), path))
	})
	var out strings.Builder
	var ps strictyaml.Problems
	switch {
	case errors.As(err, &ps):
		for _, p := range ps {
			out.WriteString("# " + p.String() + "\n")
		}
	case err != nil:
		t.Errorf("got %v, want Problems", err)
	default:
		for _, p := range c.Warnings {
			out.WriteString("# warning: " + p.String() + "\n")
		}
	}
	return out.String()
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mqtt")
	if err := os.WriteFile(file, []byte(" s3cret \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []config.Secret{{File: file}, {Credential: "mqtt"}} {
		if got, err := s.Read(dir); got != " s3cret " || err != nil {
			t.Errorf("%+v: got %q, %v", s, got, err)
		}
	}
	if _, err := (config.Secret{Credential: "mqtt"}).Read(""); err == nil || !strings.Contains(err.Error(), "LoadCredential=mqtt") {
		t.Errorf("no credentials: got %v, want the cure", err)
	}
	if _, err := (config.Secret{File: file + "x"}).Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// A secret that was written into the settings is refused without being shown.
func TestSecretIsNotRepeated(t *testing.T) {
	const yaml = `
gateway: {id: g}
sources: {a: {opcua: {endpoint: "opc.tcp://u:hunter2@h", trust: t, identity: {username: u, password: hunter2}}}, b: {modbus: {address: "tcp://u:hunter2@h"}}}
uplink: {mqtt: {brokers: ["tls://u:hunter2@b"], password: [hunter2], consumers: {q: {key: hunter2}}}}
`
	_, err := config.Parse("g.yaml", []byte(yaml), nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("got %v, want six problems without the secret", err)
	}
}

// Whatever the settings are, Parse gives valid ones or says what is wrong, and
// never both or neither.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../config/gateway.yaml", "testdata/minimal.yaml") {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte("tag,source\nx,a\n"))
	}
	f.Fuzz(func(t *testing.T, b, table []byte) {
		c, err := config.Parse("f.yaml", b, func(string) ([]byte, error) { return table, nil })
		if (c == nil) == (err == nil) {
			t.Fatalf("got settings %v and error %v", c, err)
		}
		var ps strictyaml.Problems
		if err != nil && !errors.As(err, &ps) {
			t.Errorf("got %v, want Problems", err)
		}
		if c != nil {
			valid(t, c)
		}
	})
}

// valid checks what all other parts rely on.
func valid(t *testing.T, c *config.Config) {
	if c.Gateway.ID == "" || c.Data.Dir == "" || c.Data.Quota < 64<<20 || c.Data.CommitEvery <= 0 || c.Data.Retain <= 0 || c.Specs.Dir == "" {
		t.Errorf("not whole: %+v", c)
	}
	kinds := map[string]string{}
	for _, s := range c.Sources {
		if (s.OPCUA == nil) == (s.Modbus == nil) || s.Name == "" {
			t.Errorf("source %+v", s)
		}
		if o := s.OPCUA; o != nil && (o.Policy != "None" && o.Trust == "" || o.Publish <= 0 || o.MaxSkew <= 0 || (o.Policy == "None") != (o.Mode == "None")) {
			t.Errorf("source %s: %+v", s.Name, o)
		}
		kinds[s.Name] = s.Kind()
	}
	for _, e := range c.Equipment {
		for _, tag := range e.Tags {
			if (tag.OPCUA != nil) == (tag.Modbus != nil) || kinds[tag.Source] == "" || tag.Scale == 0 || tag.Every < 0 {
				t.Errorf("tag %+v", tag)
			}
			if m := tag.Modbus; m != nil && (m.Table == "" || tag.Type.Name == "" || tag.Every == 0 || (tag.Type.Bits() > 16) != (m.Order != "") && tag.Type.Name != "string") {
				t.Errorf("tag %+v %+v", tag, m)
			}
		}
	}
	if m := c.MQTT; m != nil && (len(m.Brokers) == 0 || m.Username == "" || m.Receipts != "broker" && len(m.Consumers) == 0) {
		t.Errorf("mqtt %+v", m)
	}
}

func TestLoadSpecs(t *testing.T) {
	tests := []struct {
		name, src string
		want      config.Specs
		ok        bool
	}{
		{"wrong elsewhere", "gateway: 5\nspecs: {dir: /s}\nfoo: 1\n", config.Specs{Dir: "/s", Approvers: "DIR/approvers.yaml"}, true},
		{"default", "foo: 1\n", config.Specs{Dir: "DIR/specs", Approvers: "DIR/approvers.yaml"}, true},
		{"wrong here", "specs: {dir: 5}\n", config.Specs{Approvers: "DIR/approvers.yaml"}, false},
		{"not YAML", "a: [\n", config.Specs{Dir: "DIR/specs", Approvers: "DIR/approvers.yaml"}, false},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		file := filepath.Join(dir, "g.yaml")
		if err := os.WriteFile(file, []byte(tt.src), 0o644); err != nil {
			t.Fatal(err)
		}
		got, ok := config.LoadSpecs(file)
		got.Dir, got.Approvers = strings.Replace(got.Dir, dir, "DIR", 1), strings.Replace(got.Approvers, dir, "DIR", 1)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v, %v, want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
	if _, ok := config.LoadSpecs(filepath.Join(t.TempDir(), "none")); ok {
		t.Error("an absent file is readable")
	}
}
