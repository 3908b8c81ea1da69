package opcua

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/record"
	"andon/internal/sample"
)

const (
	// window is how many publish requests wait at the server.
	window = 2
	// maxBatch is how many items are created or read in one call, whatever more
	// the server allows.
	maxBatch = 500
	// maxNotifications is how many values a message may hold: far below
	// maxMessage, unless they are long texts.
	maxNotifications = 1000
	// maxAcks is how many notifications are acknowledged in one request.
	maxAcks = 100
	// maxFaults is how many publish requests in a row the server may refuse.
	maxFaults = 5
	// leastSilence is how long a server may say nothing, however short its
	// publishing interval: a busy one pauses.
	leastSilence = 2 * time.Second
	// mostSilence is the longest keep-alive interval that we live with.
	mostSilence = time.Minute
	// lifetime is how long the server keeps a subscription that nobody asks for.
	subscriptionLifetime = 30 * time.Second
	// A refused item is asked for again after retryFirst, then after twice as
	// long each time, at most every retryMost.
	retryFirst = time.Second
	retryMost  = time.Minute
)

var (
	errSilent = errors.New("the server sends nothing any more")
	errMissed = errors.New("notifications were missed; starting over to have every value again")
)

// subscription is one subscription of a session, from its creation to the first
// thing that is wrong with it.
type subscription struct {
	session *session
	id      uint32
	watch   *watch
	order   *order
	ledger  *ledger
	log     *slog.Logger
	now     func() sample.Time
	limits  limits
	batch   int // items in one call

	silence     time.Duration // without an answer for so long, it is dead
	answers     chan reply    // of publish requests, in the order they came
	outstanding int           // publish requests at the server
	window      int           // how many there should be
	faults      int           // publish requests refused in a row
	starved     int           // so many answers to come may be older than they look
}

// subscribe makes a subscription with its items. It returns, beside it, the bad
// readings of the items that the server refused.
func subscribe(ctx context.Context, s *session, o *Options, w *watch) (*subscription, []record.Body, error) {
	sub := &subscription{session: s, watch: w, order: newOrder(window), log: o.Logger, window: window,
		now: func() sample.Time { return sample.At(o.Now()) }, answers: make(chan reply, 2*window)}
	var err error
	if sub.limits, err = s.askLimits(ctx); err != nil {
		return nil, nil, err
	}
	sub.batch = maxBatch
	if n := sub.limits.monitored; n > 0 {
		sub.batch = min(n, maxBatch)
	}
	if err := sub.create(ctx, o.Publish); err != nil {
		return nil, nil, err
	}
	refused, err := sub.add(ctx, w.refusedItems())
	return sub, refused, err
}

// create makes the subscription and takes over what the server made of our
// wishes.
func (sub *subscription) create(ctx context.Context, publish time.Duration) error {
	alive := keepAlives(sub.watch.items, publish)
	resp, err := ask[*ua.CreateSubscriptionResponse](ctx, sub.session, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: float64(publish) / float64(time.Millisecond),
		RequestedLifetimeCount:      max(3*alive, uint32(subscriptionLifetime/publish)),
		RequestedMaxKeepAliveCount:  alive,
		MaxNotificationsPerPublish:  maxNotifications,
		PublishingEnabled:           true,
	})
	if err != nil {
		return err
	}
	sub.id = resp.SubscriptionID
	sub.watch.publish = milliseconds(resp.RevisedPublishingInterval)
	interval := sub.watch.publish * time.Duration(min(resp.RevisedMaxKeepAliveCount, math.MaxInt16))
	if interval > mostSilence {
		return fmt.Errorf("the server wants %v between two signs of life; want at most %v", interval, mostSilence)
	}
	if sub.watch.publish > publish {
		sub.log.Warn("server publishes more slowly than asked", "asked", publish, "publish", sub.watch.publish)
	}
	sub.silence = max(2*interval, leastSilence) + sub.watch.publish
	return nil
}

// keepAlives is after how many publishing intervals without a change the server
// is to say so: within a second, or sooner for items that are sampled faster,
// since only that ends their silence.
func keepAlives(items []*watched, publish time.Duration) uint32 {
	within := time.Second
	for _, it := range items {
		within = min(within, it.Every)
	}
	return uint32(max(within/publish, 1))
}

