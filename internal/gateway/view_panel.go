package gateway

import (
	"context"
	"time"

	"andon/internal/panel"
)

// shown is the gateway as the panel sees it.
type shown struct{ g *Gateway }

// State is the last commit's, with Recording as it is now.
func (s shown) State() *panel.State {
	c := s.g.Committed()
	if c == nil {
		return nil
	}
	return c.View
}

// Events are as of the same commit, or a later one.
func (s shown) Events() panel.EventList {
	c, l := s.g.Committed(), s.g.ledger.Load()
	if c == nil || l == nil {
		return panel.EventList{Events: []panel.Event{}}
	}
	return l.list(&c.Outbox)
}

// Progress is when the deciding goroutine last went round.
func (s shown) Progress() time.Time { return s.g.Progress() }

// openPanel takes the panel's address, when the settings have one.
func (g *Gateway) openPanel() error {
	c := g.o.Config.Panel
	if c == nil {
		return nil
	}
	var err error
	g.panel, err = panel.New(panel.Options{
		Gateway: shown{g}, People: signers{g.people, g}, Listen: c.Listen, Certificate: c.TLS.Certificate, Key: c.TLS.Key, Hosts: c.Hosts,
		ScreenDiagonalIn: c.ScreenDiagonalIn, ViewingDistanceM: c.ViewingDistanceM, Version: g.o.Version, Log: g.log, Now: g.o.Now,
	})
	return err
}

// PanelURL is where the panel is; "" when the settings have none.
func (g *Gateway) PanelURL() string {
	if g.panel == nil {
		return ""
	}
	return g.panel.URL()
}

// wakePanel tells the panel that there is something new to see.
func (g *Gateway) wakePanel() {
	if g.panel != nil {
		g.panel.Wake()
	}
}

// servePanel serves until ctx ends.
func (g *Gateway) servePanel(ctx context.Context) error {
	if g.panel == nil {
		return nil
	}
	g.log.Info("panel", "url", g.panel.URL())
	return g.panel.Run(ctx)
}

// recall reads what the record holds of past events. It goes on beside the
// session, and ends with it.
func (g *Gateway) recall(ctx context.Context, l *ledger, size int64) {
	if err := l.fill(ctx, &g.j.View, uint64(size)); err != nil {
		g.log.Error("past events are not all shown", "err", err)
	}
}
