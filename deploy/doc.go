// Package deploy holds what is installed beside the program: packages, a broker's
// configuration, dashboard and alert rules. It has no code, only the tests that
// keep these files true: that the broker starts with its file and keeps gateways
// apart, that every metric in a query exists, that the package holds what it
// should and the same bytes each time.
package deploy
