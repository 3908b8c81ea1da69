package simulator

import (
	"math/rand/v2"
	"slices"
	"time"

	"andon/internal/record"
	"andon/internal/sample"
)

// mode is what a source's connection is doing.
type mode int

const (
	up      mode = iota
	cut          // the link is gone and nobody has noticed
	down         // being connected again
	stalled      // connected; the source samples nothing and says nothing
	away         // there is no gateway to connect to
)

// source is one source and its connection: it reads the plant and hands the
// gateway what a well-behaved driver would. It never lies; what it knows to be
// lost it says.
type source struct {
	w    *world
	r    *rand.Rand
	no   int
	mode mode
	next sample.Time // when it does something next, our clock

	shown sample.Time // by its clock, last

	tags []*sampler
}

// sampler is the source's view of one tag.
type sampler struct {
	tag      sample.Tag
	all      []point
	next     int   // first point not yet sampled
	held     point // the last one sampled
	reported point // the last one that this connection reported
}

func newSource(w *world, no int) *source {
	s := &source{w: w, r: dice(w.plan.Seed, 200+uint64(no)), no: no, mode: away}
	for t := range w.plan.Tags {
		if w.plan.Tags[t].Source == no {
			s.tags = append(s.tags, &sampler{tag: sample.Tag(t), all: series(w.plan, t)})
		}
	}
	return s
}

func (s *source) plan() *Source { return &s.w.plan.Sources[s.no] }

// wild says whether things may go wrong.
func (s *source) wild() bool { return s.w.now > start.Add(10*time.Second) && s.w.now < s.w.plan.Calm }

// connect begins a connection some time from now.
func (s *source) connect() {
	s.mode, s.next = down, s.w.now.Add(between(s.r, 20*time.Millisecond, 3*time.Second))
}

// step does what is due.
func (s *source) step() {
	switch s.mode {
	case up:
		s.publish()
		s.misfortune()
	case cut:
		s.w.gw.take(&record.Loss{Source: s.plan().Name, Cause: "link", Detail: "no answer"})
		s.mode, s.next = down, s.w.now.Add(between(s.r, 50*time.Millisecond, 8*time.Second))
	case down:
		s.resume()
	case stalled:
		s.sampled(s.clock(), true)
		s.mode, s.next = up, s.w.now.Add(between(s.r, 10*time.Millisecond, s.plan().Publish))
	case away:
	}
}

// clock is what the source's clock shows: some milliseconds ago, since what it
// says has been on its way.
func (s *source) clock() sample.Time {
	s.shown = max(s.shown, s.w.now.Add(s.plan().Offset-between(s.r, time.Millisecond, 20*time.Millisecond)))
	return s.shown
}

// misfortune decides how the connection goes on after a publish.
func (s *source) misfortune() {
	s.next = s.w.now.Add(s.plan().Publish + between(s.r, -9*time.Millisecond, 9*time.Millisecond))
	if !s.wild() {
		return
	}
	switch s.r.IntN(120) {
	case 0:
		s.mode, s.next = cut, s.w.now.Add(between(s.r, 100*time.Millisecond, 10*time.Second))
	case 1:
		s.mode, s.next = stalled, s.w.now.Add(between(s.r, time.Second, 12*time.Second))
	}
}

// sampled moves all tags on to t and returns what they were in between, in the
// order of tags; lost: nobody looked.
func (s *source) sampled(t sample.Time, lost bool) [][]point {
	fresh := make([][]point, len(s.tags))
	for i, k := range s.tags {
		for ; k.next < len(k.all) && k.all[k.next].T <= t; k.next++ {
			if lost {
				continue
			}
			k.held = k.all[k.next]
			if s.plan().OnChange && k.held.same(k.reported) && k.reported.T != 0 {
				continue
			}
			k.reported = k.held
			fresh[i] = append(fresh[i], k.held)
		}
	}
	return fresh
}

// publish hands over what has been sampled since the last time, and the word
// that nothing else has changed.
func (s *source) publish() {
	t := s.clock()
	fresh := s.sampled(t, false)
	s.overflow(fresh)
	scans := s.scans(fresh, t, 0)
	for _, sc := range scans {
		s.w.gw.take(sc)
	}
	if len(scans) > 0 && s.wild() && odds(s.r, 40) {
		again := *scans[len(scans)-1] // the answer came twice
		s.w.gw.take(&again)
	}
	if s.plan().Confirms {
		s.w.gw.take(&record.Confirm{Source: s.plan().Name, Time: t})
	}
}

// overflow loses the oldest samples of one tag, and says so.
func (s *source) overflow(fresh [][]point) {
	if !s.wild() || !odds(s.r, 60) {
		return
	}
	i := s.r.IntN(len(fresh))
	if len(fresh[i]) < 2 {
		return
	}
	fresh[i] = fresh[i][1+s.r.IntN(len(fresh[i])-1):]
	s.w.gw.take(&record.Loss{Source: s.plan().Name, Tags: []sample.Tag{s.tags[i].tag}, Cause: "overflow"})
}

// scans makes one scan of each source time, in order of time.
func (s *source) scans(points [][]point, server, asOf sample.Time) []*record.Scan {
	var list []*record.Scan
	for i, k := range s.tags {
		for _, p := range points[i] {
			j, found := slices.BinarySearchFunc(list, p.T, func(sc *record.Scan, t sample.Time) int { return int(sc.Time - t) })
			if !found {
				sc := &record.Scan{Source: s.plan().Name, Time: p.T, AsOf: asOf}
				if s.plan().Tells {
					sc.Server = server
				}
				list = slices.Insert(list, j, sc)
			}
			list[j].Readings = append(list[j].Readings, sample.Reading{Tag: k.tag, Value: p.V, Quality: p.Q, Status: p.Status})
		}
	}
	return list
}

// resume connects again: what was sampled in between is lost, what each tag
// holds now is told, as of now.
func (s *source) resume() {
	t := s.clock()
	for _, k := range s.tags {
		k.reported = point{}
	}
	s.sampled(t, false)
	held := make([][]point, len(s.tags))
	for i, k := range s.tags {
		if k.held.T != 0 {
			held[i] = []point{k.held}
			k.reported = k.held
		}
	}
	s.mode, s.next = up, s.w.now.Add(between(s.r, 10*time.Millisecond, s.plan().Publish))
	for _, sc := range s.scans(held, t, t) {
		s.w.gw.take(sc)
	}
}
