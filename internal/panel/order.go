package panel

import (
	"cmp"
	"slices"
)

// Rank is an alarm priority as the digit of its icon: 1 act now, 2 soon, 3
// take notice. A priority of another name is taken for 2.
func Rank(priority string) int {
	switch priority {
	case "critical", "high":
		return 1
	case "low":
		return 3
	}
	return 2
}

// SortAlarms puts what nobody has acknowledged first, whether it still stands
// or not, then the graver, then the newer. What is shelved comes last.
func SortAlarms(list []Alarm) {
	slices.SortStableFunc(list, func(a, b Alarm) int {
		return cmp.Or(
			boolOrder(a.Shelved(), b.Shelved()),
			boolOrder(a.Acked(), b.Acked()),
			cmp.Compare(a.Rank, b.Rank),
			cmp.Compare(b.RaisedAt, a.RaisedAt),
			cmp.Compare(a.ID, b.ID))
	})
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// StateWord says an alarm's state in words.
func StateWord(state string) string {
	switch state {
	case "UNACK":
		return "NOT ACKNOWLEDGED"
	case "ACKED":
		return "acknowledged"
	case "RTNUN":
		return "returned, NOT ACKNOWLEDGED"
	case "LTUNK", "LTACK":
		return "latched"
	case "SHLVD":
		return "shelved"
	case "DSUPR":
		return "suppressed by design"
	case "OOSRV":
		return "out of service"
	}
	return state
}
