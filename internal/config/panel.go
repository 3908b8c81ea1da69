package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"andon/internal/strictyaml"
)

func (r *reader) panel(n strictyaml.Node) {
	if !n.Present() {
		return
	}
	p := &Panel{Listen: "127.0.0.1:8080", ScreenDiagonalIn: 21.5, ViewingDistanceM: 2}
	addr := n.Get("listen")
	if addr.Present() {
		p.Listen = listen(addr)
	}
	cert := n.Get("tls")
	if p.TLS = r.tls(cert); cert.OK() && p.TLS.Certificate == "" {
		cert.Problem("no certificate", "name certificate and key")
	}
	if addr.OK() && !loopback(p.Listen) && !cert.Present() {
		addr.Problem(p.Listen+" can be reached from the network, and has no TLS", "add `tls: {certificate: …, key: …}`, or listen on 127.0.0.1")
	}
	for _, e := range n.Get("hosts").Seq() {
		p.Hosts = append(p.Hosts, host(e))
	}
	p.ScreenDiagonalIn = size(n.Get("screen_diagonal_in"), p.ScreenDiagonalIn, 4, 200)
	p.ViewingDistanceM = size(n.Get("viewing_distance_m"), p.ViewingDistanceM, 0.2, 50)
	r.c.Panel = p
}

func (r *reader) metrics(n strictyaml.Node) {
	if !n.Present() {
		return
	}
	m := &Metrics{Listen: "127.0.0.1:9464"}
	if addr := n.Get("listen"); addr.Present() {
		m.Listen = listen(addr)
		if addr.OK() && r.c.Panel != nil && r.c.Panel.Listen == m.Listen && !strings.HasSuffix(m.Listen, ":0") {
			addr.Problem("the panel listens there", "give metrics an address of their own")
		}
	}
	r.c.Metrics = m
}

// listen is host:port; port 0 takes a free one, an empty host all addresses.
func listen(n strictyaml.Node) string {
	s := n.Text()
	if !n.OK() {
		return ""
	}
	_, port, err := net.SplitHostPort(s)
	if i, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(i, 10) != port {
		n.Problem("not an address to listen on: "+quoted(s), "write it like 127.0.0.1:8080")
		return ""
	}
	return s
}

// host is a name or address as a browser sends it, without a port.
func host(n strictyaml.Node) string {
	s := n.Text()
	if n.OK() && (s == "" || strings.ContainsAny(s, "/ @*,") || strings.Contains(s, ":") && net.ParseIP(s) == nil) {
		n.Problem("not a host: "+quoted(s), "write its name or address without a port")
	}
	return s
}

// size is a length within bounds, or def when absent.
func size(n strictyaml.Node, def, low, high float64) float64 {
	if !n.Present() {
		return def
	}
	f := n.Float()
	if n.OK() && (f < low || f > high) {
		n.Problem(n.Written()+" is out of bounds", "from "+strconv.FormatFloat(low, 'g', -1, 64)+" to "+strconv.FormatFloat(high, 'g', -1, 64))
	}
	return f
}

// beacon reads where a stack light of our own is. A PLC is never written to.
func (r *reader) beacon(n strictyaml.Node) {
	if !n.Present() {
		return
	}
	d := n.Need("device")
	s := d.Text()
	if d.OK() {
		u, err := url.Parse(s)
		local := err == nil && u.Scheme == "serial" && u.Host == "" && len(u.Path) > 1
		web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
		if !local && !web {
			d.Problem("not a beacon's address", "write it like serial:///dev/ttyUSB1 or http://10.1.7.50/")
		}
	}
	r.c.Beacon = &Beacon{Device: s}
}
