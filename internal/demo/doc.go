// Package demo is the whole way on one machine: a simulated plant, a broker, the
// reference receiver and a gateway, with keys, approvers, an approved
// specification and settings of their own, made for the run. Nothing is mocked:
// it is the daemon that runs, over real connections on the loopback interface.
//
// At the end it counts, from the gateway's record, the receiver's files and the
// plant's own word on what had to be found, whether everything arrived.
package demo