// add asks the server to monitor items and returns the bad readings of those
// that it newly refused.
func (sub *subscription) add(ctx context.Context, handles []uint32) ([]record.Body, error) {
	bad := &record.Scan{Source: sub.watch.source}
	note := func(r *sample.Reading) {
		if r != nil {
			bad.Readings = append(bad.Readings, *r)
		}
	}
	var list []*ua.MonitoredItemCreateRequest
	for _, h := range handles {
		it := sub.watch.items[h-1]
		id, ok := it.node.id(sub.limits.namespaces)
		if !ok {
			note(it.refused(StatusNamespace))
			continue
		}
		list = append(list, it.request(h, id))
	}
	at, err := sub.addAll(ctx, list, note)
	if err != nil {
		return nil, err
	}
	sub.slowed(handles)
	if len(bad.Readings) == 0 {
		return nil, nil
	}
	if at == 0 {
		at = sub.now() // the server told no time at all
	}
	bad.Time, bad.Server = at, at
	return []record.Body{bad}, nil
}

// addAll creates items in batches that the server takes. It returns the
// server's clock at the last one.
func (sub *subscription) addAll(ctx context.Context, list []*ua.MonitoredItemCreateRequest, note func(*sample.Reading)) (at sample.Time, err error) {
	for len(list) > 0 {
		part := list[:min(sub.batch, len(list))]
		resp, err := ask[*ua.CreateMonitoredItemsResponse](ctx, sub.session, &ua.CreateMonitoredItemsRequest{
			SubscriptionID: sub.id, TimestampsToReturn: ua.TimestampsToReturnBoth, ItemsToCreate: part})
		if tooMany(err) && sub.batch > 1 {
			sub.batch = (len(part) + 1) / 2
			continue
		}
		if err != nil {
			return at, err
		}
		if len(resp.Results) != len(part) {
			return at, fmt.Errorf("the server answered %d results for %d items", len(resp.Results), len(part))
		}
		at = sample.At(resp.ResponseHeader.Timestamp)
		for i, r := range resp.Results {
			note(sub.watch.created(part[i].RequestedParameters.ClientHandle, r, at))
		}
		list = list[len(part):]
	}
	return at, nil
}

// tooMany says whether a request was refused for its size.
func tooMany(err error) bool {
	return errors.Is(err, ua.StatusBadTooManyOperations) || errors.Is(err, ua.StatusBadRequestTooLarge) ||
		errors.Is(err, ua.StatusBadEncodingLimitsExceeded)
}

// request asks for every value, with both its times.
func (it *watched) request(handle uint32, id *ua.NodeID) *ua.MonitoredItemCreateRequest {
	return &ua.MonitoredItemCreateRequest{
		ItemToMonitor:  value(id),
		MonitoringMode: ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{
			ClientHandle:     handle,
			SamplingInterval: float64(it.Every) / float64(time.Millisecond),
			QueueSize:        it.Queue,
			DiscardOldest:    true,
		},
	}
}

// slowed warns when the server samples items more slowly than asked.
func (sub *subscription) slowed(handles []uint32) {
	n, worst := 0, time.Duration(0)
	for _, h := range handles {
		if it := sub.watch.items[h-1]; it.Every > 0 && it.sampling > it.Every {
			n, worst = n+1, max(worst, it.sampling)
		}
	}
	if n > 0 {
		sub.log.Warn("server samples more slowly than asked", "tags", n, "slowest", worst)
	}
}

// run keeps publish requests at the server and hands every answer, in sequence,
// to put. It returns at the first thing that is wrong, never nil.
func (sub *subscription) run(ctx context.Context, put func(step, []record.Body) error) error {
	silent := time.NewTimer(sub.silence)
	defer silent.Stop()
	wait := retryFirst
	retry := time.NewTimer(wait)
	defer retry.Stop()
	for {
		if err := sub.ask(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case r := <-sub.answers:
			if err := sub.answered(r, put); err != nil {
				return err
			}
		case <-retry.C:
			tried, err := sub.retry(ctx, put)
			if err != nil {
				return err
			}
			if wait = min(2*wait, retryMost); !tried {
				wait = retryFirst
			}
			retry.Reset(wait)
			if !tried {
				continue
			}
		case <-silent.C:
			return fmt.Errorf("%w (for %v)", errSilent, sub.silence)
		}
		// What we did may have taken long, with answers waiting meanwhile: only
		// silence while we listen counts.
		silent.Reset(sub.silence)
	}
}

