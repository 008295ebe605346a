package main

import (
	"encoding/binary"
	"strconv"
)

const keys = 1000

// encode makes a set of a key to a value, with the client and the number that the client would send too.
func encode(client, sequence uint32, value uint64, payload []byte) []byte {
	b := make([]byte, 0, 32+len(payload))
	b = binary.LittleEndian.AppendUint32(b, client)
	b = binary.LittleEndian.AppendUint32(b, sequence)
	b = binary.LittleEndian.AppendUint64(b, value)
	b = append(b, "key"...)
	b = strconv.AppendUint(b, value%keys, 10)
	b = append(b, 0)
	return append(b, payload...)
}

// store is the replicated map. One per member, used by one goroutine.
type store struct {
	values  map[string]*uint64
	applied uint64
}

func newStore() *store { return &store{values: map[string]*uint64{}} }

// apply decodes a command, applies it and returns its client.
func (s *store) apply(b []byte) uint32 {
	value := binary.LittleEndian.Uint64(b[8:])
	end := 16
	for b[end] != 0 {
		end++
	}
	if held, ok := s.values[string(b[16:end])]; ok {
		*held = value
	} else {
		s.values[string(b[16:end])] = &value
	}
	s.applied++
	return binary.LittleEndian.Uint32(b)
}

func (s *store) digest() (sum uint64) {
	for key, value := range s.values {
		sum += *value * uint64(len(key))
	}
	return
}
