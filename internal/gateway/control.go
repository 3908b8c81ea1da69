package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"andon/internal/journal"
	"andon/internal/record"
	"andon/internal/sample"
	"andon/internal/spec"
)

// What the control socket answers. It is for the commands of this program on
// this machine: HTTP over a Unix socket that only the gateway's own user and
// root may use.
const (
	AskVerify   = "/journal/verify" // key → journal.Report
	AskExport   = "/journal/export" // from, to, lot, event → JSON lines
	AskRoot     = "/journal/root"   // size, note → text
	AskSpec     = "/spec"           // POST {"document","approvals"} → text; a list of approvers too
	AskWithdraw = "/spec/withdraw"  // POST the note → text
	AskStatus   = "/status"         // → ControlStatus

	AskOutbox  = "/outbox"         // → OutboxReport
	AskRequeue = "/outbox/requeue" // POST {"lane","seq","reason"} → DeadLetter
)

// controlFile is the socket's name. It stands beside the journal, so that
// whoever names a data directory finds the gateway that has it.
const controlFile = "control"

// longestSocket is how long a socket's path may be (unix(7): 108 bytes with the
// one that ends it).
const longestSocket = 107

// withSocket calls fn with a path of the socket that is short enough: a long one
// is named through the open directory.
func withSocket(dataDir string, fn func(path string) error) error {
	path := filepath.Join(dataDir, controlFile)
	if len(path) <= longestSocket {
		return fn(path)
	}
	d, err := os.Open(dataDir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // nothing was written through it
	return fn(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), controlFile))
}

// ControlStatus is what the daemon says of itself.
type ControlStatus struct {
	Gateway   string `json:"gateway"`
	Version   string `json:"version"`
	Epoch     string `json:"epoch"`
	Size      int64  `json:"size"`
	Recording bool   `json:"recording"`
}

// control serves the socket until ctx ends.
func (g *Gateway) control(ctx context.Context) error {
	dir := g.o.Config.Data.Dir
	path := filepath.Join(dir, controlFile)
	// the journal's lock is ours, so a socket that is still there is a dead one's
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	var l net.Listener
	err := withSocket(dir, func(path string) (err error) {
		l, err = net.Listen("unix", path)
		return err
	})
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	srv := &http.Server{Handler: g.controlHandler(), ReadHeaderTimeout: 5 * time.Second, ConnContext: withPeer}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() }) // closing is all that is left to do with it
	defer stopped()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func (g *Gateway) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AskStatus, answered(func(w io.Writer, _ *http.Request) error {
		c := g.Committed()
		if c == nil {
			return errors.New("the gateway is starting: nothing has been committed yet")
		}
		return json.NewEncoder(w).Encode(ControlStatus{g.o.Config.Gateway.ID, g.o.Version, c.Head.Epoch, c.Head.Size, c.Recording})
	}))
	mux.HandleFunc("GET "+AskRoot, answered(func(w io.Writer, r *http.Request) error {
		size, err := strconv.ParseInt(r.FormValue("size"), 10, 64)
		if err != nil {
			return fmt.Errorf("size: %w", err)
		}
		return WriteRoot(w, &g.j.View, size, r.FormValue("note") == "true")
	}))
	mux.HandleFunc("GET "+AskExport, answered(func(w io.Writer, r *http.Request) error {
		sel := Selection{Lot: r.FormValue("lot"), Event: r.FormValue("event")}
		for name, t := range map[string]*sample.Time{"from": &sel.From, "to": &sel.To} {
			if text := r.FormValue(name); text != "" {
				std, err := time.Parse(time.RFC3339Nano, text)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				*t = sample.At(std)
			}
		}
		return Export(w, &g.j.View, sel)
	}))
	mux.HandleFunc("GET "+AskVerify, answered(func(w io.Writer, r *http.Request) error {
		report, err := g.verifyCopy(r.FormValue("key"))
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(report)
	}))
	mux.HandleFunc("POST "+AskSpec, answered(g.installOverControl))
	mux.HandleFunc("POST "+AskWithdraw, answered(g.withdrawOverControl))
	mux.HandleFunc("GET "+AskSpecs, answered(g.specsOverControl))
	mux.HandleFunc("GET "+AskOutbox, answered(g.outboxOverControl))
	mux.HandleFunc("POST "+AskRequeue, answered(g.requeueOverControl))
	mux.HandleFunc("GET "+AskPeople, answered(g.peopleOverControl))
	return onlyOwner(mux)
}

