package config

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"andon/internal/strictyaml"
)

// sources reads the connections. One that is wrong is kept with its name and
// kind, so that its tags are still read against the right keys.
func (r *reader) sources(n strictyaml.Node) {
	used := map[string]string{}
	for _, e := range n.Entries() {
		named(e, idShape, idWords)
		s := Source{Name: e.Name}
		ua, mb := e.Value.Get("opcua"), e.Value.Get("modbus")
		switch {
		case e.Value.OK() && ua.Present() == mb.Present():
			e.Value.Problem("want either opcua or modbus", "say how the source is reached")
		case ua.Present():
			s.OPCUA = r.opcua(ua)
			r.sharedAddress(used, ua.Get("endpoint"), s.Name, s.OPCUA.Endpoint)
		case mb.Present():
			s.Modbus = r.modbus(mb)
			r.sharedAddress(used, mb.Get("address"), s.Name, s.Modbus.Address.Host+s.Modbus.Address.Device)
		}
		r.c.Sources = append(r.c.Sources, s)
	}
}

// sharedAddress warns of two sources at one address: a serial line has one
// master, and many PLCs have few connections to give.
func (r *reader) sharedAddress(used map[string]string, n strictyaml.Node, name, address string) {
	if first, again := used[address]; again && address != "" {
		r.warn(n, fmt.Sprintf("the same address as source %s", first), "let their equipment share one source")
	}
	used[address] = name
}

// find is the source of a name; nil when there is none.
func (r *reader) find(name string) *Source {
	for i := range r.c.Sources {
		if r.c.Sources[i].Name == name {
			return &r.c.Sources[i]
		}
	}
	return nil
}

func (r *reader) opcua(n strictyaml.Node) *OPCUA {
	o := &OPCUA{Endpoint: endpoint(n.Need("endpoint"))}
	r.security(n.Get("security"), o)
	trust := n.Get("trust")
	if o.Policy != "None" {
		trust = n.Need("trust")
	}
	o.Trust = r.path(trust)
	o.Identity = r.identity(n.Get("identity"), o)
	o.Publish = between(n.Get("publish"), 250*time.Millisecond, 10*time.Millisecond, time.Minute)
	o.MaxSkew = between(n.Get("max_skew"), 5*time.Second, 10*time.Millisecond, 24*time.Hour)
	o.Timeout = between(n.Get("timeout"), 5*time.Second, 100*time.Millisecond, 2*time.Minute)
	return o
}

// endpoint is opc.tcp://host:port/path with the port filled in.
func endpoint(n strictyaml.Node) string {
	s := n.Text()
	if !n.OK() {
		return ""
	}
	const like = "write it like opc.tcp://10.1.7.20:4840"
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "opc.tcp":
		n.Problem("not an OPC UA endpoint", like)
	case u.User != nil:
		n.Problem("a user in the endpoint", "give it under identity; "+like)
	case u.RawQuery != "" || u.Fragment != "":
		n.Problem("an endpoint with ? or #", like)
	default:
		if u.Host = hostPort(n, u.Host, "4840"); n.OK() {
			return u.String()
		}
	}
	return ""
}

// hostPort fills in the port and refuses a host or port that cannot be.
func hostPort(n strictyaml.Node, host, port string) string {
	name := host
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	} else if strings.Contains(host, ":") {
		n.Problem(quoted(host)+" is not host:port", "write [::1]:4840 for IPv6")
		return ""
	}
	if i, err := strconv.Atoi(port); err != nil || i < 1 || i > 65535 {
		n.Problem("the port "+quoted(port)+" is not from 1 to 65535", "")
		return ""
	}
	if name == "" || strings.ContainsAny(name, " /@,") {
		n.Problem(quoted(host)+" has no host", "name the host or its address")
		return ""
	}
	return net.JoinHostPort(name, port)
}

// The security policies of OPC 10000-7. The weak ones were withdrawn from the
// standard and are used only where insecure is written.
const (
	strongPolicies = "Basic256Sha256 Aes128_Sha256_RsaOaep Aes256_Sha256_RsaPss"
	weakPolicies   = "None Basic128Rsa15 Basic256"
)

// security reads policy and mode: the usual strong ones when nothing is said.
func (r *reader) security(n strictyaml.Node, o *OPCUA) {
	policy, mode := n.Get("policy"), n.Get("mode")
	o.Policy, o.Mode = "Basic256Sha256", "SignAndEncrypt"
	if policy.Present() {
		o.Policy = policy.OneOf(strings.Fields(strongPolicies + " " + weakPolicies)...)
	}
	if mode.Present() {
		o.Mode = mode.OneOf("SignAndEncrypt", "Sign", "None")
	}
	o.Insecure = n.Get("insecure").Bool()
	weak := strings.Contains(" "+weakPolicies+" ", " "+o.Policy+" ") && o.Policy != ""
	switch {
	case !n.OK() || o.Policy == "" || o.Mode == "":
	case (o.Policy == "None") != (o.Mode == "None"):
		n.Problem(fmt.Sprintf("policy %s with mode %s", o.Policy, o.Mode), "both are None, or neither")
	case weak && !o.Insecure:
		n.Problem(fmt.Sprintf("the policy %s is not secure", o.Policy), "use Basic256Sha256; or write `insecure: true` beside it, and the page and the record say so")
	case !weak && o.Insecure:
		n.Get("insecure").Problem("insecure: true with the policy "+o.Policy, "remove it: it permits what you do not use")
	case weak:
		r.warn(n, "the connection is not protected: anyone on the network can change what is read", "use Basic256Sha256 with SignAndEncrypt")
	}
}

func (r *reader) identity(n strictyaml.Node, o *OPCUA) Identity {
	user, cert := n.Get("username"), n.Get("certificate")
	if n.OK() && user.Present() == cert.Present() {
		n.Problem("want either username and password or certificate and key", "remove the key identity to connect anonymously")
		return Identity{}
	}
	var id Identity
	if user.Present() {
		id.Username, id.Password = title(user), r.secret(n.Need("password"))
		if o.Policy == "None" {
			r.warn(n.Get("password"), "the password is sent in clear text unless the server asks for it encrypted", "use Basic256Sha256 with SignAndEncrypt")
		}
	}
	if cert.Present() {
		id.Certificate, id.Key = r.path(cert), r.path(n.Need("key"))
	}
	return id
}
