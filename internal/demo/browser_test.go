package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"andon/internal/peer"
)

// childEnv makes the test binary a demonstration of its own, so that it can be
// killed as a power cut would.
const childEnv = "ANDON_DEMO_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if _, err := Run(context.Background(), Options{Panel: "127.0.0.1:0", Talk: os.Stdout, Now: time.Now, Dir: os.Getenv(childEnv)}); err != nil {
		log.Fatal(err)
	}
}

// child is a demonstration in a process of its own.
type child struct {
	cmd      *exec.Cmd
	url, pin string
	talk     chan string // lines, while somebody takes them
}

func startChild(t *testing.T) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, talk: make(chan string, 1000)}
	read := make(chan struct{})
	go func() { defer close(read); c.read(out) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be dead already
		<-read
		_ = cmd.Wait() // killed: its exit says nothing
	})
	c.url = c.said(t, `panel +(http://\S+/)`)
	c.pin = c.said(t, `sign there as +id operator, PIN (\d+)`)
	return c
}

func (c *child) read(out io.Reader) {
	defer close(c.talk)
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		select {
		case c.talk <- scan.Text():
		default: // nobody listens any more
		}
	}
}

// said waits for a line and returns what the expression's group holds.
func (c *child) said(t *testing.T, expression string) string {
	t.Helper()
	wanted := regexp.MustCompile(expression)
	end := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-c.talk:
			if !ok {
				t.Fatalf("the demonstration ended before it said %s", expression)
			}
			if m := wanted.FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
		case <-end:
			t.Fatalf("the demonstration did not say %s", expression)
		}
	}
}

// browse opens a browser; what its pages complain of fails the test.
func browse(t *testing.T, width, height int64) context.Context {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(peer.Command(t, "chromium")), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, endBrowser := chromedp.NewExecAllocator(ctx, flags...)
	ctx, endTab := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it logs events that it is too old for
	allocator := chromedp.FromContext(ctx).Allocator
	t.Cleanup(func() {
		endTab()
		endBrowser()
		allocator.Wait()
	})
	chromedp.ListenTarget(ctx, func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok {
			t.Errorf("the page's script failed: %v", e.ExceptionDetails)
		}
	})
	do(t, ctx, emulation.SetDeviceMetricsOverride(width, height, 1, false).WithScreenWidth(width).WithScreenHeight(height))
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition of the page.
func until(t *testing.T, ctx context.Context, within time.Duration, condition string) {
	t.Helper()
	var got bool
	err := chromedp.Run(ctx, chromedp.Poll(condition, &got, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(within)))
	if err != nil || !got {
		var text string
		_ = chromedp.Run(ctx, chromedp.Evaluate(`document.body.innerText`, &text)) // the page may be gone too
		t.Fatalf("not within %v: %s: %v\n%s", within, condition, err, text)
	}
}

