package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"andon/internal/record"
	"andon/internal/spec"
)

// withdrawOverControl takes a signed withdrawal and answers when it is durable.
func (g *Gateway) withdrawOverControl(w io.Writer, r *http.Request) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, spec.MaxApprovalsBytes+1))
	if err != nil {
		return fmt.Errorf("read the withdrawal: %w", err)
	}
	out, err := g.Decide(r.Context(), &record.Withdrawal{Note: b, By: "file"})
	if err != nil {
		return err
	}
	if why := refusal(out.Entries); why != "" {
		return fmt.Errorf("refused: %s", why)
	}
	_, err = io.WriteString(w, "withdrawn\n")
	return err
}

// Withdraw hands a signed withdrawal to the running gateway. ErrNotRunning says
// that there is none, Refusal what it has against it.
func Withdraw(ctx context.Context, dataDir string, note []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://andon"+AskWithdraw, bytes.NewReader(note))
	if err != nil {
		return err
	}
	return do(req, dataDir, io.Discard)
}
