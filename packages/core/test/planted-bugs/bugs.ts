import type { PlantedBug } from "./planted-bug.js";

/** Leaders that reach different acceptors, so that acceptors hold different values for one instance. */
const splitAcceptors: PlantedBug["options"] = {
  profile: { campaignEveryMs: 60, delayMsMax: 20 },
  faults: { cut: 0.4, drop: 0.1, isolate: 0 },
};

/** The list at the end of docs/protocol.md, as far as core has the parts yet. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "accept below the promise",
    rule: 6,
    patches: [
      {
        file: "acceptor.ts",
        find: "if (order < 0 || firstInstance < this.#trimmedBelow) return this.#refuse(from, ballot);",
        replace: "if (firstInstance < this.#trimmedBelow) return this.#refuse(from, ballot);",
      },
    ],
  },
  {
    name: "Accept does not raise the promise",
    rule: 6,
    patches: [
      {
        file: "acceptor.ts",
        find: "if (order > 0) this.#promised = ballot;\n    const entry",
        replace: "const entry",
      },
    ],
  },
  {
    name: "merge takes the first answer",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "found.put(entry, higherBallot)",
        replace: "found.put(entry, existing => existing)",
      },
    ],
    options: splitAcceptors,
  },
  {
    name: "merge takes the last answer",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "found.put(entry, higherBallot)",
        replace: "found.put(entry, (_, incoming) => incoming)",
      },
    ],
    options: splitAcceptors,
  },
  {
    name: "Promise reports the promised ballot as the accepted one",
    rule: 2,
    patches: [
      {
        file: "acceptor.ts",
        find: "chunks.at(-1)?.push(entry);",
        replace: "chunks.at(-1)?.push({ ...entry, ballot: this.#promised });",
      },
    ],
  },
  {
    name: "a duplicate Promise counted twice",
    rule: 2,
    patches: [
      {
        file: "proposer.ts",
        find: "if (parts.some(({ part }) => part === message.part)) return;",
        replace: "",
      },
      {
        file: "proposer.ts",
        find: "state.promised = addAcceptor(state.promised, acceptor);",
        replace: "state.promised = (state.promised << 1) | 1;",
      },
    ],
  },
  {
    name: "a duplicate Accepted counted twice by the proposer",
    rule: 7,
    patches: [
      {
        file: "proposer.ts",
        find: "flight.accepted = addAcceptor(flight.accepted, acceptor);",
        replace: "flight.accepted = (flight.accepted << 1) | 1;",
      },
    ],
  },
  {
    name: "a duplicate Accepted counted twice by the learner",
    rule: 7,
    patches: [
      {
        file: "learner.ts",
        find: "voters: addAcceptor(existing.voters, acceptor)",
        replace: "voters: (existing.voters << 1) | 1",
      },
    ],
  },
  {
    name: "votes of two ballots summed",
    rule: 7,
    patches: [
      {
        file: "learner.ts",
        find: "for (const known of this.#ballots) if (sameBallot(known.ballot, ballot)) return known.tallies;",
        replace: "for (const known of this.#ballots) return known.tallies;",
      },
    ],
  },
  {
    name: "cumulative ack over a gap",
    rule: 7,
    patches: [
      {
        file: "proposer.ts",
        find: "    flight.chosen = true;\n    this.#dropChosen(state);",
        replace:
          "    for (const known of state.inFlight) if (known.firstInstance <= flight.firstInstance) known.chosen = true;\n" +
          "    this.#dropChosen(state);",
      },
    ],
  },
  {
    name: "slice off by one: the bytes",
    rule: 3,
    patches: [
      { file: "batch.ts", find: "skip: segment.skip + skip,", replace: "skip: segment.skip + skip - 1," },
    ],
  },
  {
    name: "slice off by one: the sequence number",
    rule: 3,
    patches: [
      {
        file: "batch.ts",
        find: "firstSequence: segment.firstSequence + skip,\n        count,",
        replace: "firstSequence: segment.firstSequence + skip + 1,\n        count,",
      },
    ],
  },
  {
    name: "a slice of an accepted entry keeps its first instance",
    rule: 3,
    patches: [
      {
        file: "accepted-log.ts",
        find: "firstInstance: entry.firstInstance + skip,",
        replace: "firstInstance: entry.firstInstance,",
      },
    ],
  },
  {
    name: "an incomplete Promise merged",
    rule: 2,
    patches: [
      { file: "proposer.ts", find: "if (parts.length < message.parts) return;", replace: "" },
      { file: "proposer.ts", find: "if (parts.length < (parts[0]?.parts ?? 1)) continue;", replace: "" },
    ],
  },
  {
    name: "trimmed reported as empty",
    rule: 4,
    patches: [
      {
        file: "acceptor.ts",
        find: "trimmedBelow: this.#trimmedBelow,\n          part,",
        replace: "trimmedBelow: 0,\n          part,",
      },
      {
        file: "acceptor.ts",
        find: "order < 0 || firstInstance < this.#trimmedBelow",
        replace: "order < 0",
      },
    ],
  },
  {
    name: "Accepts below the trim are honoured and only the highest trim is lost",
    rule: 4,
    patches: [
      {
        file: "proposer.ts",
        find: "trimmedBelow = Math.max(trimmedBelow, part.trimmedBelow);",
        replace: "trimmedBelow = trimmedBelow || part.trimmedBelow;",
      },
      { file: "acceptor.ts", find: "order < 0 || firstInstance < this.#trimmedBelow", replace: "order < 0" },
    ],
    options: { profile: { trimming: true, faultSteps: 2000 }, faults: { crashLearner: 0, cut: 0.4 } },
  },
  {
    name: "holes skipped",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "entries.push({ ballot: noBallot, firstInstance: at, count, batch });",
        replace: "void count; void batch;",
      },
    ],
  },
  {
    name: "a no-op over an accepted value",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "      entries.push(entry);",
        replace: "      entries.push({ ...entry, batch: noopBatch(entry.count, this.#lastTimeMs) });",
      },
    ],
  },
  {
    name: "new commands before what phase 1 found",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "recovered: this.#withoutHoles(found, first),",
        replace: "recovered: this.#withoutHoles(found, first).slice(0, 1),",
      },
    ],
  },
  {
    name: "the promise forgotten on restart",
    rule: 6,
    patches: [{ file: "acceptor.ts", find: "raise(record.ballot);", replace: "" }],
  },
  {
    name: "the ballot of an accept forgotten on restart",
    rule: 6,
    patches: [{ file: "acceptor.ts", find: "raise(record.entry.ballot);", replace: "" }],
    options: { ...splitAcceptors, faults: { ...splitAcceptors?.faults, crashAcceptor: 0.06 } },
  },
  {
    name: "the promise is not persisted",
    rule: 6,
    patches: [{ file: "acceptor.ts", find: 'this.#persist.push({ kind: "promise", ballot });', replace: "" }],
  },
  {
    name: "answer before persist",
    rule: 6,
    patches: [
      {
        file: "testing/actor-hosts.ts",
        find: "    const crashes = world.faulty && persist.length > 0;",
        replace: "    world.send(this, send);\n    const crashes = world.faulty && persist.length > 0;",
      },
    ],
  },
  {
    name: "ballot reused after restart",
    rule: 1,
    patches: [
      {
        file: "ballot.ts",
        find: "return { round: seen.round + 1, incarnation, proposer };",
        replace: "return { round: seen.round + 1, incarnation: incarnation * 0, proposer };",
      },
    ],
    // A restart shows it while the others still know no higher ballot.
    options: { profile: { campaignEveryMs: 5000 }, faults: { crashProposer: 0.05 } },
  },
  {
    name: "same ballot, another time stamp on resend",
    rule: 1,
    patches: [
      {
        file: "proposer.ts",
        find: "      flight.sentAt = now;\n",
        replace:
          "      flight.sentAt = now;\n      flight.batch = { ...flight.batch, timeMs: Math.floor(now) };\n",
      },
    ],
  },
  {
    name: "same ballot, batched differently on resend",
    rule: 1,
    patches: [
      {
        file: "proposer.ts",
        find: "      flight.sentAt = now;\n",
        replace:
          "      flight.sentAt = now;\n      if (state.proposed || this.#queue.commands > 0)\n" +
          "        flight.batch = { ...flight.batch, segments: [...flight.batch.segments].reverse() };\n",
      },
    ],
  },
  {
    name: "quorums with q1 + q2 = n",
    rule: 5,
    patches: [
      {
        file: "quorum.ts",
        find: "return sizes.prepare + sizes.accept > acceptors;",
        replace: "return sizes.prepare + sizes.accept >= acceptors;",
      },
    ],
    options: {
      profile: { topology: { proposers: 2, acceptors: 4, learners: 2 }, quorums: { prepare: 2, accept: 2 } },
    },
  },
  {
    name: "the phase-1 size asked in phase 2",
    rule: 5,
    patches: [
      {
        file: "quorum.ts",
        find: "return countAcceptors(accepted) >= this.#sizes.accept;",
        replace: "return countAcceptors(accepted) >= this.#sizes.prepare;",
      },
    ],
  },
  {
    name: "Accept before phase 1 is done",
    rule: 3,
    patches: [
      {
        file: "proposer.ts",
        find: "if (this.#options.quorums.isPrepareQuorum(state.promised)) this.#lead(state);",
        replace: "this.#lead(state);",
      },
    ],
  },
  {
    name: "a promise of another ballot counted",
    rule: 2,
    patches: [
      {
        file: "proposer.ts",
        find: 'state.kind !== "preparing" || !sameBallot(state.ballot, message.ballot)',
        replace: 'state.kind !== "preparing"',
      },
    ],
  },
  {
    name: "a learner that misses instances asks for nothing",
    rule: 8,
    patches: [{ file: "learner.ts", find: "if (now >= this.#fetchAt) {", replace: "if (now < 0) {" }],
  },
  {
    name: "what is known to be chosen is not proposed again for a learner whose votes are split",
    rule: 8,
    patches: [
      {
        file: "proposer.ts",
        find: "Math.max(0, this.#forgottenBelow - entry.firstInstance)",
        replace: "Math.max(0, this.#chosenBelow - entry.firstInstance)",
      },
    ],
    options: {
      profile: {
        topology: { proposers: 2, acceptors: 5, learners: 2 },
        quorums: { prepare: 2, accept: 4 },
        trimming: false,
        campaignEveryMs: 60,
      },
      faults: { crashLearner: 0.01, cut: 0.4, drop: 0.1 },
    },
  },
  {
    name: "trim what one learner has applied",
    rule: 25,
    patches: [
      {
        file: "proposer.ts",
        find: "Math.min(this.#chosenBelow, ...this.#appliedBelow)",
        replace: "Math.min(this.#chosenBelow, Math.max(...this.#appliedBelow))",
      },
    ],
  },
  {
    name: "session created implicitly",
    rule: 19,
    patches: [
      {
        file: "sessions.ts",
        find: 'if (session === undefined) return { kind: "unknownSession" };',
        replace:
          "if (session === undefined) { this.open(segment.session, segment.client); return this.admit(segment, ballot); }",
      },
    ],
  },
  {
    name: "last + 1 relaxed to > last",
    rule: 20,
    patches: [
      {
        file: "sessions.ts",
        find: "if (segment.firstSequence > expected) {",
        replace: "if (session.last < 0) {",
      },
      {
        file: "sessions.ts",
        find: "skip: Math.min(expected - segment.firstSequence, segment.count)",
        replace: "skip: Math.min(Math.max(0, expected - segment.firstSequence), segment.count)",
      },
    ],
  },
  {
    name: "a duplicate applied again",
    rule: 20,
    patches: [
      {
        file: "sessions.ts",
        find: "skip: Math.min(expected - segment.firstSequence, segment.count)",
        replace: "skip: 0",
      },
    ],
  },
  {
    name: "an unacknowledged result dropped",
    rule: 22,
    patches: [
      {
        file: "sessions.ts",
        find: "if (firstSequence + results.length > segment.acknowledgedBelow) break;",
        replace: "if (firstSequence > session.last) break;",
      },
    ],
  },
  {
    name: "an aborted number never filled",
    rule: 21,
    patches: [
      {
        file: "client.ts",
        find: "parts.push(known === slot.waiting ? part : fillFor(part));",
        replace: "if (known === slot.waiting) parts.push(part);",
      },
    ],
  },
  {
    name: "a fill for a command whose caller still waits",
    rule: 21,
    patches: [
      {
        file: "client.ts",
        find: "parts.push(known === slot.waiting ? part : fillFor(part));",
        replace: "parts.push(fillFor(part));",
      },
    ],
  },
  {
    name: "a query that does not wait for what its client has seen",
    rule: 18,
    patches: [
      {
        file: "replica.ts",
        find: "if (entry.query.appliedBelow > this.#appliedBelow) {",
        replace: "if (entry.query.appliedBelow < 0) {",
      },
    ],
  },
  {
    name: "instances in 32 bits",
    rule: 23,
    patches: [
      {
        file: "instance-ranges.ts",
        find: "return range.firstInstance + range.count;",
        replace: "return (range.firstInstance + range.count) >>> 0;",
      },
    ],
  },
];