// TestPanel is the operator's way: the excursion is on the board within two
// seconds, is acknowledged with id and PIN, its record is receipted, and when the
// gateway is killed the screen says so within three seconds.
func TestPanel(t *testing.T) {
	ctx := browse(t, 1920, 1080)
	c := startChild(t)
	do(t, ctx, chromedp.Navigate(c.url))
	until(t, ctx, 10*time.Second, `document.querySelector("#head .time small").textContent.includes("live")`)

	c.said(t, `opened +deviation +(furn-03: Load)`)
	until(t, ctx, 2*time.Second, `document.querySelector('.equipment:first-of-type .tile.out[data-parameter="load_temp"] .word b')?.textContent.startsWith("OUT")`)
	picture(t, ctx, "panel-board")
	const alarm = `furn-03 · Load thermocouples`
	row := fmt.Sprintf(`[...document.querySelectorAll(".alarm")].find(a => a.textContent.includes(%q))`, alarm)
	do(t, ctx, chromedp.Navigate(c.url+"alarms"))
	until(t, ctx, 10*time.Second, row+`?.querySelector("[data-act=ack]") != null`)
	until(t, ctx, 10*time.Second, row+`.textContent.includes("receipted")`)
	id := ""
	do(t, ctx, chromedp.Evaluate(row+`.dataset.alarm`, &id))

	sign := func(pin string) {
		do(t, ctx, chromedp.SendKeys(`dialog [name=pin]`, pin, chromedp.ByQuery),
			chromedp.Click(`dialog button.sign`, chromedp.ByQuery))
	}
	do(t, ctx, chromedp.Evaluate(row+`.querySelector("[data-act=ack]").click()`, nil), chromedp.WaitVisible(`dialog[open]`, chromedp.ByQuery))
	until(t, ctx, time.Second, `document.querySelector("dialog").textContent.includes("ACKNOWLEDGED")`)
	do(t, ctx, chromedp.SendKeys(`dialog [name=comment]`, "valve stuck", chromedp.ByQuery))
	picture(t, ctx, "panel-sign")
	sign("000000")
	until(t, ctx, 10*time.Second, `document.querySelector("dialog .wrong")?.textContent.includes("wrong PIN") && document.querySelector("dialog [name=pin]").value == ""`)
	sign(c.pin)
	until(t, ctx, 10*time.Second, `document.querySelector("dialog") == null`)
	// acknowledged: gone when the value had returned, else no longer waiting
	until(t, ctx, 5*time.Second, fmt.Sprintf(`document.querySelector('[data-alarm=%q].unacked') == null`, id))

	do(t, ctx, chromedp.Navigate(c.url+"events"))
	until(t, ctx, 10*time.Second, `document.querySelector(".receipt.receipted") != null`)

	do(t, ctx, chromedp.Navigate(c.url))
	until(t, ctx, 10*time.Second, `document.querySelector("#head .time small").textContent.includes("live") && document.querySelector("#notlive").hidden`)
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, 3*time.Second, `!document.querySelector("#notlive").hidden && document.querySelector("#notlive").textContent.includes("NOT LIVE")`)
	picture(t, ctx, "panel-not-live")
}

// TestPanelShelves is the operator's way to put an alarm aside and take it back:
// it leaves the list for the shelf, with who and why, its record goes on, and it
// is annunciated again. On the board a name is given by hand.
func TestPanelShelves(t *testing.T) {
	ctx := browse(t, 1920, 1080)
	c := startChild(t)
	c.said(t, `UNACK +alarm +(furn-03: load_temp)`)
	do(t, ctx, chromedp.Navigate(c.url+"alarms"))
	const row = `[...document.querySelectorAll(".list .alarm")].find(a => a.textContent.includes("furn-03 · Load thermocouples"))`
	until(t, ctx, 10*time.Second, row+`?.querySelector("[data-act=shelve]") != null`)
	id := ""
	do(t, ctx, chromedp.Evaluate(row+`.dataset.alarm`, &id), chromedp.Evaluate(row+`.querySelector("[data-act=shelve]").click()`, nil),
		chromedp.WaitVisible(`dialog[open]`, chromedp.ByQuery), chromedp.Click(`dialog [data-seconds="3600"]`, chromedp.ByQuery),
		chromedp.SendKeys(`dialog [name=comment]`, "sensor under repair", chromedp.ByQuery), chromedp.SendKeys(`dialog [name=pin]`, c.pin, chromedp.ByQuery))
	picture(t, ctx, "shelve")
	do(t, ctx, chromedp.Click(`dialog button.sign`, chromedp.ByQuery))
	aside := fmt.Sprintf(`document.querySelector('.shelf [data-alarm=%q]')`, id)
	until(t, ctx, 10*time.Second, aside+`?.textContent.includes("sensor under repair") && `+aside+`.textContent.includes("1 h 00 left")`)
	until(t, ctx, time.Second, fmt.Sprintf(`document.querySelector('.list [data-alarm=%q]') == null && document.querySelector("#nav").textContent.includes("1 shelved")`, id))
	picture(t, ctx, "shelf")
	for _, size := range [][2]int64{{1280, 800}, {3840, 2160}, {1920, 1080}} {
		do(t, ctx, emulation.SetDeviceMetricsOverride(size[0], size[1], 1, false).WithScreenWidth(size[0]).WithScreenHeight(size[1]), chromedp.Reload())
		until(t, ctx, 10*time.Second, aside+`?.querySelector("[data-act=unshelve]") != null`)
		picture(t, ctx, fmt.Sprintf("shelf-%d", size[0]))
		fits(t, ctx, fmt.Sprintf("%v, shelf", size))
	}

	do(t, ctx, chromedp.Navigate(c.url))
	const tile = `document.querySelector('.equipment:first-of-type .tile[data-parameter="load_temp"]')`
	until(t, ctx, 10*time.Second, tile+`?.textContent.includes("alarm shelved until") && !`+tile+`.classList.contains("unacked")`)
	do(t, ctx, chromedp.Click(`.equipment:first-of-type [data-act=context]`, chromedp.ByQuery), chromedp.WaitVisible(`dialog[open]`, chromedp.ByQuery),
		chromedp.SendKeys(`dialog [name=field-operator]`, "Ann Meyer", chromedp.ByQuery), chromedp.SendKeys(`dialog [name=pin]`, c.pin, chromedp.ByQuery))
	picture(t, ctx, "context")
	do(t, ctx, chromedp.Click(`dialog button.sign`, chromedp.ByQuery))
	until(t, ctx, 10*time.Second, `document.querySelector("dialog") == null && document.querySelector(".equipment:first-of-type h2").textContent.includes("operatorAnn Meyer")`)
	picture(t, ctx, "board")

	do(t, ctx, chromedp.Navigate(c.url+"alarms"))
	until(t, ctx, 10*time.Second, aside+`?.querySelector("[data-act=unshelve]") != null`)
	do(t, ctx, chromedp.Evaluate(aside+`.querySelector("[data-act=unshelve]").click()`, nil), chromedp.WaitVisible(`dialog[open]`, chromedp.ByQuery),
		chromedp.SendKeys(`dialog [name=pin]`, c.pin, chromedp.ByQuery), chromedp.Click(`dialog button.sign`, chromedp.ByQuery))
	until(t, ctx, 10*time.Second, `document.querySelector("dialog") == null && `+aside+` == null`)
	// annunciated again if it stands, gone if it had returned meanwhile
	until(t, ctx, 5*time.Second, fmt.Sprintf(`document.querySelector('.list [data-alarm=%q]:not(.unacked)') == null`, id))
}

