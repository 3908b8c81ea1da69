package demo

import (
	"testing"
	"time"

	"andon/internal/config"
	"andon/internal/plant"
	"andon/internal/sample"
)

// A gap may begin as much earlier than the last good value as the slowest of its
// own tags is asked for, and no more.
func TestCompareGaps(t *testing.T) {
	settings := &config.Config{Equipment: []config.Equipment{
		{Name: "furn-03", Tags: []config.Tag{{Name: "lot", Every: 2 * time.Second}, {Name: "tc1", Every: 500 * time.Millisecond}}},
		{Name: "furn-04", Tags: []config.Tag{{Name: "lot", Every: time.Minute}}}}}
	from := sample.At(time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC))
	to := from.Add(3 * time.Second)
	for _, c := range []struct {
		name  string
		tags  []string
		early time.Duration
		late  time.Duration
		wrong int
	}{
		{"to the sample", []string{"lot", "tc1"}, 0, 0, 0},
		{"the slow tag's last confirmation", []string{"lot", "tc1"}, 2 * time.Second, 0, 0},
		{"before that", []string{"lot", "tc1"}, 2*time.Second + publish + 1, 0, 2},
		{"a fast tag's last confirmation", []string{"tc1"}, 500 * time.Millisecond, 0, 0},
		{"a fast tag, before that", []string{"tc1"}, time.Second, 0, 2},
		{"ended too early", []string{"tc1"}, 0, -1, 2},
		{"begun too late", []string{"tc1"}, -3 * time.Second, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := &event{equipment: "furn-03", cause: "link", tags: c.tags, from: from.Add(-c.early), to: to.Add(c.late)}
			want := plant.Gap{Equipment: "furn-03", Cause: "link", Tags: c.tags, From: from, To: to}
			if wrong := compareGaps([]*event{got}, []plant.Gap{want}, settings); len(wrong) != c.wrong {
				t.Errorf("got %q, want %d differences", wrong, c.wrong)
			}
		})
	}
}

// What is polled may be seen later by as much as the plant says, never earlier;
// what is told with its source time must be exact.
func TestCompareDeviations(t *testing.T) {
	from := sample.At(time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC))
	to := from.Add(2 * time.Second)
	const within = 500 * time.Millisecond
	for _, c := range []struct {
		name            string
		within          time.Duration
		from, to, worst time.Duration // later than the truth says
		open            bool          // recorded without an end
		value           string
		wrong           int
	}{
		{"exact", 0, 0, 0, 0, false, "230", 0},
		{"a poll later", within, 200 * time.Millisecond, 100 * time.Millisecond, within, false, "230", 0},
		{"later, where it is not polled", 0, 0, 1, 0, false, "230", 1},
		{"begun too late", within, within + 1, 0, 0, false, "230", 2},
		{"begun too early", within, -1, 0, 0, false, "230", 2},
		{"ended too late", within, 0, within + 1, 0, false, "230", 1},
		{"not ended", within, 0, 0, 0, true, "230", 1},
		{"worst too late", within, 0, 0, within + 1, false, "230", 1},
		{"another worst value", within, 0, 0, 0, false, "229", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := &event{equipment: "press-1", parameter: "press_force", rule: "over", from: from.Add(c.from), to: to.Add(c.to), worst: c.value, worstAt: from.Add(c.worst), lots: []string{"L"}}
			if c.open {
				got.to = 0
			}
			want := plant.Deviation{Equipment: "press-1", Parameter: "press_force", Rule: "over", From: from, To: to, Lots: []string{"L"}, Within: c.within,
				Worst: plant.Worst{Value: sample.FloatValue(230), At: from, Tag: "force"}}
			if wrong := compareDeviations([]*event{got}, []plant.Deviation{want}); len(wrong) != c.wrong {
				t.Errorf("got %q, want %d differences", wrong, c.wrong)
			}
		})
	}
}
