package main

import (
	"runtime"
	"sync"
	"time"

	"go.etcd.io/etcd/raft"
	pb "go.etcd.io/etcd/raft/raftpb"
	"go.etcd.io/etcd/raft/tracker"
)

const (
	members = 3
	// entries of the log that are kept behind the slowest member
	entriesKept = 5000
	// turns that the leader gives to others before it takes what waits: batches grow
	yields = 2
)

// member is a RawNode in a goroutine of its own, with a log in memory and a map. Channels are the network.
type member struct {
	id    uint64
	node  *raft.RawNode
	log   *raft.MemoryStorage
	inbox chan []pb.Message
	peers map[uint64]*member
	store *store
	out   [members + 1][]pb.Message
	leads bool
	// told once it leads
	elected chan<- *member

	mutex       sync.Mutex
	proposals   [][]byte
	spare       [][]byte
	wake        chan struct{}
	acked       []uint32
	acknowledge func([]uint32)

	applied, compacted uint64
	stop               chan struct{}
	stopped            chan struct{}
}

func newMember(id uint64, elected chan<- *member) (*member, error) {
	log := raft.NewMemoryStorage()
	node, err := raft.NewRawNode(&raft.Config{
		ID: id, ElectionTick: 20, HeartbeatTick: 2, Storage: log,
		MaxSizePerMsg: 1 << 20, MaxCommittedSizePerReady: 1 << 30, MaxInflightMsgs: 256,
	})
	if err != nil {
		return nil, err
	}
	if err := node.Bootstrap([]raft.Peer{{ID: 1}, {ID: 2}, {ID: 3}}); err != nil {
		return nil, err
	}
	return &member{
		id: id, node: node, log: log, store: newStore(), elected: elected,
		inbox: make(chan []pb.Message, 8192), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}, nil
}

func (m *member) submit(command []byte) {
	m.mutex.Lock()
	m.proposals = append(m.proposals, command)
	m.mutex.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *member) run() {
	defer close(m.stopped)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case messages := <-m.inbox:
			m.step(messages)
		case <-m.wake:
		case <-tick.C:
			m.node.Tick()
		case <-m.stop:
			return
		}
		for i := 0; m.leads && i < yields; i++ {
			runtime.Gosched()
		}
		m.drain()
		if m.leads {
			m.propose()
		}
		for m.node.HasReady() {
			m.ready()
		}
	}
}

func (m *member) step(messages []pb.Message) {
	for i := range messages {
		m.node.Step(messages[i])
	}
}

func (m *member) drain() {
	for {
		select {
		case messages := <-m.inbox:
			m.step(messages)
		default:
			return
		}
	}
}

// propose makes an entry of each command that waits, and one message of all of them.
func (m *member) propose() {
	m.mutex.Lock()
	waiting := m.proposals
	m.proposals, m.spare = m.spare[:0], nil
	m.mutex.Unlock()
	if len(waiting) > 0 {
		entries := make([]pb.Entry, len(waiting))
		for i := range waiting {
			entries[i].Data = waiting[i]
		}
		if err := m.node.Step(pb.Message{Type: pb.MsgProp, From: m.id, Entries: entries}); err != nil {
			fail("not proposed", err)
		}
	}
	m.mutex.Lock()
	m.spare = waiting
	m.mutex.Unlock()
}

func (m *member) ready() {
	ready := m.node.Ready()
	if len(ready.Entries) > 0 {
		m.log.Append(ready.Entries)
	}
	if !raft.IsEmptyHardState(ready.HardState) {
		m.log.SetHardState(ready.HardState)
	}
	m.send(ready.Messages)
	for i := range ready.CommittedEntries {
		m.apply(&ready.CommittedEntries[i])
	}
	m.node.Advance(ready)
	if len(m.acked) > 0 {
		m.acknowledge(m.acked)
		m.acked = m.acked[:0]
	}
	if ready.SoftState != nil {
		led := m.leads
		m.leads = ready.SoftState.RaftState == raft.StateLeader
		if m.leads && !led {
			m.elected <- m
		}
	}
	m.compact()
}

func (m *member) send(messages []pb.Message) {
	for i := range messages {
		m.out[messages[i].To] = append(m.out[messages[i].To], messages[i])
	}
	for to := uint64(1); to <= members; to++ {
		if len(m.out[to]) == 0 {
			continue
		}
		select {
		case m.peers[to].inbox <- m.out[to]:
		default: // full: dropped, as a network would
		}
		m.out[to] = nil
	}
}

func (m *member) apply(entry *pb.Entry) {
	m.applied = entry.Index
	if entry.Type != pb.EntryNormal {
		var change pb.ConfChange
		change.Unmarshal(entry.Data)
		m.node.ApplyConfChange(change)
		return
	}
	if len(entry.Data) == 0 {
		return
	}
	client := m.store.apply(entry.Data)
	if m.leads {
		m.acked = append(m.acked, client)
	}
}

// compact trims the log, never past what the slowest member has.
func (m *member) compact() {
	if m.applied <= m.compacted+5*entriesKept {
		return
	}
	to := m.applied - entriesKept
	if m.leads {
		m.node.WithProgress(func(id uint64, _ raft.ProgressType, progress tracker.Progress) {
			if id != m.id && progress.Match < to+1 {
				to = progress.Match - 1
			}
		})
	}
	if to > m.compacted {
		m.log.Compact(to)
		m.compacted = to
	}
}
