// Package uaserver is a small OPC UA server for the simulated plant. It serves
// a fixed list of variables to anonymous clients over security policy None and
// keeps one promise that tests stand on: every value that is set reaches every
// monitored item, in order and with its exact source time, or the item's queue
// overflows and says so.
//
// The server package of the OPC UA library keeps only the last value of a
// variable between two publishes, without an overflow bit, and cannot drop and
// take back its connections, so only that library's codec is used here.
//
// It offers: FindServers, GetEndpoints, the session services, Read, Browse,
// subscriptions with queues, keep-alives, lifetimes, acknowledgements and
// Republish, monitored items for values (reported by exception). It does not
// offer: writing, methods, history, events, transfer of subscriptions,
// deadbands, security. Whatever is not offered is answered with
// Bad_ServiceUnsupported.
//
// Files: wire.go is bytes to messages; server.go and conn.go are sockets and
// goroutines; service.go, session.go, view.go, subscribe.go, items.go and
// publish.go answer requests.
//
// One mutex guards all state. It is held while an answer is made and never
// while one is written, so a client that does not read delays nobody else.
package uaserver
