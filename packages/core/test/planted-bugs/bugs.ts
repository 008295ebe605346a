import { faultKinds } from "@synod/core/testing";
import type { PlantedBug } from "./planted-bug.js";

/** Leaders that reach different acceptors, so that acceptors hold different values for one instance. */
const splitAcceptors: PlantedBug["options"] = {
  profile: { unrestEveryMs: 60, delayMsMax: 20 },
  faults: { cut: 0.4, drop: 0.1, isolate: 0, impatience: 1 },
};

const threeAcceptors = {
  topology: { proposers: 2, acceptors: 3, learners: 2 },
  quorums: { prepare: 2, accept: 2 },
} as const;

/** Leaders that are replaced without noticing, while clients read from them. */
const splitLeaders: PlantedBug["options"] = {
  profile: {
    ...threeAcceptors,
    mode: "multi",
    leaseMs: 60,
    delayMsMax: 4,
    lateFlush: 0,
    unrestEveryMs: 150,
    distinguishedLearner: false,
    readers: true,
    clients: 4,
    faultSteps: 2000,
  },
  faults: {
    split: 0.4,
    cut: 0,
    drop: 0,
    isolate: 0,
    freeze: 0.005,
    leave: 0,
    sleep: 0,
    impatience: 0,
    crashProposer: 0,
    crashAcceptor: 0,
    crashLearner: 0,
  },
};

/** Learners that take many snapshots, crash, and restore them. */
const snapshots: PlantedBug["options"] = {
  profile: {
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    quorums: { prepare: 2, accept: 2 },
    trimming: true,
    snapshotEvery: 3,
    tailInstances: 2,
    faultSteps: 1500,
  },
  faults: { crashLearner: 0.03, wrongResult: 0, failSnapshot: 0.2, failRestore: 0.2 },
};

/** Acceptors whose storage has no room, while snapshots are taken. */
const fullStorage: PlantedBug["options"] = {
  profile: { ...snapshots?.profile, snapshotEvery: 1, tailInstances: 0, delayMsMax: 4 },
  faults: { ...snapshots?.faults, fillStorage: 0.1, cut: 0, split: 0, isolate: 0 },
};

/** Votes that are split over ballots, for learners that start again: leaders have to propose anew what is chosen. */
const repairs: PlantedBug["options"] = {
  profile: {
    topology: { proposers: 2, acceptors: 5, learners: 2 },
    quorums: { prepare: 2, accept: 4 },
    mode: "multi",
    promisePartBytesMax: 16,
    unrestEveryMs: 60,
    faultSteps: 2000,
  },
  faults: { crashLearner: 0.02, cut: 0.4, drop: 0.1, impatience: 0.2, wrongResult: 0 },
};

