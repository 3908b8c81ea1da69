package sample

import (
	"fmt"
	"time"
)

// Time is an instant as nanoseconds since 1970-01-01T00:00:00 UTC. It is a
// plain number so that states compare with == and encode to the same bytes on
// every machine; zero means "not known".
//
// A Time does not say whose clock it is. Names do: source time (the PLC's) or
// arrival (the gateway's).
type Time int64

// At returns t as a Time. An instant outside the years 1678 to 2261, and the
// zero time.Time, is not representable and becomes 0, "not known".
func At(t time.Time) Time {
	if y := t.Year(); t.IsZero() || y < 1678 || y > 2261 {
		return 0
	}
	return Time(t.UnixNano())
}

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.Unix(0, int64(t)).UTC() }

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// String is RFC 3339 in UTC with at least milliseconds, and as many digits
// more as the instant has; "" when not known.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return string(t.append(nil))
}

func (t Time) append(b []byte) []byte {
	layout := "2006-01-02T15:04:05.000Z"
	switch ns := int64(t) % 1e6; {
	case ns == 0:
	case ns%1e3 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	default:
		layout = "2006-01-02T15:04:05.000000000Z"
	}
	return t.Std().AppendFormat(b, layout)
}

// MarshalJSON writes the RFC 3339 text, or null when not known.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	b := append(make([]byte, 0, 34), '"')
	return append(t.append(b), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, and any other RFC 3339 text.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	var std time.Time
	if err := std.UnmarshalJSON(b); err != nil {
		return err
	}
	*t = At(std)
	if *t == 0 {
		return fmt.Errorf("time %s is outside the years 1678 to 2261", b)
	}
	return nil
}