// ask fills the window with publish requests, which carry what may be
// acknowledged.
func (sub *subscription) ask() error {
	for sub.outstanding < sub.window {
		req := &ua.PublishRequest{}
		for _, seq := range sub.ledger.take(maxAcks) {
			req.SubscriptionAcknowledgements = append(req.SubscriptionAcknowledgements,
				&ua.SubscriptionAcknowledgement{SubscriptionID: sub.id, SequenceNumber: seq})
		}
		req.SetHeader(sub.session.header(2 * window * sub.silence))
		if _, err := sub.session.link.send(req, sub.answers); err != nil {
			return err
		}
		sub.outstanding++
	}
	return nil
}

// answered handles one publish answer.
func (sub *subscription) answered(r reply, put func(step, []record.Body) error) error {
	sub.outstanding--
	resp, err := answered[*ua.PublishResponse](r, &ua.PublishRequest{})
	if err != nil {
		return sub.refused(err)
	}
	sub.faults = 0
	starved := sub.starved > 0
	sub.starved = max(sub.starved-1, 0)
	if len(sub.answers) >= sub.outstanding {
		// All requests are answered, and we come to it only now: the server was
		// without one, and what it sends for those to come may have waited.
		sub.starved = len(sub.answers) + window
	}
	if resp.SubscriptionID != sub.id || resp.NotificationMessage == nil {
		return fmt.Errorf("the server answered for subscription %d, ours is %d", resp.SubscriptionID, sub.id)
	}
	steps, err := sub.order.take(answer{resp, r.at, starved})
	if err != nil {
		return err
	}
	// Ask again before the answer is worked on, so that the server is never
	// without a request for longer than it takes.
	if err := sub.ask(); err != nil {
		return err
	}
	for _, s := range steps {
		if err := sub.step(s, put); err != nil {
			return err
		}
	}
	return nil
}

// step hands over what follows from one answer. After missed notifications
// nobody knows which values have changed: every value is asked for anew.
func (sub *subscription) step(s step, put func(step, []record.Body) error) error {
	in, wrong := sub.watch.inputs(s)
	if err := put(s, in); err != nil {
		return err
	}
	if wrong == nil && s.missed > 0 {
		wrong = errMissed
	}
	return wrong
}

// refused handles a publish request that failed. Most faults are the server's
// answer to one request and not the end of the subscription.
func (sub *subscription) refused(err error) error {
	var code ua.StatusCode
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case ua.StatusBadTooManyPublishRequests:
		if sub.outstanding > 0 {
			sub.window = sub.outstanding
			return nil
		}
		return err
	case ua.StatusBadNoSubscription, ua.StatusBadSubscriptionIDInvalid,
		ua.StatusBadSessionIDInvalid, ua.StatusBadSessionClosed, ua.StatusBadSessionNotActivated,
		ua.StatusBadSecureChannelIDInvalid, ua.StatusBadSecureChannelClosed, ua.StatusBadShutdown:
		return err
	}
	if sub.faults++; sub.faults > maxFaults {
		return err
	}
	return nil
}

// retry asks again for the items that were refused, if there are any, and for
// the namespaces, in case the server has learnt one.
func (sub *subscription) retry(ctx context.Context, put func(step, []record.Body) error) (tried bool, err error) {
	handles := sub.watch.refusedItems()
	if len(handles) == 0 {
		return false, nil
	}
	if err := sub.drop(ctx); err != nil {
		return true, err
	}
	if sub.limits, err = sub.session.askLimits(ctx); err != nil {
		return true, err
	}
	bad, err := sub.add(ctx, handles)
	if err != nil || len(bad) == 0 {
		return true, err
	}
	return true, put(step{answer: answer{at: sub.now()}}, bad)
}

// drop deletes the items whose node was gone.
func (sub *subscription) drop(ctx context.Context) error {
	req := &ua.DeleteMonitoredItemsRequest{SubscriptionID: sub.id}
	for _, it := range sub.watch.items {
		if it.orphan != 0 && len(req.MonitoredItemIDs) < sub.batch {
			req.MonitoredItemIDs = append(req.MonitoredItemIDs, it.orphan)
			it.orphan = 0
		}
	}
	if len(req.MonitoredItemIDs) == 0 {
		return nil
	}
	// The server may have deleted them itself: its results change nothing.
	_, err := ask[*ua.DeleteMonitoredItemsResponse](ctx, sub.session, req)
	return err
}
