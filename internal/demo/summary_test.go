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
