package strictyaml

import "strings"

// Nearest is the name most like s, or "" when none is near: at most one edit
// for three letters, two for six, three for more (a swap of two letters counts
// as one), without regard to case, - and _.
func Nearest(s string, names []string) string {
	best, least := "", 1+min(3, (len(s)+2)/3)
	for _, name := range names {
		if d := distance(fold(s), fold(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

func fold(s string) []rune {
	const longest = 64
	r := []rune(strings.ReplaceAll(strings.ToLower(s), "-", "_"))
	return r[:min(len(r), longest)]
}

// distance is the number of letters to insert, remove, change or swap.
func distance(a, b []rune) int {
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