/** Mistakes that people make, as far as core has the parts yet. */
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
        file: "phase-one.ts",
        find: "of message.accepted) state.found.put(entry, higherBallot)",
        replace: "of message.accepted) state.found.put(entry, existing => existing)",
      },
    ],
    options: splitAcceptors,
  },
  {
    name: "merge takes the last answer",
    rule: 3,
    patches: [
      {
        file: "phase-one.ts",
        find: "of message.accepted) state.found.put(entry, higherBallot)",
        replace: "of message.accepted) state.found.put(entry, (_, incoming) => incoming)",
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
        find: "      accepted.push(entry);",
        replace: "      accepted.push({ ...entry, ballot: this.#promised });",
      },
    ],
  },
  {
    name: "a duplicate Promise counted twice",
    rule: 2,
    patches: [
      {
        file: "phase-one.ts",
        find: "if (message.firstInstance !== continuesAt(state, acceptor)) return false;",
        replace: "",
      },
      {
        file: "phase-one.ts",
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
        file: "flights.ts",
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
        file: "vote-count.ts",
        find: "voters: known.voters | incoming.voters,",
        replace: "voters: (known.voters << 1) | 1,",
      },
    ],
  },
  {
    name: "votes of two ballots summed",
    rule: 7,
    patches: [
      {
        file: "vote-count.ts",
        find: "if (order === 0) return known.tallies;",
        replace: "return known.tallies;",
      },
    ],
  },
  {
    name: "cumulative ack over a gap",
    rule: 7,
    patches: [
      {
        file: "flights.ts",
        find: "    flight.chosen = true;\n    return true;",
        replace:
          "    for (const known of this.#flights) if (known.firstInstance <= flight.firstInstance) known.chosen = true;\n" +
          "    return true;",
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
      {
        file: "phase-one.ts",
        find: "if (message.continuesAt < 0) state.promised",
        replace: "state.promised",
      },
    ],
  },
  {
    name: "trimmed reported as empty",
    rule: 4,
    patches: [
      {
        file: "acceptor.ts",
        find: "firstInstance, trimmedBelow, accepted, continuesAt }",
        replace: "firstInstance, trimmedBelow: 0, accepted, continuesAt }",
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
        file: "phase-one.ts",
        find: "state.trimmedBelow = Math.max(state.trimmedBelow, message.trimmedBelow);",
        replace: "state.trimmedBelow ||= message.trimmedBelow;",
      },
      { file: "acceptor.ts", find: "order < 0 || firstInstance < this.#trimmedBelow", replace: "order < 0" },
    ],
    // A proposer that starts again alone has heard of nothing; acceptors that missed values have trimmed less.
    options: {
      profile: {
        topology: { proposers: 1, acceptors: 3, learners: 1 },
        quorums: { prepare: 2, accept: 2 },
        mode: "multi",
        leaseMs: 60,
        trimming: true,
        snapshotEvery: 1,
        tailInstances: 0,
        pipelineBatchesMax: 8,
        batchCommandsMax: 1,
        delayMsMax: 4,
        faultSteps: 3000,
      },
      faults: {
        crashLearner: 0,
        crashProposer: 0.05,
        crashAcceptor: 0.08,
        drop: 0.3,
        cut: 0,
        isolate: 0,
        impatience: 0,
        wrongResult: 0,
        failSnapshot: 0,
      },
    },
  },
  {
    name: "holes skipped",
    rule: 3,
    patches: [
      {
        file: "phase-one.ts",
        find: "recovered.push({ ballot: noBallot, firstInstance: at, count, batch, source: null });",
        replace: "void count; void batch;",
      },
    ],
  },
  {
    name: "a no-op over an accepted value",
    rule: 3,
    patches: [
      {
        file: "phase-one.ts",
        find: "    recovered.push(entry);",
        replace: "    recovered.push({ ...entry, batch: noopBatch(entry.count, timeMs) });",
      },
    ],
  },
  {
    name: "new commands before what phase 1 found",
    rule: 3,
    patches: [
      {
        file: "phase-one.ts",
        find: "  return { recovered, timeMs };",
        replace: "  return { recovered: recovered.slice(0, 1), timeMs };",
      },
    ],
  },
  {
    name: "the promise forgotten on restart",
    rule: 6,
    patches: [
      {
        file: "acceptor.ts",
        find: 'case "promise":\n        raise(record.ballot);',
        replace: 'case "promise":',
      },
    ],
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
    options: { profile: { unrestEveryMs: 5000 }, faults: { crashProposer: 0.05 } },
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
        find: "if (this.#options.quorums.isPrepareQuorum(state.promised)) return this.#takeOver(state, now);",
        replace: "this.#takeOver(state, now);",
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
    patches: [{ file: "learner.ts", find: "if (now >= this.#fetchAt) this.#fetch(now);", replace: "" }],
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
        unrestEveryMs: 60,
      },
      faults: { crashLearner: 0.01, cut: 0.4, drop: 0.1, impatience: 1 },
    },
  },
  {
    name: "trim what a learner has applied",
    rule: 25,
    patches: [
      {
        file: "learner.ts",
        find: "trimBelow: this.#trimBelow,",
        replace: "trimBelow: this.#chosenBelow,",
      },
    ],
  },
  {
    name: "trim on an unpublished snapshot",
    rule: 25,
    patches: [
      {
        file: "testing/learner-host.ts",
        find: "    const state = this.#replica.snapshot();\n",
        replace:
          "    const state = this.#replica.snapshot();\n    this.#upkeep.published(state.appliedBelow);\n",
      },
    ],
    options: snapshots,
  },
  {
    name: "the tail is trimmed",
    rule: 25,
    patches: [
      {
        file: "upkeep.ts",
        find: "const below = Math.min(instance, this.#tail.firstInstance);",
        replace: "const below = instance;",
      },
    ],
    options: snapshots,
  },
  {
    name: "a pin is not looked at",
    rule: 25,
    patches: [{ file: "trim-rule.ts", find: "if (now < until) below =", replace: "if (now < 0) below =" }],
    options: {
      profile: {
        topology: { proposers: 1, acceptors: 3, learners: 3 },
        quorums: { prepare: 2, accept: 2 },
        trimming: true,
        snapshotEvery: 1,
        tailInstances: 0,
        delayMsMax: 4,
        faultSteps: 2000,
      },
      faults: { crashLearner: 0.03, wrongResult: 0, failSnapshot: 0, failRestore: 0.5, isolate: 0, drop: 0 },
    },
  },
  {
    name: "snapshot without the session table",
    rule: 26,
    patches: [{ file: "replica.ts", find: "sessions: this.#sessions.state(),", replace: "sessions: []," }],
    options: snapshots,
  },
  {
    name: "snapshot without the results that a client may still ask for",
    rule: 26,
    patches: [
      {
        file: "sessions.ts",
        find: "stored: [...this.stored(session, acknowledgedBelow, Number.POSITIVE_INFINITY)],",
        replace: "stored: [],",
      },
      // Then a duplicate is answered by results that are not there.
      {
        file: "replica.ts",
        find: "for (const run of this.#sessions.stored(segment.session, segment.firstSequence, count)) {",
        replace:
          "const kept = this.#sessions.stored(segment.session, segment.firstSequence, count);\n    for (const run of kept.length > 0 ? kept : [{ firstSequence: segment.firstSequence, results: [undefined] }]) {",
      },
    ],
    options: snapshots,
  },
  {
    name: "applying goes on while a snapshot is written",
    rule: 26,
    patches: [
      {
        file: "testing/learner-host.ts",
        find: "if (this.#pause === undefined) this.#work(snapshotWanted, now);",
        replace: 'if (this.#pause?.kind !== "restore") this.#work(undefined, now);',
      },
    ],
    options: snapshots,
  },
  {
    name: "a restored learner begins after the next instance",
    rule: 26,
    patches: [
      {
        file: "learner.ts",
        find: "    this.#chosenBelow = below;\n",
        replace: "    this.#chosenBelow = below + 1;\n",
      },
    ],
    options: snapshots,
  },
  {
    name: "a learner does not say that it needs a snapshot",
    rule: 8,
    patches: [
      {
        file: "learner.ts",
        find: "this.#trimmedBelow > this.#chosenBelow ? this.#trimmedBelow : undefined;",
        replace: "undefined;",
      },
    ],
    options: { ...snapshots, faults: { ...snapshots?.faults, isolate: 0.02 } },
  },
  {
    name: "who stands in never stops",
    rule: 26,
    patches: [
      {
        file: "stand-in.ts",
        find: "for (const [learner, until] of this.#until) if (now >= until) this.#end(learner);",
        replace: "",
      },
    ],
    options: snapshots,
  },
  {
    name: "samples are compared without their instances",
    rule: 25,
    patches: [
      {
        file: "sample-exchange.ts",
        find: "const known = own?.at(instance);",
        replace: "const known = own?.lastBelow(this.#appliedBelow)?.[1];",
      },
    ],
  },
  {
    name: "a divergence is not reported",
    rule: 25,
    patches: [
      {
        file: "sample-exchange.ts",
        find: "this.#divergences.push({ instance, learners: [this.#index, learner] });",
        replace: "void learner;",
      },
    ],
    options: { profile: threeAcceptors, faults: { wrongResult: 0.1 } },
  },
  {
    name: "a sample counts for itself only",
    rule: 25,
    patches: [
      {
        file: "result-samples.ts",
        find: "this.#chain = mix(this.#chain, instance,",
        replace: "this.#chain = mix(0, instance,",
      },
    ],
    options: { profile: threeAcceptors, faults: { wrongResult: 0.1, drop: 0.3 } },
  },
  {
    name: "trim by a snapshot that nobody confirms",
    rule: 25,
    patches: [
      {
        file: "upkeep.ts",
        find: "if (this.#samples.confirms(instance, samples, now)) this.#trimBelow = below;",
        replace: "if (this.#samples.confirms(0, samples, now)) this.#trimBelow = below;",
      },
    ],
    options: { ...snapshots, faults: { ...snapshots?.faults, wrongResult: 0.1 } },
  },
  {
    name: "a full acceptor's refusal makes the leader step down",
    rule: 24,
    patches: [
      {
        file: "proposer.ts",
        find: "if (message.full) state.full = addAcceptor(state.full, acceptor);",
        replace: "if (message.full) return this.#follow(now);",
      },
    ],
    options: fullStorage,
  },
  {
    name: "a full acceptor's refusal makes the leader prepare",
    rule: 24,
    patches: [
      {
        file: "proposer.ts",
        find: "if (message.full) state.full = addAcceptor(state.full, acceptor);",
        replace: "if (message.full) return this.campaign(now);",
      },
    ],
    options: fullStorage,
  },
  {
    name: "an acceptor without room does not trim",
    rule: 24,
    patches: [
      {
        file: "acceptor.ts",
        find: "      this.#trim(message.trimBelow);\n      return this.#refuse(from, ballot, 0, true);",
        replace: "      return this.#refuse(from, ballot, 0, true);",
      },
    ],
    options: fullStorage,
  },
  {
    name: "what was refused for want of room is not sent again",
    rule: 24,
    patches: [
      {
        file: "proposer.ts",
        find: "if (message.full) state.full = addAcceptor(state.full, acceptor);",
        replace:
          "if (message.full) for (const flight of state.flights.unanswered) flight.sentAt = Number.POSITIVE_INFINITY;",
      },
    ],
    options: fullStorage,
  },
  {
    name: "a repair takes the first answer for each instance",
    rule: 8,
    patches: [
      {
        file: "repair.ts",
        find: "repair.found.put(entry, higherBallot)",
        replace: "repair.found.put(entry, known => known)",
      },
    ],
    options: repairs,
  },
  {
    name: "a repair asks one acceptor",
    rule: 8,
    patches: [
      {
        file: "proposer.ts",
        find: "if (!this.#options.quorums.isPrepareQuorum(repair.told)) return;",
        replace: "",
      },
    ],
    options: repairs,
  },
  {
    name: "nothing is repaired",
    rule: 8,
    patches: [
      {
        file: "proposer.ts",
        find: "state.recovered.unshift(...repaired(repair));",
        replace: "void repaired;",
      },
    ],
    options: repairs,
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
        find: "if (firstSequence + results.length > session.acknowledgedBelow) break;",
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
  {
    name: "merge by majority of values",
    rule: 3,
    patches: [
      {
        file: "phase-one.ts",
        find: "import { noopBatch }",
        replace: "import { noopBatch, sliceBatch }",
      },
      {
        file: "phase-one.ts",
        find: "of message.accepted) state.found.put(entry, higherBallot)",
        replace:
          "of message.accepted) state.found.put(entry, (known, told) => mostReported(state, message, known, told))",
      },
      {
        file: "phase-one.ts",
        find: "/** What a quorum of promises says. */",
        replace: `const told = new WeakMap<Preparing, Set<PromiseMessage>>();
        function mostReported(state: Preparing, message: PromiseMessage, a: AcceptedEntry, b: AcceptedEntry) {
          const messages = told.get(state) ?? new Set();
          told.set(state, messages.add(message));
          const reports = (entry: AcceptedEntry) =>
            [...messages].filter(({ accepted }) =>
              accepted.some(other => {
                const skip = entry.firstInstance - other.firstInstance;
                if (skip < 0 || skip + entry.count > other.count) return false;
                const same = sliceBatch(other.batch, skip, entry.count);
                return JSON.stringify(same) === JSON.stringify(entry.batch);
              }),
            ).length;
          return reports(b) > reports(a) ? b : a;
        }`,
      },
    ],
    options: {
      profile: {
        topology: { proposers: 3, acceptors: 5, learners: 2 },
        quorums: { prepare: 3, accept: 3 },
        unrestEveryMs: 60,
      },
      faults: { cut: 0.4, drop: 0.1, isolate: 0, impatience: 1 },
    },
  },
  {
    name: "values below the ballot that chose are taken for its values",
    rule: 8,
    patches: [
      {
        file: "vote-count.ts",
        find: "if (compareBallots(higher.ballot, ballot) <= 0) continue;",
        replace: "",
      },
    ],
    options: { profile: { digest: true, unrestEveryMs: 60 }, faults: { impatience: 1, cut: 0.4, drop: 0.1 } },
  },
  {
    name: "the digest of a value is not looked at",
    rule: 8,
    patches: [
      { file: "learner.ts", find: "if (found === source.digest) return true;", replace: "return true;" },
    ],
    options: { profile: { digest: true }, faults: { corrupt: 0.1 } },
  },
  {
    name: "a learner does not say that it is stuck",
    rule: 8,
    patches: [
      {
        file: "learner.ts",
        find: "if (isStuck && !isGone) this.#sendProgress(true);",
        replace: "void isStuck; void isGone;",
      },
    ],
    options: {
      profile: {
        ...threeAcceptors,
        mode: "basic",
        leaseMs: 60,
        trimming: false,
        unrestEveryMs: 60,
        delayMsMax: 4,
        faultSteps: 1500,
      },
      faults: {
        cut: 0.4,
        impatience: 0.2,
        reorder: 0.2,
        crashLearner: 0.03,
        crashAcceptor: 0.02,
        crashProposer: 0,
      },
    },
  },
  {
    name: "the new distinguished learner asks for nothing",
    rule: 9,
    patches: [
      { file: "learner.ts", find: "if (isNamed && !this.#isDistinguished) this.#fetch(now);", replace: "" },
      { file: "learner.ts", find: "this.told(chosenBelow, now);", replace: "" },
    ],
    // All clients leave, so that nothing new makes it notice what it has missed; then its predecessor dies.
    options: {
      profile: {
        ...threeAcceptors,
        mode: "multi",
        distinguishedLearner: true,
        trimming: false,
        sessionTimeoutMs: 60_000,
        idleMs: 0,
        deadForEver: "learner",
        faultSteps: 1500,
      },
      faults: { crashLearner: 0.01, leave: 0.3, sleep: 0 },
    },
  },
  {
    name: "a distinguished learner tells what one acceptor says",
    rule: 9,
    patches: [
      {
        file: "vote-count.ts",
        find: "if (!this.#quorums.isAcceptQuorum(tally.voters)) continue;",
        replace: "if (!tally.announce && !this.#quorums.isAcceptQuorum(tally.voters)) continue;",
      },
    ],
    options: { profile: { distinguishedLearner: true } },
  },
  {
    name: "forwarded twice",
    rule: 10,
    patches: [
      {
        file: "proposer.ts",
        find: "if (leader !== undefined && !forwarded) {",
        replace: "if (leader !== undefined) {",
      },
    ],
  },
  {
    name: "a lease does not keep acceptors from promising",
    rule: 11,
    patches: [
      {
        file: "acceptor.ts",
        find: "if (now >= lease.until || sameProposer(ballot, lease.ballot)) return false;",
        replace: "if (now >= 0) return false;",
      },
    ],
  },
  {
    name: "a heartbeat below the promise grants",
    rule: 11,
    patches: [
      {
        file: "acceptor.ts",
        find: "if (order < 0) return this.#refuse(from, ballot);\n    if (order > 0) this.#promised = ballot;\n    const granted",
        replace: "if (order > 0) this.#promised = ballot;\n    const granted",
      },
    ],
  },
  {
    name: "lease counted from receipt",
    rule: 12,
    patches: [
      {
        file: "proposer.ts",
        find: 'state.grants.granted(indexOf("acceptor", from), message.leaseUntil, message.round);',
        replace:
          'state.grants.granted(indexOf("acceptor", from), now + this.#options.leaseMs, message.round);',
      },
    ],
  },
  {
    name: "grants of an earlier ballot count with those of the present one",
    rule: 12,
    patches: [
      {
        file: "grants.ts",
        find: "this.#until = new Array<number>(quorums.acceptors).fill(0);",
        replace: "this.#until = (quorums as any).until ??= new Array<number>(quorums.acceptors).fill(0);",
      },
    ],
    options: {
      profile: {
        topology: { proposers: 3, acceptors: 5, learners: 1 },
        quorums: { prepare: 2, accept: 4 },
        mode: "multi",
        leaseMs: 150,
        delayMsMax: 20,
        faultSteps: 2000,
        unrestEveryMs: 25,
      },
      faults: { cut: 0.4, impatience: 1, crashProposer: 0 },
    },
  },
  {
    name: "lease from one grant",
    rule: 12,
    patches: [
      { file: "grants.ts", find: "this.#reachedByQuorum(this.#until)", replace: "Math.max(...this.#until)" },
    ],
  },
  {
    name: "a restarted acceptor forgets its lease",
    rule: 13,
    patches: [
      {
        file: "acceptor.ts",
        find: "accepted: [...accepted.from(trimmedBelow)], lease };",
        replace: "accepted: [...accepted.from(trimmedBelow)], lease: noLease };",
      },
    ],
    options: {
      profile: { leasesAreKept: true, mode: "multi", unrestEveryMs: 60 },
      faults: { crashAcceptor: 0.08, impatience: 1 },
    },
  },
  {
    name: "an acceptor that does not know its lease does not wait",
    rule: 13,
    patches: [{ file: "acceptor.ts", find: "until: now + options.leaseMs }", replace: "until: 0 }" }],
    options: { profile: { leasesAreKept: false }, faults: { crashAcceptor: 0.08, impatience: 1 } },
  },
  {
    name: "a heartbeat's lease is not persisted",
    rule: 13,
    patches: [
      {
        file: "acceptor.ts",
        find: 'this.#persist.push({ kind: "lease", ballot, leaseUntil: granted });',
        replace: 'if (order > 0) this.#persist.push({ kind: "lease", ballot, leaseUntil: 0 });',
      },
    ],
    options: {
      profile: { leasesAreKept: true, mode: "multi", unrestEveryMs: 60 },
      faults: { crashAcceptor: 0.08, impatience: 1 },
    },
  },
  {
    name: "transfer before release",
    rule: 16,
    patches: [
      {
        file: "proposer.ts",
        find: "state.successor ??= { index: to, waitUntil: now + this.#options.leaseMs };",
        replace:
          'this.#send.push({ to: [actorAddress("proposer", to)], message: { type: "release", ballot: state.ballot } });',
      },
    ],
    options: { profile: { mode: "multi", unrestEveryMs: 60 }, faults: { transfer: 0.3 } },
  },
  {
    name: "read index = the leader's known chosen mark",
    rule: 17,
    patches: [
      {
        file: "proposer.ts",
        find: 'state.kind === "leading" ? readBelow(state) : 0;',
        replace: "this.#chosenBelow;",
      },
    ],
    options: {
      profile: {
        ...threeAcceptors,
        mode: "multi",
        leaseMs: 400,
        distinguishedLearner: true,
        readers: true,
        clients: 4,
        faultSteps: 2000,
      },
      faults: {
        drop: 0.1,
        reorder: 0.2,
        split: 0,
        cut: 0,
        impatience: 0,
        isolate: 0,
        crashProposer: 0,
        leave: 0,
        sleep: 0,
      },
    },
  },
  {
    name: "a read index without what phase 1 found",
    rule: 17,
    patches: [
      {
        file: "proposer-state.ts",
        find: "return last === undefined ? nextInstance : Math.max(nextInstance, endOf(last));",
        replace: "void last; return nextInstance;",
      },
    ],
    options: {
      profile: {
        ...threeAcceptors,
        mode: "multi",
        leaseMs: 60,
        delayMsMax: 20,
        pipelineBatchesMax: 1,
        batchCommandsMax: 1,
        trimming: false,
        clients: 4,
        distinguishedLearner: true,
        faultSteps: 2000,
      },
      faults: {
        drop: 0.1,
        split: 0,
        cut: 0,
        isolate: 0,
        crashLearner: 0.01,
        crashProposer: 0.002,
        leave: 0,
        sleep: 0,
      },
    },
  },
  {
    name: "lease checked before the index is taken",
    rule: 17,
    patches: [
      {
        file: "proposer.ts",
        find: "message.leaseUntil, message.round);",
        replace: "message.leaseUntil, message.round);\n        this.held = now < state.grants.leaseUntil;",
      },
      { file: "proposer.ts", find: "now < leaseUntil ? this", replace: "this.held ? this" },
      {
        file: "proposer.ts",
        find: "  #send: Envelope[] = [];",
        replace: "  #send: Envelope[] = [];\n  held = false;",
      },
    ],
    options: splitLeaders,
  },
  {
    name: "a read is answered without a lease",
    rule: 17,
    patches: [{ file: "proposer.ts", find: "now < leaseUntil ? this", replace: "now >= 0 ? this" }],
    options: splitLeaders,
  },
  {
    name: "a read joins a round already sent",
    rule: 17,
    patches: [
      {
        file: "proposer.ts",
        find: "if (leader === undefined && this.#reads.add(from, id, proposedBelow)) return;",
        replace:
          'if (leader === undefined && this.#reads.add(from, id, proposedBelow)) {\n      if (state.kind === "leading" && state.round > 0) this.#reads.roundSent(state.round);\n      return;\n    }',
      },
    ],
    // Several messages before the leader says anything: otherwise a round goes out as soon as it wakes up.
    options: { ...splitLeaders, profile: { ...splitLeaders?.profile, lateFlush: 1 } },
  },
  {
    name: "a round answered by one acceptor",
    rule: 17,
    patches: [
      {
        file: "grants.ts",
        find: "return this.#reachedByQuorum(this.#round);",
        replace: "return Math.max(...this.#round);",
      },
    ],
    options: splitLeaders,
  },
  {
    name: "a read keeps its index when its leader prepares again",
    rule: 17,
    patches: [
      {
        file: "proposer.ts",
        find: "for (const { from, id } of this.#reads.takeAll()) this.#onRead(from, id, now);",
        replace: "",
      },
    ],
    options: { ...splitLeaders, faults: { ...splitLeaders?.faults, impatience: 1 } },
  },
  {
    name: "a session that is active expires",
    rule: 22,
    patches: [
      {
        file: "replica.ts",
        find: "    this.#sessions.touch(session, this.#timeMs);\n    const admission",
        replace: "    const admission",
      },
    ],
    options: { profile: { sessionTimeoutMs: 600 } },
  },
  {
    name: "an idle client does not keep its session alive",
    rule: 22,
    patches: [
      {
        file: "client.ts",
        find: "if (now >= this.#keepAliveAt) this.#keepAlive(now);",
        replace: "if (now >= this.#keepAliveAt) this.#keepAliveAt = now + 1000;",
      },
    ],
    options: {
      profile: { sessionTimeoutMs: 600, idleMs: 10_000, leaseMs: 400, delayMsMax: 4, deadForEver: "nobody" },
      without: faultKinds,
    },
  },
  {
    name: "an expired session is never forgotten",
    rule: 22,
    patches: [
      {
        file: "sessions.ts",
        find: "if (timeMs - activeAt <= this.#timeoutMs) return;",
        replace: "if (timeMs >= 0) return;",
      },
    ],
    options: { profile: { sessionTimeoutMs: 600 }, faults: { sleep: 0.03 } },
  },
];
