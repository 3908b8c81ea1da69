// Package plant is a simulated plant for the demonstration, the qualification
// and tests: furnaces that heat, soak and quench lot after lot, served over
// OPC UA, with excursions, bad values and interruptions on a schedule, and the
// plant's own word on what had to be raised.
//
// The script (script.go, episode.go) is pure: the readings of step k follow
// from the seed and k alone. A step's time is the instant at which its values
// were set; it is the source time of every value that changed in it.
//
// The truth (truth.go) is counted from the values that were put out, step by
// step, with the limits of limits.go. It shares no code with the judging it is
// there to check, and must stay so: this package imports none of it.
//
// The schedule keeps clear of what the contract leaves to the timing of the
// client: no excursion begins or ends near an interruption, across a change of
// phase, on a thermocouple that is bad, or within the off-delay of another.
//
// gateway.go writes the settings and the specification that go with the plant,
// from the same numbers.
//
// Beside the furnaces there may be a press (press.go, press_map.go,
// press_gateway.go) with short strokes, over Modbus TCP, with a script, a
// specification and a truth of its own. Modbus has no source time, so a client
// sees its values when it polls; each stands for more than two polls, excursions
// are flat, and the truth says by how much later a client may see their edges.
package plant
