package opcua

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"

	"andon/internal/record"
	"andon/internal/sample"
)

// Causes of a Loss.
const (
	CauseLink     = "link"     // the connection, session or subscription was gone
	CauseMissed   = "missed"   // a notification did not come
	CauseOverflow = "overflow" // the server's queue was too short
)

// watched is one item in one subscription.
type watched struct {
	*item
	id       uint32        // the server's number of it; 0 when it is not monitored
	sampling time.Duration // as revised by the server; 0 = on change
	// since is the instant, by the server's clock, at which the server took it
	// on: a first value with an older source time was held then.
	since  sample.Time
	seen   bool   // a value has come
	status string // why it is not monitored
	orphan uint32 // its number at the server while its node was gone; to be deleted
}

func (it *watched) monitored() bool { return it.id != 0 }

// watch turns the publish answers of one subscription into inputs. The client
// handle of an item is its index + 1.
type watch struct {
	source  string
	items   []*watched
	publish time.Duration // revised
	// confirms are the confirmations that the items' state allows, made anew
	// when stale.
	confirms []confirmable
	stale    bool
}

// confirmable is one sampling interval and the tags it does not speak for.
type confirmable struct {
	sampling time.Duration
	except   []sample.Tag
}

func newWatch(source string, items []*item) *watch {
	w := &watch{source: source, stale: true}
	for _, it := range items {
		w.items = append(w.items, &watched{item: it})
	}
	return w
}

// inputs are what follows from one publish answer, in order: what was lost,
// the samples by source time, what is confirmed. With an error, what came
// before it is there and the subscription is of no use any more.
func (w *watch) inputs(s step) ([]record.Body, error) {
	msg := s.resp.NotificationMessage
	var in []record.Body
	if s.missed > 0 {
		in = append(in, &record.Loss{Source: w.source, Cause: CauseMissed,
			Detail: fmt.Sprintf("%d notifications before number %d did not come", s.missed, msg.SequenceNumber)})
	}
	for _, data := range msg.NotificationData {
		all, err := w.notification(data, s.answer)
		if err != nil {
			return in, err
		}
		in = append(in, w.scans(all, s.published())...)
	}
	// More notifications wait at the server: what is not in this one may have
	// changed. After missed ones, a value may have changed and we do not know it.
	if !s.late && s.missed == 0 && !s.resp.MoreNotifications {
		in = append(in, w.confirm(s.published())...)
	}
	return in, nil
}

// got is one value of one item.
type got struct {
	reading  sample.Reading
	time     sample.Time // source time
	asOf     sample.Time // set for a held value
	order    sample.Time // the instant it is put in order by
	overflow bool
}

// notification reads one part of a notification message.
func (w *watch) notification(data *ua.ExtensionObject, a answer) ([]got, error) {
	switch n := data.Value.(type) {
	case *ua.DataChangeNotification:
		return w.changes(n.MonitoredItems, a)
	case *ua.StatusChangeNotification:
		return nil, fmt.Errorf("the server ended the subscription: %s", statusName(n.Status))
	case *ua.EventNotificationList:
		return nil, nil // nothing of ours: we ask for no events
	}
	return nil, fmt.Errorf("the server sent a notification of an unknown kind: %v", data.TypeID)
}

// changes reads the values of one notification, in the order of the server's
// queues.
func (w *watch) changes(list []*ua.MonitoredItemNotification, a answer) ([]got, error) {
	all := make([]got, 0, len(list))
	for _, n := range list {
		if n.ClientHandle < 1 || int(n.ClientHandle) > len(w.items) {
			return nil, fmt.Errorf("the server sent a value for item %d, which we never asked for", n.ClientHandle)
		}
		it := w.items[n.ClientHandle-1]
		g := got{reading: it.reading(n.Value), overflow: overflowed(n.Value.Status)}
		g.time = instant(n.Value, a.clock())
		if !it.seen {
			g.asOf = it.held(g.time, n.Value.Status, a.published())
			w.stale = w.stale || it.seen
		}
		if why := n.Value.Status & meaningMask; why == ua.StatusBadNodeIDUnknown || why == ua.StatusBadNodeIDInvalid {
			it.gone(statusName(why))
			w.stale = true
		}
		all = append(all, g)
	}
	inOrder(all)
	return all, nil
}

// instant is the time of a value: its source time, else the server's, else that
// of the answer (the reading is bad then).
func instant(v *ua.DataValue, clock sample.Time) sample.Time {
	if t := sample.At(v.SourceTimestamp); t != 0 {
		return t
	}
	if t := sample.At(v.ServerTimestamp); t != 0 {
		return t
	}
	return clock
}

// held returns the instant as of which a first value is judged, 0 if that is
// its own source time. The value was there when the server took the item on;
// later than that is not certain, since it may have changed before the answer
// went out.
func (it *watched) held(t sample.Time, status ua.StatusCode, published sample.Time) sample.Time {
	if status&meaningMask == ua.StatusBadWaitingForInitialData {
		// Not a value yet. The real one comes later and was held then.
		it.since = max(it.since, published)
		return 0
	}
	it.seen = true
	since := it.since
	if published != 0 && (since == 0 || since > published) {
		since = published
	}
	if t < since {
		return since
	}
	return 0
}

