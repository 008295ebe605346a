package main

import "math/bits"

// steps of the histogram per power of two, as a power of two
const steps = 7

// histogram counts nanoseconds in slots that grow with them: 128 steps a power of two.
type histogram [64 << steps]uint64

func slotOf(ns uint64) int {
	if ns < 1<<steps {
		return int(ns)
	}
	e := bits.Len64(ns) - 1 - steps
	return (e+1)<<steps + int(ns>>uint(e)) - 1<<steps
}

func nanosecondsOf(slot int) float64 {
	if slot < 1<<steps {
		return float64(slot)
	}
	e := slot>>steps - 1
	return float64(uint64(1<<steps+slot&(1<<steps-1)) << uint(e))
}

// percentile in milliseconds
func (h *histogram) percentile(part float64) float64 {
	var all, before uint64
	for _, count := range h {
		all += count
	}
	for slot, count := range h {
		before += count
		if float64(before) > part*float64(all) {
			return nanosecondsOf(slot) / 1e6
		}
	}
	return 0
}
