// Package systemtest tests the built program from outside, as a plant meets it:
// processes, files, sockets, signals and exit codes. It holds tests only, and
// uses nothing of the inside but the simulated PLC, the brokers for tests and the
// way to ask a running gateway for its status.
//
// What must hold is counted from what the quality system has stored (the files
// of `andon receive`) and from `andon journal export`, against what the test
// itself has set at the PLC. Nobody's own word counts.
//
// Tests with real peers (mosquitto, node-opcua, strace) run where they are; the
// others need Go alone. SOAK=duration (make soak) makes the demonstration as long,
// and ten times as many kills.
package systemtest
