package deploy

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"andon/internal/peer"
)

// deb makes a package of a program that only looks like ours, since the packing
// is what is tested.
func deb(t *testing.T, version, epoch string) string {
	t.Helper()
	nfpm, root := peer.Command(t, "nfpm"), peer.Root(t)
	dir := t.TempDir()
	program, out := filepath.Join(dir, "program"), filepath.Join(dir, "andon.deb")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil { // the package gives it its own mode
		t.Fatal(err)
	}
	cmd := exec.Command("deploy/deb.sh", program, "amd64", version, out)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "NFPM="+nfpm, "SOURCE_DATE_EPOCH="+epoch)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("deb.sh: %v\n%s", err, b)
	}
	return out
}

const epoch = "1767225600" // 2026-01-01T00:00:00Z

func dpkg(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(peer.Command(t, "dpkg-deb"), args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("dpkg-deb %q: %v\n%s", args, err, b)
	}
	return string(b)
}

// TestPackageContents: what is to be there is, root's, with the time of the
// commit, and nothing that a person must write or that outlives the package.
func TestPackageContents(t *testing.T) {
	list := dpkg(t, "-c", deb(t, "v1.2.3", epoch))
	for _, want := range []string{
		"-rwxr-xr-x root/root .* ./usr/bin/andon",
		"-rw-r--r-- root/root .* ./usr/lib/systemd/system/andon.service",
		"-rw-r--r-- root/root .* ./usr/share/man/man1/andon.1.gz",
		"-rw-r--r-- root/root .* ./usr/share/andon/examples/gateway.yaml",
		"-rw-r--r-- root/root .* ./usr/share/andon/examples/press-1.csv",
		`-rw-r--r-- root/root .* ./usr/share/andon/examples/specs/HT-7075-T6\.A\.spec\.yaml`,
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/docs/operation.md",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/docs/decisions/0003-dependencies.md",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/docs/img/panel-board.png",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/copyright",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/licences/preact.LICENSE",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/changelog.gz",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/systemd/serial.conf",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/deploy/mosquitto/andon.acl",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/deploy/grafana/andon.json",
		"-rw-r--r-- root/root .* ./usr/share/doc/andon/deploy/prometheus/andon.rules.yaml",
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(list) {
			t.Errorf("no %s in\n%s", want, list)
		}
	}
	for line := range strings.Lines(list) {
		path := line[strings.LastIndex(line, " ./")+2:]
		if !strings.HasPrefix(path, "/usr/") {
			t.Errorf("outside of /usr: %s", line)
		}
		if !strings.Contains(line, " 2026-01-01 00:00 ") || !strings.Contains(line, " root/root ") {
			t.Errorf("neither root's nor of the commit: %s", line)
		}
	}
}

// link is a link of a document, or a picture in it.
var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

// TestPackageLinks: every link of an installed document that leads to no other
// machine leads to something that is installed.
func TestPackageLinks(t *testing.T) {
	root := t.TempDir()
	dpkg(t, "-x", deb(t, "v1", epoch), root)
	links := 0
	err := filepath.WalkDir(filepath.Join(root, "usr/share/doc/andon"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: %v", strings.TrimPrefix(path, root), err)
			}
		}
		return nil
	})
	if err != nil || links < 20 {
		t.Errorf("%d links, %v", links, err)
	}
}

// TestPackageIsReproducible: the same commit gives the same bytes, another one
// does not.
//
//andon:req Q53
func TestPackageIsReproducible(t *testing.T) {
	a, b, c := deb(t, "v1", epoch), deb(t, "v1", epoch), deb(t, "v1", "1767225601")
	if read(t, a) != read(t, b) {
		t.Error("two packages of one commit differ")
	}
	if read(t, a) == read(t, c) {
		t.Error("packages of two commits are the same: the time is not in them")
	}
}

func TestPackageVersion(t *testing.T) {
	for given, want := range map[string]string{"v1.2.3": "1.2.3", "1.2.3-4-gabc": "1.2.3.4.gabc", "abc1234-dirty": "0~20260101000000.abc1234.dirty"} {
		if got := strings.TrimSpace(dpkg(t, "-f", deb(t, given, epoch), "Version")); got != want {
			t.Errorf("%s: version %s, want %s", given, got, want)
		}
	}
}