// inOrder sorts by time, but never changes the order of two values of one tag:
// when its clock steps back, the server's queue is the truth.
func inOrder(all []got) {
	last := make(map[sample.Tag]sample.Time, len(all))
	for i := range all {
		g := &all[i]
		g.order = max(g.time, g.asOf, last[g.reading.Tag])
		last[g.reading.Tag] = g.order
	}
	slices.SortStableFunc(all, func(a, b got) int { return cmp.Compare(a.order, b.order) })
}

// scans groups values of the same time into scans, with a Loss before each that
// holds a value in front of which the queue overflowed.
func (w *watch) scans(all []got, published sample.Time) []record.Body {
	var in []record.Body
	for len(all) > 0 {
		n, lost := group(all)
		scan := &record.Scan{Source: w.source, Time: all[0].time, AsOf: all[0].asOf, Server: published,
			Readings: make([]sample.Reading, 0, n)}
		for _, g := range all[:n] {
			scan.Readings = append(scan.Readings, g.reading)
		}
		if len(lost) > 0 {
			in = append(in, &record.Loss{Source: w.source, Tags: lost, Cause: CauseOverflow,
				Detail: "the server's queue was full; the oldest values were dropped"})
		}
		in = append(in, scan)
		all = all[n:]
	}
	return in
}

// group returns how many values at the front make one scan (one time, each tag
// once) and the tags of those that follow an overflow.
func group(all []got) (n int, lost []sample.Tag) {
	tags := make(map[sample.Tag]bool)
	for _, g := range all {
		if g.time != all[0].time || g.asOf != all[0].asOf || tags[g.reading.Tag] {
			break
		}
		tags[g.reading.Tag] = true
		if g.overflow {
			lost = append(lost, g.reading.Tag)
		}
		n++
	}
	return n, lost
}

// confirm makes the confirmations of an answer that was published at t and left
// nothing behind. An item that is sampled every d was last sampled after t - d:
// that is as far as the server's word goes. Items with different intervals get
// confirmations of their own, the slowest first.
func (w *watch) confirm(t sample.Time) []record.Body {
	if t == 0 {
		return nil
	}
	if w.stale {
		w.confirms, w.stale = w.confirmables(), false
	}
	var in []record.Body
	for _, c := range w.confirms {
		in = append(in, &record.Confirm{Source: w.source, Time: t.Add(-c.sampling), Except: c.except})
	}
	return in
}

// confirmables groups the items by their sampling interval. Each group speaks
// for the items that are sampled as often or more often.
func (w *watch) confirmables() []confirmable {
	every := make(map[time.Duration]bool)
	for _, it := range w.items {
		if it.monitored() && it.seen {
			every[it.sampling] = true
		}
	}
	var list []confirmable
	for d := range every {
		c := confirmable{sampling: d}
		for _, it := range w.items {
			if !it.monitored() || !it.seen || it.sampling > d {
				c.except = append(c.except, it.Tag)
			}
		}
		slices.Sort(c.except)
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b confirmable) int { return cmp.Compare(b.sampling, a.sampling) })
	return list
}

// created notes the server's answer to the wish to monitor an item, at the
// instant at by its clock. It returns the bad reading that a refusal is; nil
// when there is nothing new to say.
func (w *watch) created(handle uint32, r *ua.MonitoredItemCreateResult, at sample.Time) *sample.Reading {
	it := w.items[handle-1]
	w.stale = true
	if r.StatusCode&severityMask != severityGood || r.MonitoredItemID == 0 {
		return it.refused(statusName(r.StatusCode))
	}
	it.id, it.since, it.seen, it.status = r.MonitoredItemID, at, false, ""
	it.sampling = w.revised(r.RevisedSamplingInterval)
	return nil
}

// revised reads a sampling interval; a negative one means the publishing interval.
func (w *watch) revised(ms float64) time.Duration {
	if !(ms >= 0) {
		return w.publish
	}
	return milliseconds(ms)
}

// refused notes why an item is not monitored.
func (it *watched) refused(status string) *sample.Reading {
	it.id, it.seen = 0, false
	if it.status == status {
		return nil
	}
	it.status = status
	return &sample.Reading{Tag: it.Tag, Quality: sample.Bad, Status: status}
}

// gone notes that the server has lost the node: the item would stay bad for
// ever, and is asked for anew until the node is back.
func (it *watched) gone(status string) {
	if it.id != 0 {
		it.orphan = it.id
	}
	it.id, it.seen, it.status = 0, false, status
}

// refusedItems are the handles of the items that are not monitored.
func (w *watch) refusedItems() []uint32 {
	var list []uint32
	for i, it := range w.items {
		if !it.monitored() {
			list = append(list, uint32(i+1))
		}
	}
	return list
}

// milliseconds reads a duration on the wire. What is not a number or beyond an
// hour is taken as an hour.
func milliseconds(ms float64) time.Duration {
	const most = float64(time.Hour / time.Millisecond)
	if !(ms <= most) {
		ms = most
	}
	return time.Duration(max(ms, 0) * float64(time.Millisecond))
}
