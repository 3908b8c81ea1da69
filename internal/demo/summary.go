package demo

import (
	"fmt"
	"slices"
	"time"

	"andon/internal/config"
	"andon/internal/plant"
	"andon/internal/sample"
)

// Summary is what a demonstration comes to (contract, section 2).
type Summary struct {
	Samples         uint64         `json:"samples"`
	Deviations      Events         `json:"deviations"`
	Nonconformances Events         `json:"nonconformances"`
	Gaps            Gaps           `json:"gaps"`
	Alarms          int            `json:"alarms"`
	Lots            int            `json:"lots"`
	Records         Records        `json:"records"`
	Journal         JournalSummary `json:"journal"`
	Latency         Latency        `json:"latency_ms"`
	// Mismatches says in words where the record and the plant's own word on what
	// had to be found differ; empty when they agree to the sample.
	Mismatches []string `json:"mismatches"`
}

// Events counts one kind: expected by the plant's own script, raised by the
// gateway, all revisions receipted, and not.
type Events struct {
	Expected  int `json:"expected"`
	Raised    int `json:"raised"`
	Receipted int `json:"receipted"`
	Pending   int `json:"pending"`
}

// Gaps counts stretches without sight.
type Gaps struct {
	Expected int `json:"expected"`
	Recorded int `json:"recorded"`
}

// Records counts samples on their way to the receiver. Those that the receiver
// has had more than once are duplicated; that is no fault.
type Records struct {
	Sent       uint64 `json:"sent"`
	Received   uint64 `json:"received"`
	Missing    uint64 `json:"missing"`
	Duplicated uint64 `json:"duplicated"`
}

// JournalSummary is the record's end.
type JournalSummary struct {
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Verified bool   `json:"verified"`
}

// OK: everything that had to be found was found, once, and has arrived.
func (s *Summary) OK() bool {
	return len(s.Mismatches) == 0 && s.Deviations.whole() && s.Nonconformances.whole() && s.Gaps.Expected == s.Gaps.Recorded &&
		s.Records.Missing == 0 && s.Records.Received == s.Records.Sent && s.Journal.Verified
}

func (e Events) whole() bool {
	return e.Expected == e.Raised && e.Raised == e.Receipted && e.Pending == 0
}

// judge holds the account against the plant's truth.
func (s *Summary) judge(a *account, truth *plant.Truth, settings *config.Config) {
	s.Alarms, s.Lots = len(a.alarms), len(truth.Lots)
	s.Deviations = count(a, "deviation")
	s.Deviations.Expected = len(truth.Deviations)
	s.Nonconformances = count(a, "nonconformance")
	s.Gaps = Gaps{Expected: len(truth.Gaps), Recorded: len(a.of("gap"))}
	s.Mismatches = append([]string{}, compareDeviations(a.of("deviation"), truth.Deviations)...)
	s.Mismatches = append(s.Mismatches, compareGaps(a.of("gap"), truth.Gaps, settings)...)
}

func count(a *account, kind string) Events {
	var e Events
	for _, ev := range a.of(kind) {
		e.Raised++
		if a.receipted(ev) {
			e.Receipted++
		} else {
			e.Pending++
		}
	}
	return e
}

// compareDeviations pairs each expected excursion with the event that says the
// same to the sample: begin, end, worst value. What is polled is seen when it is
// polled: later, by no more than the plant says.
func compareDeviations(got []*event, want []plant.Deviation) (wrong []string) {
	for _, w := range want {
		i := slices.IndexFunc(got, func(e *event) bool {
			return e.equipment == w.Equipment && e.parameter == w.Parameter && e.rule == w.Rule && seenAt(e.from, w.From, w.Within)
		})
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("not raised: %s %s/%s from %s", w.Equipment, w.Parameter, w.Rule, w.From))
			continue
		}
		if g := got[i]; !seenAt(g.to, w.To, w.Within) || g.worst != w.Worst.Value.String() || !seenAt(g.worstAt, w.Worst.At, w.Within) || !slices.Equal(g.lots, w.Lots) {
			wrong = append(wrong, fmt.Sprintf("%s %s/%s from %s: raised to %s worst %s at %s lots %v, expected to %s worst %s at %s lots %v",
				w.Equipment, w.Parameter, w.Rule, w.From, g.to, g.worst, g.worstAt, g.lots, w.To, w.Worst.Value, w.Worst.At, w.Lots))
		}
		got = slices.Delete(slices.Clone(got), i, i+1)
	}
	for _, g := range got {
		wrong = append(wrong, fmt.Sprintf("raised, not expected: %s %s/%s from %s to %s", g.equipment, g.parameter, g.rule, g.from, g.to))
	}
	return wrong
}

// seenAt says whether something is said to be at an instant, or later by as much
// as is allowed. What has not been yet is 0 on both sides.
func seenAt(got, want sample.Time, within time.Duration) bool {
	return got == want || want != 0 && got > want && got <= want.Add(within)
}

// compareGaps pairs each expected gap with a recorded one: the same tags for the
// same cause, from the last good value until a value at or after the first good
// one.
func compareGaps(got []*event, want []plant.Gap, settings *config.Config) (wrong []string) {
	for _, w := range want {
		tags := slices.Sorted(slices.Values(w.Tags))
		slack := slackOf(settings, &w)
		i := slices.IndexFunc(got, func(e *event) bool {
			return e.equipment == w.Equipment && e.cause == w.Cause && slices.Equal(e.tags, tags) && e.from >= w.From.Add(-slack) && e.from < w.To && e.to >= w.To
		})
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("gap not recorded: %s %v %s from %s to %s", w.Equipment, tags, w.Cause, w.From, w.To))
			continue
		}
		got = slices.Delete(slices.Clone(got), i, i+1)
	}
	for _, g := range got {
		wrong = append(wrong, fmt.Sprintf("gap recorded, not expected: %s %v %s from %s to %s", g.equipment, g.tags, g.cause, g.from, g.to))
	}
	return wrong
}

// slackOf is how much earlier than expected a recorded gap may begin: a tag that
// had not changed is only known up to the last confirmation, and that speaks for
// one sampling interval, the slowest tag's, and one publishing interval before.
func slackOf(settings *config.Config, g *plant.Gap) time.Duration {
	slowest := time.Duration(0)
	for _, e := range settings.Equipment {
		if e.Name != g.Equipment {
			continue
		}
		for _, t := range e.Tags {
			if slices.Contains(g.Tags, t.Name) {
				slowest = max(slowest, t.Every)
			}
		}
	}
	return slowest + publish
}
