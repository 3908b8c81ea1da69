// Package strictyaml reads the files that people write: settings and
// specifications in YAML, tag lists in CSV. It is strict, because a file that
// two readers understand differently is a wrong limit one day:
//
//   - unknown and duplicate keys, a second document, tabs, anchors, aliases,
//     merge keys and tags are refused;
//   - so is every plain word that YAML readers disagree on: 010, 1_000, 0o7,
//     +5, .5, .inf, True, ~;
//   - a boolean is true or false and nothing else, a number is a JSON number
//     (or 0xFF where a whole number is wanted), text that looks like a number
//     is quoted;
//   - durations are a number and one of ms s min h d, sizes a number and one of
//     B KiB MiB GiB TiB, instants RFC 3339 with a zone.
//
// Every problem is collected with its place, its cause and its cure, and all
// are reported at once; each is reported once, because a value that was refused
// is zero to whoever reads it again and says nothing more.
//
// A reader asks for what it knows and nothing is listed twice: a key that
// nobody has asked for is unknown.
//
//	doc := strictyaml.Parse("gateway.yaml", bytes)
//	root := doc.Root()
//	gateway := root.Need("gateway")
//	id := gateway.Need("id").Text()
//	every := root.Get("every").DurationOr(time.Second)
//	for _, e := range root.Get("sources").Entries() { ... e.Name, e.Value ... }
//	if err := doc.Err(); err != nil { ... }
//
// It is pure: bytes in, values and problems out. It imports nothing of ours.
package strictyaml
