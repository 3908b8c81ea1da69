// Package modbus is the source for devices that speak Modbus: it polls the
// devices behind one address for the tags it is given, and hands over scans and
// losses in order. It judges nothing, stores nothing and never writes: the only
// functions it can send are the four that read.
//
// # What always holds
//
//   - No wrong value. An answer counts only when transaction, protocol, unit,
//     function, the count of bytes and the length of the frame are, to the byte,
//     those of the one request that is open. Anything else makes the readings bad,
//     with the reason, and ends the connection: nothing that may still come on it
//     is ever read, and nothing is used again.
//   - A value that the device marks as none, that is out of its range, not a
//     number, not decimal or no text is bad, with the reason; never 0, never the
//     last one.
//   - All tags of one answer are one scan, of the instant at which the answer had
//     been read: Modbus has no time of its own. A value that is the same as before
//     is a sample all the same, for it was seen. There are no confirmations.
//   - A value is never split over two reads, a hole never read.
//
// # When things fail
//
//   - The device refuses a read (an exception): its tags are bad at every poll,
//     with the exception's name. Where the refused block was joined of several
//     tags and the exception is about the address, it is halved until the guilty
//     one stands alone, and so it stays until the link is lost.
//   - A read fails otherwise (time-out, a connection that ends, an answer that is
//     not one): the connection is closed and a new one made at once. If that
//     succeeds the read's tags are bad, once, and all else goes on.
//   - It does not succeed, or every unit behind the address has been silent since
//     anyone answered: the link is lost. One Loss of all tags at once, then attempts
//     with growing distance; polling begins anew with the first that succeeds.
//   - A device closes an idle connection between two polls: a new one is made, no
//     poll is missed, nothing is lost.
//   - The device is too slow for its periods: polls that could not be made are
//     missed; the grid does not drift. Status counts them and one line of the log
//     says so. They are no Loss: how long may pass without a sample is for the
//     specification to say (max_gap).
//   - The gateway is too slow (Sink.Put waits): polls that are missed for that are
//     a Loss of their tags, cause overflow.
//
// # How it is built
//
// The pure parts (no socket, no clock, no goroutine) decide: item.go and value.go
// make readings of registers, plan.go makes few reads of many tags, schedule.go
// says which is due, request.go and tcpframe.go frame a request and check its
// answer. line.go is one connection and its one request at a time. run.go joins
// them.
//
// # What is the library's, and why not more
//
// The PDUs, the client's own checks and the exceptions are those of
// goburrow/modbus, through NewClient2. Its transporter is not used: it keeps a
// connection whose answers are out of step, never reconnects, and does not
// compare an answer's length with what was asked for.
package modbus
