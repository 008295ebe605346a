// Three members of etcd's raft library in one process, and closed-loop clients, a goroutine each. What to do comes as
// lines of JSON on standard input, what came of it goes as such lines to standard output; the end of the input is the
// end of the program.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/etcd/raft"
)

type task struct {
	Do         string  `json:"do"` // slice or check
	Clients    int     `json:"clients"`
	DurationMs float64 `json:"durationMs"`
}

func fail(what ...interface{}) {
	fmt.Fprintln(os.Stderr, what...)
	os.Exit(1)
}

func answer(value interface{}) {
	if err := json.NewEncoder(os.Stdout).Encode(value); err != nil {
		fail(err)
	}
}

func start(elected chan *member) [members + 1]*member {
	var group [members + 1]*member
	peers := map[uint64]*member{}
	for id := uint64(1); id <= members; id++ {
		m, err := newMember(id, elected)
		if err != nil {
			fail(err)
		}
		m.peers = peers
		peers[id], group[id] = m, m
	}
	for id := members; id >= 1; id-- {
		for group[id].node.HasReady() {
			group[id].ready()
		}
	}
	group[1].node.Campaign()
	for id := 1; id <= members; id++ {
		go group[id].run()
	}
	group[1].wake <- struct{}{}
	return group
}

// check ends the members, and compares what they have applied.
func check(group [members + 1]*member, acked uint64) error {
	time.Sleep(500 * time.Millisecond) // followers hear of the last commits with the next heartbeats
	for id := 1; id <= members; id++ {
		close(group[id].stop)
		<-group[id].stopped
	}
	for id := 1; id <= members; id++ {
		if s := group[id].store; s.applied != acked || s.digest() != group[1].store.digest() {
			return fmt.Errorf("member %d applied %d commands, acknowledged were %d", id, s.applied, acked)
		}
	}
	return nil
}

func main() {
	payload := flag.Int("payload", 0, "bytes that each command carries besides")
	gogc := flag.Int("gogc", 1600, "as GOGC: with much less, collecting garbage is most of what it does")
	flag.Parse()
	debug.SetGCPercent(*gogc)
	raft.SetLogger(&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)})
	elected := make(chan *member, 16)
	group := start(elected)
	leader := <-elected
	load := &clients{submit: leader.submit, payload: []byte(strings.Repeat("x", *payload))}
	for id := 1; id <= members; id++ {
		group[id].acknowledge = load.acknowledge
	}
	answer(map[string]string{"version": runtime.Version()})
	tasks := bufio.NewScanner(os.Stdin)
	for tasks.Scan() {
		var next task
		if err := json.Unmarshal(tasks.Bytes(), &next); err != nil {
			fail(err)
		}
		switch next.Do {
		case "slice":
			answer(load.slice(next.Clients, time.Duration(next.DurationMs*1e6)))
			if len(elected) > 0 {
				fail("another member was elected meanwhile")
			}
		case "check":
			if err := check(group, load.acked); err != nil {
				fail(err)
			}
			answer(map[string]uint64{"applied": load.acked})
		default:
			fail("unknown task", next.Do)
		}
	}
}
