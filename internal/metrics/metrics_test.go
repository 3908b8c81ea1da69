package metrics

import (
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var at = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

var screensOpen = 3

// full has something for every metric there is.
func full() Facts {
	return Facts{
		Known: true, Recording: true, Progress: at, Commits: 7, Samples: 700, Bytes: 1 << 20, Quota: 8 << 30, Gaps: 1, Shelved: 2, Screens: &screensOpen,
		Sources: []Source{{Name: "plc", Up: true, Reconnects: 2, LastGood: at, Skew: -time.Second}},
		Alarms:  map[Alarm]int{{"high", "UNACK"}: 2},
		Events:  map[Event]int{{"deviation", "major"}: 1},
		Lanes:   []Lane{{Name: "quality", Raised: 9, Receipted: 6, Pending: 2, Rejected: 1, Oldest: at}},
		Broker:  &Broker{Connected: true, Sent: 5, SentAgain: 2, Receipts: map[string]uint64{"accepted": 3}, LastReceipt: at},
		Clock:   Clock{Known: true, Synced: true, Offset: time.Millisecond},
		Specs:   []Spec{{ID: "HT", Revision: "A", SHA256: "ab", Effective: at}},

		Certificates: []Certificate{{Name: "opcua", NotAfter: at}},
	}
}

// filled is a meter on which everything has happened once.
func filled(t *testing.T, facts func() Facts) *Meter {
	t.Helper()
	m, err := New("v1", facts)
	if err != nil {
		t.Fatal(err)
	}
	m.Samples("plc", "good", 3)
	m.Loss("plc")
	m.Transition("high", "UNACK")
	m.Acknowledged("high", 20*time.Second)
	m.Commit(3 * time.Millisecond)
	m.CommitFailed()
	m.Durable(time.Millisecond)
	m.Receipt(time.Second)
	m.Evaluated(20 * time.Microsecond)
	return m
}

func scrape(t *testing.T, m *Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("scrape: %d, %v\n%s", w.Code, err, b)
	}
	return string(b)
}

// TestLint holds the names of ours against the rules of prometheus.io.
func TestLint(t *testing.T) {
	var ours strings.Builder
	for line := range strings.Lines(scrape(t, filled(t, full))) {
		if strings.Contains(line, namespace+"_") {
			ours.WriteString(line)
		}
	}
	problems, err := promlint.New(strings.NewReader(ours.String())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestValues: each fact comes out under its name, with its labels.
func TestValues(t *testing.T) {
	got := scrape(t, filled(t, full))
	for _, want := range []string{
		`andon_build_info{goversion="go1.`,
		"andon_recording 1\n",
		"andon_watchdog_last_progress_timestamp_seconds 1.7723448e+09\n",
		`andon_source_up{source="plc"} 1`,
		`andon_source_reconnects_total{source="plc"} 2`,
		`andon_source_last_good_timestamp_seconds{source="plc"} 1.7723448e+09`,
		`andon_source_clock_skew_seconds{source="plc"} -1`,
		`andon_samples_total{quality="good",source="plc"} 3`,
		`andon_alarms_active{priority="high",state="UNACK"} 2`,
		"andon_shelved_alarms 2\n", "andon_hmi_clients 3\n", `andon_eval_duration_seconds_bucket{le="2.5e-05"} 1`,
		`andon_deviations_open{class="major",kind="deviation"} 1`,
		`andon_buffer_records{lane="quality"} 2`,
		`andon_buffer_oldest_timestamp_seconds{lane="quality"} 1.7723448e+09`,
		`andon_outbox_rejected{lane="quality"} 1`,
		`andon_publish_sent_total{again="no"} 3`,
		`andon_publish_sent_total{again="yes"} 2`,
		`andon_receipts_total{result="accepted"} 3`,
		"andon_clock_offset_seconds 0.001\n",
		`andon_spec_info{hash="ab",id="HT",revision="A"} 1`,
		`andon_cert_not_after_timestamp_seconds{certificate="opcua"} 1.7723448e+09`,
		`andon_buffer_commit_seconds_bucket{le="0.005"} 1`,
		`andon_deviation_receipt_lag_seconds_count 1`,
		`andon_alarm_ack_seconds_sum{priority="high"} 20`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestNames: the list that dashboards are held against is exactly what a full
// scrape gives.
func TestNames(t *testing.T) {
	var got []string
	for line := range strings.Lines(scrape(t, filled(t, full))) {
		name, _, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		if strings.HasPrefix(name, namespace+"_") && !slices.Contains(got, name) {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if want := Names(); !slices.Equal(got, want) {
		t.Errorf("a scrape has\n%q\nNames are\n%q", got, want)
	}
}

// TestUnknownIsAbsent: what is not known is not exported as zero.
func TestUnknownIsAbsent(t *testing.T) {
	got := scrape(t, filled(t, func() Facts { return Facts{} }))
	for _, name := range []string{"recording", "broker_connected", "gaps_open", "clock_offset_seconds", "watchdog_last_progress_timestamp_seconds"} {
		if strings.Contains(got, "\nandon_"+name) {
			t.Errorf("%s is exported although nothing is known", name)
		}
	}
	f := full()
	f.Lanes[0].Oldest, f.Broker, f.Screens = time.Time{}, nil, nil
	f.Clock.Synced = false
	got = scrape(t, filled(t, func() Facts { return f }))
	for _, name := range []string{"clock_offset_seconds", "clock_uncertainty_seconds", "buffer_oldest_timestamp_seconds", "broker_connected", "publish_total", "hmi_clients"} {
		if strings.Contains(got, "\nandon_"+name) {
			t.Errorf("%s is exported although there is none", name)
		}
	}
	if !strings.Contains(got, "andon_recording 1\n") {
		t.Error("recording is not exported although it is known")
	}
}
