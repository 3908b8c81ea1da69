package panel

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"andon/internal/peer"
)

// browser opens a page of a stand in Chromium.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(peer.Command(t, "chromium")), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, endBrowser := chromedp.NewExecAllocator(ctx, flags...)
	ctx, endTab := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it logs events that it is too old for
	allocator := chromedp.FromContext(ctx).Allocator
	t.Cleanup(func() {
		endTab()
		endBrowser()
		allocator.Wait()
	})
	run(t, ctx, emulation.SetDeviceMetricsOverride(1920, 1080, 1, false).WithScreenWidth(1920).WithScreenHeight(1080), chromedp.Navigate(url))
	return ctx
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// seen waits for a condition of the page.
func seen(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	var got bool
	err := chromedp.Run(ctx, chromedp.Poll(condition, &got, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(5*time.Second)))
	if err != nil || !got {
		t.Fatalf("not seen: %s: %v", condition, err)
	}
}

// snapshot keeps a picture of the page in the directory that ANDON_PICTURES names,
// for whoever wants to look at it.
func snapshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("ANDON_PICTURES")
	if dir == "" {
		return
	}
	var png []byte
	run(t, ctx, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDialogSaysTrouble: a dialog that is open says NOT RECORDING and NOT LIVE in
// itself, since it hides where the page says them, and signs nothing until that is
// over.
//
//andon:req Q16
func TestDialogSaysTrouble(t *testing.T) {
	s := newStand(t, nil)
	ctx := browser(t, s.URL()+"alarms")
	const ready = `document.querySelector("dialog[open] .trouble") == null && !document.querySelector("dialog[open] button.sign").disabled`
	const locked = `document.querySelector("dialog[open] button.sign").disabled && document.querySelector("dialog[open] .trouble strong").textContent == `
	seen(t, ctx, `document.querySelector("[data-act=ack]") != null`)
	run(t, ctx, chromedp.Click(`[data-act=ack]`, chromedp.ByQuery), chromedp.SendKeys(`dialog [name=user]`, "op1", chromedp.ByQuery),
		chromedp.SendKeys(`dialog [name=pin]`, pin, chromedp.ByQuery))
	seen(t, ctx, ready)

	recording := func(is bool) {
		st := plant()
		st.Recording = is
		s.gateway.state.Store(st)
		s.Wake()
	}
	recording(false)
	seen(t, ctx, locked+`"NOT RECORDING"`)
	// the key that submits a form does not either
	run(t, ctx, chromedp.SendKeys(`dialog [name=pin]`, "\r", chromedp.ByQuery))
	snapshot(t, ctx, "sign-not-recording")
	recording(true)
	seen(t, ctx, ready)

	s.gateway.progress.Store(time.Now().Add(-time.Minute).UnixNano())
	seen(t, ctx, locked+`"NOT LIVE"`)
	s.gateway.progress.Store(time.Now().UnixNano())
	seen(t, ctx, ready)

	s.stop()
	seen(t, ctx, locked+`"NOT LIVE" && !document.querySelector("#notlive").hidden`)
	var high float64
	run(t, ctx, chromedp.Evaluate(`document.querySelector("dialog .trouble strong").getBoundingClientRect().height`, &high))
	if high < 40 {
		t.Errorf("NOT LIVE is %v pixels high", high)
	}
	snapshot(t, ctx, "sign-not-live")
	if acts := s.gateway.taken(); len(acts) != 0 {
		t.Errorf("signed meanwhile: %+v", acts)
	}
}
