package ucum

import "strings"

// prefixes of metric atoms (UCUM tables 1 and 3: decimal and binary).
const prefixes = `Y Z E P T G M k h da d c m u n p f a z y Ki Mi Gi Ti`

// metric are the atoms that take a prefix.
const metric = `m s g rad K C cd
mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv
l L ar t bar u eV pc
Ky Gal dyn erg P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD REM
B Np B[SPL] B[V] B[mV] B[uV] B[W] B[kW] bit_s bit By Bd
eq osm kat U [iU] cal_[15] cal_[20] cal_m cal_IT cal_th cal [Cal]
tex g% mho m[H2O] m[Hg] [c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] gf`

// atoms are those that take none.
const atoms = `10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr]
gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU atm [lbf_av] att
[in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] [cin_i] [cft_i] [cyd_i] [bf_i] [cr_i] [mil_i] [cml_i] [hd_i]
[ft_us] [yd_us] [in_us] [rd_us] [ch_us] [lk_us] [fth_us] [mi_us] [acr_us] [smi_us] [mil_us]
[in_br] [ft_br] [yd_br] [mi_br] [nmi_br] [kn_br] [acr_br]
[gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] [min_us] [bu_us] [gal_wi] [pk_us] [dqt_us] [dpt_us] [tbs_us] [tsp_us] [cup_us]
[gal_br] [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] [fdr_br] [min_br]
[gr] [lb_av] [oz_av] [dr_av] [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] [oz_tr] [lb_tr] [car_Au] [car_m]
[degF] [degR] [degRe] [Btu_39] [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] [HP] [psi] [in_i'H2O] [in_i'Hg]
[den] [circ] sph [S] [pH] [p'diop] [mesh_i] [m/s2/Hz^0.5] [smoot] [lne] [pnt] [pca]
[arb'U] [Amb'a'1'U] [kU] [MPL'U] [hp'_X]`

// commonMistake is the unit that was probably meant by a name that people write
// and UCUM does not have, or "".
func commonMistake(unit string) string {
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "°c", "℃", "degc", "[degc]", "deg c", "celsius":
		return "Cel"
	case "°f", "℉", "degf", "deg f", "fahrenheit":
		return "[degF]"
	case "°k", "degk", "kelvin":
		return "K"
	case "°", "degree", "degrees":
		return "deg"
	case "sec", "secs", "second", "seconds":
		return "s"
	case "minute", "minutes", "mins":
		return "min"
	case "hr", "hrs", "hour", "hours":
		return "h"
	case "rpm":
		return "/min"
	case "percent", "pct":
		return "%"
	case "ppm", "ppb":
		return "[" + strings.ToLower(strings.TrimSpace(unit)) + "]"
	}
	return commonMechanical(strings.ToLower(strings.TrimSpace(unit)))
}

// commonMechanical goes on with pressures, lengths, masses, flows and torques.
func commonMechanical(unit string) string {
	switch unit {
	case "psi":
		return "[psi]"
	case "psig":
		return "[psi]{gauge}"
	case "barg":
		return "bar{gauge}"
	case "mmhg":
		return "mm[Hg]"
	case "inhg":
		return "[in_i'Hg]"
	case "in", "inch", "inches":
		return "[in_i]"
	case "ft", "feet":
		return "[ft_i]"
	case "lb", "lbs":
		return "[lb_av]"
	case "lbf":
		return "[lbf_av]"
	case "µm", "μm", "micron", "microns":
		return "um"
	case "nm", "n·m", "n*m", "n m":
		return "N.m"
	case "m²", "m³":
		return strings.NewReplacer("²", "2", "³", "3").Replace(unit)
	case "ω", "ohm", "ohms":
		return "Ohm"
	case "kwh":
		return "kW.h"
	case "hp":
		return "[HP]"
	case "lpm":
		return "L/min"
	case "gpm":
		return "[gal_us]/min"
	case "mpa":
		return "MPa"
	case "kpa":
		return "kPa"
	}
	return ""
}
