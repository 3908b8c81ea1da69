// Package metrics is what Prometheus sees of the gateway: names, help texts and
// the registry they are in. It knows no part of the gateway. What is counted as
// it happens is told to a Meter; what simply is (a source is up, so many entries
// wait) comes as Facts, asked for at each scrape.
//
// Names follow the rules of prometheus.io: prefix andon_, base units, _total on
// counters. An instant is exported as a time stamp, never as an age, so that an
// alert can tell "long ago" from "not scraped". No label has more values than a
// line has sources, specifications or lanes: never a lot, a serial, a person or a
// tag.
//
// A fact that is not known is not exported, rather than exported as zero.
package metrics
