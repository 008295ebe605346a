package main

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	starting = iota
	measuring
	ending
)

// clients are closed-loop: one goroutine each, with a reply channel of its own and one command outstanding.
type clients struct {
	submit  func([]byte)
	payload []byte
	reply   []chan struct{}
	values  uint64 // what was proposed so far, over all slices
	acked   uint64
}

type slice struct {
	Commits    uint64  `json:"commits"`
	DurationMs float64 `json:"durationMs"`
	P50        float64 `json:"p50"`
	P99        float64 `json:"p99"`
}

// acknowledge is called by the leader after it has applied commands of these clients.
func (c *clients) acknowledge(ids []uint32) {
	for _, id := range ids {
		c.reply[id] <- struct{}{}
	}
}

// slice starts so many clients, waits until as many commits have happened, and measures for so long.
func (c *clients) slice(number int, duration time.Duration) slice {
	for len(c.reply) < number {
		c.reply = append(c.reply, make(chan struct{}, 1))
	}
	var phase int32
	var wait sync.WaitGroup
	latencies := &histogram{}
	before := atomic.LoadUint64(&c.acked)
	for id := 0; id < number; id++ {
		wait.Add(1)
		go func(id uint32) {
			defer wait.Done()
			started := time.Now()
			for sequence := uint32(0); atomic.LoadInt32(&phase) != ending; sequence++ {
				c.submit(encode(id, sequence, atomic.AddUint64(&c.values, 1), c.payload))
				<-c.reply[id]
				now := time.Now()
				atomic.AddUint64(&c.acked, 1)
				if atomic.LoadInt32(&phase) == measuring {
					atomic.AddUint64(&latencies[slotOf(uint64(now.Sub(started)))], 1)
				}
				started = now
			}
		}(uint32(id))
	}
	for atomic.LoadUint64(&c.acked)-before < uint64(number) {
		time.Sleep(time.Millisecond)
	}
	opened, count := time.Now(), atomic.LoadUint64(&c.acked)
	atomic.StoreInt32(&phase, measuring)
	time.Sleep(duration)
	commits, took := atomic.LoadUint64(&c.acked)-count, time.Since(opened)
	atomic.StoreInt32(&phase, ending)
	wait.Wait()
	return slice{commits, took.Seconds() * 1000, latencies.percentile(.5), latencies.percentile(.99)}
}
