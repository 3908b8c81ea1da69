package ucum_test

import (
	"strings"
	"testing"

	"andon/internal/ucum"
)

func TestUnits(t *testing.T) {
	for _, u := range strings.Fields(`1 % Cel [degF] K kN N.m N/mm2 m3/h L/min /min bar bar{gauge} mbar Pa kPa MPa hPa um nm mm m/s m/s2 kg kg/m3 g mg
		t s ms min h d Hz kHz rad deg deg/s A mA V mV kV W kW kW.h` + " V.A J kJ Ohm MOhm S/m uS/cm lx lm/W [pH] [ppm] mm[Hg] [in_i] [in_i]/s [psi] [degF]/min" + `
		{parts} {parts}/h 10*6/L 10^3 (kg.m)/s2 m2 m-1 s-2 dB[SPL] cm[H2O] [in_i'Hg] [lbf_av].[in_i] [gal_us]/min Mibit By 4.[pi].10*-7.N/A2 mol/L l dL rad/s bar.L/s /h kat mPa.s cSt St 100.m mm/m`) {
		cause, cure := ucum.Check(u)
		if cause != "" {
			t.Errorf("%s: %s (%s)", u, cause, cure)
		}
	}
}

func TestNotUnits(t *testing.T) {
	tests := []struct{ unit, cure string }{
		{"", `write "1" for a plain number`},
		{"°C", `write "Cel"`}, {"degC", `write "Cel"`}, {"degF", `write "[degF]"`}, {"µm", `write "um"`}, {"rpm", `write "/min"`},
		{"psi", `write "[psi]"`}, {"MPA", `write "MPa"`}, {"N·m", `write "N.m"`}, {"Nm", `write "N.m"`}, {"kWh", `write "kW.h"`}, {"ft", `write "[ft_i]"`}, {"ohm", `write "Ohm"`},
		{"bananas", `"bananas" is no unit; a count or a name of your own stands in braces: {bananas}`},
		{"m/parts", `"parts" is no unit; a count or a name of your own stands in braces: {parts}`},
		{"kbar.kmin", `"kmin" is no unit; a count or a name of your own stands in braces: {kmin}`},
		{"m s", "UCUM units are plain letters without spaces: Cel, [degF], um, m3/h, N.m"},
		{"m//s", "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
		{"m^2", "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
		{"(m", "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
		{"m/", "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
		{"m0", "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
		{strings.Repeat("(", 50) + "m" + strings.Repeat(")", 50), "join units by . and /, write powers as digits and notes in {}: N.m, kg/m2, bar{gauge}"},
	}
	for _, tt := range tests {
		cause, cure := ucum.Check(tt.unit)
		if cause == "" || cure != tt.cure {
			t.Errorf("%q: got %q, cure %q, want a cause and the cure %q", tt.unit, cause, cure, tt.cure)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"m/s2", "°C", "[in_i'Hg]", "10*3{a}/(b)", "((("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cause, cure := ucum.Check(s)
		if (cause == "") != (cure == "") {
			t.Errorf("%q: cause %q, cure %q", s, cause, cure)
		}
		if cause == "" && (s == "" || strings.ContainsAny(s, " \t\n")) {
			t.Errorf("%q is taken for a unit", s)
		}
	})
}
