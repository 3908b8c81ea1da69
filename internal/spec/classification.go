package spec

import (
	"slices"
	"time"
)

// classes are the names that a class may have, from the least.
var classes = []string{Signal, Minor, Major, Critical}

// Classification says when an event is worse than its rule says. nil: never.
type Classification struct {
	EscalateToCritical []string // expressions as written; one that is true is enough

	programs []*program
}

// ClassFacts are what a classification may ask about an event.
type ClassFacts struct {
	ProductExposed bool // unknown product counts as exposed
	SpecialProcess bool // of the equipment
	OutsideFor     time.Duration
	// OutsideParFor is the time outside par; 0 for a parameter without one.
	OutsideParFor time.Duration
	Class         string // of the rule: Minor, ...
}

// factsLanguage is what an expression of a classification may say. Numbers are
// durations, as 5min.
func factsLanguage() language {
	return language{want: aTruth, spans: true, names: map[string]variable{
		"product_exposed": {0, aTruth}, "special_process": {1, aTruth},
		"outside_for": {2, aNumber}, "outside_par_for": {3, aNumber},
		"class": {4, aClass},
	}}
}

// Critical reports whether an event of these facts is critical whatever its
// rule says. It is never the other way round: nothing is lowered (quality.md
// Q32).
func (c *Classification) Critical(f ClassFacts) bool {
	if c == nil {
		return false
	}
	facts := [...]float64{
		truth(f.ProductExposed), truth(f.SpecialProcess),
		f.OutsideFor.Seconds(), f.OutsideParFor.Seconds(),
		float64(slices.Index(classes, f.Class)),
	}
	for _, p := range c.programs {
		if p.run(facts[:]) == 1 {
			return true
		}
	}
	return false
}
