package spc

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFalseAlarms follows each chart through normal noise, with fixed seeds,
// until it cries, many times over. The average run length must be what docs/spc.md
// tells quality: published are 91.75 for we1 to we4 (Champ and Woodall 1987),
// 1/0.0027 for n1, 168 and 465 for the CUSUM and 430 with a head start (Lucas and
// Crosier 1982). An EWMA has 369 with steady limits and less with its own, which
// are narrower at the start.
func TestFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("some million points")
	}
	for _, tc := range []struct {
		name string
		c    Chart
		want float64
	}{
		{"n1", Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "n1")}, 370.4},
		{"western-electric", Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "western-electric")}, 91.75},
		{"n1,n2", Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "n1,n2")}, 218},
		{"nelson", Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "nelson")}, 74},
		{"aiag", Chart{Kind: KindIndividuals, Sigma: 1, Rules: mustRules(t, "aiag")}, 54},
		{"ewma 0.2", Chart{Kind: KindEWMA, Sigma: 1, Lambda: 0.2, L: 2.86}, 365},
		{"ewma 0.1", Chart{Kind: KindEWMA, Sigma: 1, Lambda: 0.1, L: 2.7}, 356},
		{"cusum 4", Chart{Kind: KindCUSUM, Sigma: 1, K: 0.5, H: 4}, 168},
		{"cusum 5", Chart{Kind: KindCUSUM, Sigma: 1, K: 0.5, H: 5}, 465},
		{"cusum 5 fir", Chart{Kind: KindCUSUM, Sigma: 1, K: 0.5, H: 5, Head: 0.5}, 430},
	} {
		const runs = 2000
		noise := rand.New(rand.NewPCG(1, 7870))
		points := 0
		for range runs {
			var st State
			for points++; tc.c.Step(&st, noise.NormFloat64()) == ""; points++ {
			}
		}
		got := float64(points) / runs
		if math.Abs(got/tc.want-1) > 0.05 {
			t.Errorf("%s: a false signal every %v points, want %v", tc.name, got, tc.want)
		}
	}
}