// maintainer runs a script of the package on a root of its own, with commands
// that only say what they were asked for.
func maintainer(t *testing.T, root, script string, args ...string) string {
	t.Helper()
	bin := t.TempDir()
	var calls bytes.Buffer
	for _, name := range []string{"adduser", "chgrp", "systemctl", "getent"} {
		code := "exit 0\n"
		if name == "getent" {
			code = "exit 2\n" // there is no such user
		}
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho "+name+" \"$@\"\n"+code), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", append([]string{"deb/" + script}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin", "DPKG_ROOT="+root)
	cmd.Stdout, cmd.Stderr = &calls, &calls
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", script, args, err, calls.String())
	}
	return calls.String()
}

// TestMaintainerScripts goes through the life of a package: the site's settings
// survive an upgrade, purging takes them, and the record survives that too.
func TestMaintainerScripts(t *testing.T) {
	peer.Command(t, "dpkg-deb") // these are Debian's, with its coreutils
	root := t.TempDir()
	at := func(path string) string { return filepath.Join(root, path) }
	for _, dir := range []string{"usr/share/andon/examples", "var/lib/andon"} {
		if err := os.MkdirAll(at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, at("usr/share/andon/examples/gateway.yaml"), "example")
	write(t, at("usr/share/andon/examples/press-1.csv"), "tags")
	write(t, at("var/lib/andon/journal.db"), "record")

	said := maintainer(t, root, "postinst", "configure", "")
	if !strings.Contains(said, "adduser --system --group") || strings.Contains(said, "systemctl start") || !strings.Contains(said, "not started") {
		t.Errorf("installing did\n%s", said)
	}
	for path, mode := range map[string]os.FileMode{"etc/andon": 0o750, "etc/andon/secrets": 0o750, "etc/andon/gateway.yaml": 0o640} {
		if info, err := os.Stat(at(path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want mode %v", path, info, err, mode)
		}
	}
	write(t, at("etc/andon/gateway.yaml"), "the site's own")
	maintainer(t, root, "prerm", "upgrade", "1.1")
	maintainer(t, root, "postrm", "upgrade", "1.1")
	maintainer(t, root, "postinst", "configure", "1.0")
	if got := read(t, at("etc/andon/gateway.yaml")); got != "the site's own" {
		t.Errorf("after an upgrade the settings are %q", got)
	}
	maintainer(t, root, "prerm", "remove")
	maintainer(t, root, "postrm", "remove")
	if read(t, at("etc/andon/gateway.yaml")) == "" {
		t.Error("removing took the settings")
	}
	if said := maintainer(t, root, "postrm", "purge"); !strings.Contains(said, "is kept") {
		t.Errorf("purging does not say that the record is kept:\n%s", said)
	}
	if _, err := os.Stat(at("etc/andon")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("purging left the settings: %v", err)
	}
	if read(t, at("var/lib/andon/journal.db")) != "record" {
		t.Error("purging took the record")
	}
}

// TestManPage names every verb of the program.
func TestManPage(t *testing.T) {
	source, err := filepath.Glob("../cmd/andon/*.go")
	if err != nil {
		t.Fatal(err)
	}
	constructor := regexp.MustCompile(`(?s)root\.AddCommand\((.*?)\n\t\)`)
	use := regexp.MustCompile(`(?:Use:\s+|group\()"([a-z-]+)`)
	var text strings.Builder
	for _, file := range source {
		text.WriteString(read(t, file))
	}
	made := constructor.FindStringSubmatch(text.String())
	if made == nil {
		t.Fatal("main.go does not list its verbs as expected")
	}
	page := read(t, "andon.1")
	verbs := strings.Fields(strings.ReplaceAll(made[1], "(),", " "))
	if len(verbs) < 10 {
		t.Fatalf("verbs %q", verbs)
	}
	for _, constructor := range verbs {
		_, body, _ := strings.Cut(text.String(), "func "+constructor+"(")
		name := use.FindStringSubmatch(body)
		if name == nil || !slices.Contains(strings.Split(page, "\n"), ".B "+name[1]) {
			t.Errorf("%s: the man page has no verb %v", constructor, name)
		}
	}
}
