package plant

import "time"

// The limits of the specification HT-DEMO, in the unit of each parameter.
const (
	tempLSL       = 875.0 // [degF], in soak
	tempUSL       = 895.0 // [degF], always
	tempTarget    = 885.0 // [degF]
	tempDeadband  = 2.0   // [degF]
	quenchUSL     = 15.0  // s
	quenchDead    = 0.5   // s
	releasedID    = "R-885@4"
	wrongID       = "R-850@2"
	offDelaySteps = 1.5 // so that it never ends at the instant of a sample
)

// Limit is one rule as the truth knows it.
type Limit struct {
	Parameter string
	Rule      string
	Tags      []string // any of them out is out
	Phases    []string // judged in these; nil: always
	High, Low *float64 // a value equal to a limit is in; both: a band
	Equals    string   // the value wanted, of a text
	Deadband  float64
	OffDelay  time.Duration
}

// Limits are the rules of HT-DEMO for a plant with this step.
func Limits(step time.Duration) []Limit {
	off := time.Duration(offDelaySteps * float64(step))
	num := func(v float64) *float64 { return &v }
	return []Limit{
		{Parameter: "load_temp", Rule: "over", Tags: thermocouples(), High: num(tempUSL), Deadband: tempDeadband, OffDelay: off},
		{Parameter: "load_temp", Rule: "under", Tags: thermocouples(), Phases: []string{Soak.String()}, Low: num(tempLSL), Deadband: tempDeadband, OffDelay: off},
		{Parameter: "quench_delay", Rule: "late", Tags: []string{tagQuench}, Phases: []string{Quench.String()}, High: num(quenchUSL), Deadband: quenchDead, OffDelay: off},
		{Parameter: "recipe", Rule: "released", Tags: []string{tagRecipe}, Phases: []string{Heat.String(), Soak.String()}, Equals: releasedID, OffDelay: off},
	}
}
