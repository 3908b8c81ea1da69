package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	"andon/internal/strictyaml"
)

// Load reads the settings in file and the tag lists it names. The error is
// strictyaml.Problems when the settings are wrong, and another when file itself
// cannot be read.
func Load(file string) (*Config, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return Parse(file, b, os.ReadFile)
}

// Parse makes valid settings of the bytes of file. Relative paths in it are
// relative to its directory; read gives the bytes of the tag lists that it
// names. The error is strictyaml.Problems: every mistake at once.
func Parse(file string, b []byte, read func(path string) ([]byte, error)) (*Config, error) {
	doc := strictyaml.Parse(file, b)
	r := &reader{c: &Config{File: file}, dir: filepath.Dir(file), read: read, sum: sha256.New()}
	r.sum.Write(b)
	r.root(doc.Root())
	problems := append(doc.Problems(), r.elsewhere...).Sorted()
	r.c.Warnings = r.c.Warnings.Sorted()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	r.c.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	return r.c, nil
}

// reader fills c. Problems are collected by the nodes that it reads, but for
// those of other files.
type reader struct {
	c         *Config
	dir       string
	read      func(string) ([]byte, error)
	sum       hash.Hash
	elsewhere strictyaml.Problems
}

// root reads the whole file, in the order in which later parts need earlier
// ones: tags need their sources.
func (r *reader) root(n strictyaml.Node) {
	r.gateway(n.Need("gateway"))
	r.data(n.Get("data"))
	r.specs(n.Get("specs"))
	r.sources(n.Get("sources"))
	r.equipment(n.Get("equipment"))
	r.uplink(n.Get("uplink"))
	r.beacon(n.Get("beacon"))
	r.panel(n.Get("panel"))
	r.metrics(n.Get("metrics"))
	if n.OK() && !n.Get("sources").Present() {
		r.warn(n.Get("gateway"), "no sources: nothing will be read", "add sources and equipment")
	}
	if n.OK() && !n.Get("uplink").Present() {
		r.warn(n.Get("gateway"), "no uplink: what is raised stays on this machine", "add uplink")
	}
}

// warn records what is allowed but likely meant otherwise, at the value.
func (r *reader) warn(n strictyaml.Node, message, hint string) {
	r.c.Warnings = append(r.c.Warnings, n.At(message, hint))
}

// LoadSpecs reads only where the specifications lie, from settings that may be
// wrong elsewhere, so that their mistakes can be told together with those of the
// settings. ok is false when not even that can be read.
func LoadSpecs(file string) (specs Specs, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Specs{}, false
	}
	root := strictyaml.Parse(file, b).Root()
	r := &reader{c: &Config{File: file}, dir: filepath.Dir(file)}
	n := root.Get("specs")
	r.specs(n)
	ok = root.OK() && (!n.Present() || n.OK()) && r.c.Specs.Dir != "" && r.c.Specs.Approvers != ""
	return r.c.Specs, ok
}
