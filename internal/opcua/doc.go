// Package opcua is the source for PLCs that speak OPC UA: it connects to one
// server, watches the tags it is given, and hands over scans, confirmations
// and losses in order. It judges nothing, stores nothing and never writes to
// the server.
//
// # What always holds
//
//   - A value is handed over with the quality and the source time the server
//     gave it, or as bad with the reason. A value of another type than declared,
//     out of its range, or without any time is bad.
//   - What is known to be lost is a Loss: a missing sequence number, an overflowed
//     queue, every interruption. Nothing else ends silence but a sample or a
//     Confirm, and a Confirm never claims more than the server has sampled.
//   - A notification is acknowledged to the server only after Committed.
//   - Only the security that was configured is used. The server's certificate is
//     one that a person put into the trust folder, or one issued by a CA there,
//     and is compared in every answer that carries it, at every renewal.
//   - Whatever the peer sends costs at most the connection, never the process.
//
// # How it is built
//
// The pure parts (no socket, no clock, no goroutine) decide: node.go reads node
// ids, value.go makes readings, order.go puts publish answers in sequence,
// watch.go turns them into inputs, ledger.go knows what may be acknowledged.
// session.go and subscription.go speak the services over anything that sends a
// request and brings its answer (the link interface), so that they are tested
// without sockets. channel.go, open.go and receive.go are the secure channel over
// one TCP connection; chunk.go seals and opens its pieces.
// run.go joins them: connect, watch, and on any interruption say so once and
// start over.
//
// # Why the channel is our own
//
// The types, encodings and algorithms are those of gopcua (ua, uacp, uasc,
// uapolicy), but not its uasc.SecureChannel: that decodes in a goroutine of its
// own, where a message that is too short to be signed, or an array of length -2,
// is a panic that nothing can recover and that ends the gateway; it takes the
// peer's certificate and policy out of the first answer that comes; it does not
// check sequence numbers; and a renewal that fails is silent.
package opcua
