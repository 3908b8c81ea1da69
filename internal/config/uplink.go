package config

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"andon/internal/strictyaml"
)

func (r *reader) uplink(n strictyaml.Node) {
	if !n.Present() {
		return
	}
	q := n.Need("mqtt")
	m := &MQTT{Brokers: r.brokers(q.Need("brokers")), Username: r.c.Gateway.ID}
	if u := q.Get("username"); u.Present() {
		m.Username = title(u)
	}
	m.Password = r.secret(q.Get("password"))
	m.TLS = r.tls(q.Get("tls"))
	if q.Get("tls").OK() && !slices.ContainsFunc(m.Brokers, func(b Broker) bool { return b.TLS }) && len(m.Brokers) > 0 {
		q.Get("tls").KeyProblem("tls, but no broker is reached by it", "write tls:// before the broker")
	}
	m.Prefix = prefix(q.Get("prefix"))
	m.Receipts = "signed"
	if receipts := q.Get("receipts"); receipts.Present() {
		m.Receipts = receipts.OneOf("signed", "unsigned", "broker")
	}
	r.consumers(q, m)
	r.c.MQTT = m
}

// brokers reads a list of addresses, or one.
func (r *reader) brokers(n strictyaml.Node) []Broker {
	list := []strictyaml.Node{n}
	if n.IsSeq() {
		list = n.Seq()
	}
	var out []Broker
	for _, e := range list {
		b := broker(e)
		if !e.OK() {
			continue
		}
		if slices.Contains(out, b) {
			e.Problem("the same broker again", "keep one")
		}
		if !b.TLS && !loopback(b.Addr) {
			r.warn(e, "what goes to this broker can be read and changed on the way, the password too", "use tls://")
		}
		out = append(out, b)
	}
	if n.IsSeq() && n.OK() && len(list) == 0 {
		n.Problem("no broker", "name one: [tls://broker:8883]")
	}
	return out
}

func broker(n strictyaml.Node) Broker {
	s := n.Text()
	if !n.OK() {
		return Broker{}
	}
	const like = "write it like tls://broker:8883 or tcp://127.0.0.1:1883"
	u, err := url.Parse(s)
	switch {
	case err != nil:
		n.Problem("not a broker's address", like)
	case u.User != nil:
		n.Problem("a user in the broker's address", "give it as username and password; "+like)
	case u.Scheme != "tls" && u.Scheme != "tcp" || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "":
		n.Problem("not a broker's address: "+quoted(s), like)
	case u.Scheme == "tls":
		return Broker{TLS: true, Addr: hostPort(n, u.Host, "8883")}
	default:
		return Broker{Addr: hostPort(n, u.Host, "1883")}
	}
	return Broker{}
}

// loopback reports whether host:port can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tls reads the names of certificate files; a certificate needs its key.
func (r *reader) tls(n strictyaml.Node) TLS {
	ca, cert, key := n.Get("ca"), n.Get("certificate"), n.Get("key")
	if n.OK() && cert.Present() != key.Present() {
		n.Problem("want certificate and key, or neither", "they belong together")
	}
	return TLS{CA: r.path(ca), Certificate: r.path(cert), Key: r.path(key)}
}

// prefix is put before every topic as it is, so it must not make a wildcard or
// a topic of the broker's own.
func prefix(n strictyaml.Node) string {
	s := n.Text()
	if n.OK() && (strings.ContainsAny(s, "+#\x00 ") || strings.HasPrefix(s, "$") || len(s) > 256) {
		n.Problem("not a beginning of a topic: "+quoted(s), "without + # and blanks, not beginning with $, usually ending with /")
		return ""
	}
	return s
}

// consumers reads who must receipt, with their keys where receipts are signed.
// Without keys a list of names will do.
func (r *reader) consumers(q strictyaml.Node, m *MQTT) {
	n := q.Get("consumers")
	if m.Receipts == "broker" {
		n.KeyProblem("consumers, but the broker's word retires an entry", "write `receipts: signed`, or remove them")
		n.Skip()
		return
	}
	if m.Receipts != "" && !n.Present() {
		q.Need("consumers")
	}
	if n.IsSeq() && m.Receipts == "signed" {
		n.Problem("consumers without keys", `write {qms: {key: "qms+…"}}, the key as `+"`andon key show`"+` prints it`)
	}
	if n.IsSeq() {
		for _, e := range n.Seq() {
			m.Consumers = append(m.Consumers, Consumer{Name: shaped(e, idShape, idWords)})
		}
	} else {
		m.Consumers = keyed(n, m.Receipts == "signed")
	}
	if n.OK() && len(m.Consumers) == 0 && (n.IsMap() || n.IsSeq()) {
		n.Problem("no consumer", "name the system that stores and receipts what is sent")
	}
	slices.SortFunc(m.Consumers, func(a, b Consumer) int { return strings.Compare(a.Name, b.Name) })
}

// keyed are the consumers by name.
func keyed(n strictyaml.Node, signed bool) []Consumer {
	var out []Consumer
	for _, e := range n.Entries() {
		named(e, idShape, idWords)
		c := Consumer{Name: e.Name}
		switch {
		case signed:
			c.Key = key(e.Value.Need("key"))
		case !e.Value.IsNull():
			e.Value.Get("key").KeyProblem("a key, but receipts are not signed", "write `receipts: signed`, or remove the key")
		}
		out = append(out, c)
	}
	return out
}

// key is a public key as `andon key new` prints it.
func key(n strictyaml.Node) string {
	s := n.Text()
	if !n.OK() {
		return ""
	}
	if _, err := note.NewVerifier(s); err != nil {
		n.Problem("not a public key", "copy what `andon key show` prints: NAME+hash+base64")
		return ""
	}
	return s
}
