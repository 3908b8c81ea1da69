// Package panel is the screen beside the line and the programs' way to the same
// facts: pages, a JSON API and a stream of changes, on one listener.
//
// What always holds:
//
//   - It shows what has been committed and nothing else. It reads immutable
//     States; it never sees the state that is being decided.
//   - It changes nothing by itself. What a person does is signed with name and
//     PIN, goes in as an input, and is answered when it is durable.
//   - A screen that is not live says so within three seconds, in words and over
//     the whole page; so does one whose gateway cannot record.
//   - State and alarms can be read without script. Colour is never the only sign.
//   - A slow or dead browser costs the gateway nothing: the stream of a client
//     that does not read is cut, and it begins again from the whole state.
//
// The page asks no other address for anything, and the policy it is sent with
// forbids it to. Off the loopback interface there is no service without TLS,
// and nothing is shown before somebody has logged in.
//
// The package declares what it needs of the gateway and of people; it knows no
// journal, no uplink and no source.
package panel