// answered turns an error into an answer that says it. What has been written
// before it cannot be taken back: the connection is cut so that it is not taken
// for the whole.
func answered(fn func(w io.Writer, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &counting{w: w}
		err := fn(c, r)
		switch {
		case err == nil:
		case c.n == 0:
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		default:
			panic(http.ErrAbortHandler)
		}
	}
}

type counting struct {
	w io.Writer
	n int
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

// offered is a specification, or a list of approvers, on its way to the daemon.
type offered struct {
	Document  []byte `json:"document"`
	Approvals []byte `json:"approvals"`
}

// offeredAtMost bounds what is read of an offer.
const offeredAtMost = 16 << 20

func (g *Gateway) installOverControl(w io.Writer, r *http.Request) error {
	var o offered
	if err := json.NewDecoder(io.LimitReader(r.Body, offeredAtMost)).Decode(&o); err != nil {
		return fmt.Errorf("read the specification: %w", err)
	}
	var body record.Body = &record.Specification{Document: o.Document, Approvals: o.Approvals, By: "file"}
	if spec.IsPolicy(o.Document) {
		body = &record.Policy{Document: o.Document, Approvals: o.Approvals}
	}
	out, err := g.Decide(r.Context(), body)
	if err != nil {
		return err
	}
	if why := refusal(out.Entries); why != "" {
		return fmt.Errorf("refused: %s", why)
	}
	_, err = io.WriteString(w, "installed\n")
	return err
}

// refusal is why a controlled document was refused, "" if it was not.
func refusal(entries []record.Entry) string {
	for _, e := range entries {
		var told struct {
			Data struct{ Action, Reason string } `json:"data"`
		}
		if e.Topic == "event/audit" && json.Unmarshal(e.Payload, &told) == nil && told.Data.Action == "refuse" {
			return told.Data.Reason
		}
	}
	return ""
}

// WriteRoot writes the tree's root at a size (all of it when negative) in
// base64, or the signed checkpoint of the greatest size not above it.
func WriteRoot(w io.Writer, j *journal.View, size int64, signed bool) error {
	if signed {
		msg, err := j.CheckpointAt(size)
		if err != nil {
			return err
		}
		_, err = w.Write(msg)
		return err
	}
	if size < 0 {
		size = j.Head().Size
	}
	root, err := j.Root(size)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, root.String())
	return err
}

// Ask asks the gateway that has the data directory and copies its answer to w.
// pairs are the names and values of what is asked.
func Ask(ctx context.Context, dataDir, what string, w io.Writer, pairs ...string) error {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://andon"+what+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	return do(req, dataDir, w)
}

// Offer hands a specification to the running gateway. ErrNotRunning says that
// there is none.
func Offer(ctx context.Context, dataDir string, document, approvals []byte, w io.Writer) error {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(json.NewEncoder(pw).Encode(offered{document, approvals})) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://andon"+AskSpec, pr)
	if err != nil {
		return err
	}
	return do(req, dataDir, w)
}

// Refusal is the running gateway's answer that it did not do what was asked.
type Refusal struct{ Why string }

// Error is the gateway's own words.
func (r Refusal) Error() string { return "the running gateway says: " + r.Why }

// ErrNotRunning: no gateway answers for the data directory.
var ErrNotRunning = errors.New("no gateway is running on this data directory")

func do(req *http.Request, dataDir string, w io.Writer) error {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (c net.Conn, err error) {
		err = withSocket(dataDir, func(path string) error {
			c, err = new(net.Dialer).DialContext(ctx, "unix", path)
			return err
		})
		return c, err
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errRefused) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("ask the running gateway: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it has been read to its end or given up
	if resp.StatusCode != http.StatusOK {
		why, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		return errors.Join(Refusal{strings.TrimSpace(string(why))}, err)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("ask the running gateway: %w", err)
	}
	return nil
}