// picturesEnv names a directory for pictures of the pages, for whoever wants to
// look at them; without it none are taken.
const picturesEnv = "ANDON_PICTURES"

func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv(picturesEnv)
	if dir == "" {
		return
	}
	var png []byte
	do(t, ctx, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPanelWithoutScript: state and alarms can be read by a browser that runs no
// script, and signing is not offered there.
func TestPanelWithoutScript(t *testing.T) {
	ctx := browse(t, 1280, 800)
	c := startChild(t)
	c.said(t, `UNACK +alarm +(furn-03: load_temp)`)
	var text string
	var buttons int
	do(t, ctx, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(c.url), chromedp.Text("body", &text, chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelectorAll("button").length`, &buttons))
	for _, want := range []string{"Furnace 3", "Load thermocouples", "875 … 895 °F", "NOT ACKNOWLEDGED", "HT-DEMO rev A", "picture of this moment"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	if buttons != 0 {
		t.Errorf("%d buttons that do nothing", buttons)
	}
}

// TestPanelFits: nothing on the board runs over the screen's edge, or over
// another's, at the sizes that panels have.
func TestPanelFits(t *testing.T) {
	c := startChild(t)
	c.said(t, `UNACK +alarm +(furn-03: load_temp)`)
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {3840, 2160}} {
		ctx := browse(t, size[0], size[1])
		for _, page := range []string{"", "alarms", "events", "specs", "health"} {
			do(t, ctx, chromedp.Navigate(c.url+page))
			until(t, ctx, 10*time.Second, `document.querySelector("#head .time small").textContent.includes("live")`)
			fits(t, ctx, fmt.Sprintf("%v /%s", size, page))
		}
	}
}

// fits wants nothing of the page to run over the screen's right edge.
func fits(t *testing.T, ctx context.Context, where string) {
	t.Helper()
	var wide []string
	do(t, ctx, chromedp.Evaluate(`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + (e.className.baseVal ?? e.className))`, &wide))
	if len(wide) > 0 {
		t.Errorf("%s: over the edge: %q", where, wide)
	}
}
