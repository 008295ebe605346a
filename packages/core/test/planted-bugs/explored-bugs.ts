import type { Configuration } from "@synod/core/testing";
import { plantedBugs } from "./bugs.js";
import type { SourcePatch } from "./planted-bug.js";

/** A planted bug, and the smallest space that has a state in which it shows. */
export interface ExploredBug {
  readonly name: string;
  readonly configuration: Configuration["name"];
  readonly patches: readonly SourcePatch[];
}

/** Those of the planted bugs that break safety between the roles; the rest needs clocks, clients or liveness. */
const byConfiguration: Readonly<Record<string, readonly string[]>> = {
  duel: [
    "accept below the promise",
    "Accept does not raise the promise",
    "Promise reports the promised ballot as the accepted one",
    "a duplicate Promise counted twice",
    "a duplicate Accepted counted twice by the proposer",
    "a no-op over an accepted value",
    "the promise forgotten on restart",
    "the ballot of an accept forgotten on restart",
    "the promise is not persisted",
    "same ballot, another time stamp on resend",
    "Accept before phase 1 is done",
  ],
  "two-instances": [
    "slice off by one: the bytes",
    "slice off by one: the sequence number",
    "a slice of an accepted entry keeps its first instance",
  ],
  "two-instances-split": ["new commands before what phase 1 found"],
  pipeline: ["cumulative ack over a gap"],
  "pipeline-duel": ["holes skipped"],
  basic: ["same ballot, batched differently on resend"],
  parts: ["an incomplete Promise merged"],
  trim: ["trimmed reported as empty"],
  restart: ["ballot reused after restart", "a promise of another ballot counted"],
  learner: ["a duplicate Accepted counted twice by the learner", "votes of two ballots summed"],
  "three-ballots-duel": [
    "merge takes the first answer",
    "merge takes the last answer",
    "merge by majority of values",
  ],
  digest: ["values below the ballot that chose are taken for its values"],
  "four-acceptors-2-3": ["the phase-1 size asked in phase 2"],
  "disjoint-quorums": ["quorums with q1 + q2 = n"],
};

function patchesOf(name: string): readonly SourcePatch[] {
  const bug = plantedBugs.find(planted => planted.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug "${name}"`);
  return bug.patches;
}

/** The explorer has hosts of its own, so what its host does wrong is planted there. */
const answerBeforePersist: ExploredBug = {
  name: "answer before persist",
  configuration: "duel",
  patches: [
    {
      file: "testing/explorer/actors.ts",
      find: 'if (crash !== "before persisting") this.#persist(persist);',
      replace: 'this.#send(send);\n    if (crash !== "before persisting") this.#persist(persist);',
    },
  ],
};

export const exploredBugs: readonly ExploredBug[] = [
  ...Object.entries(byConfiguration).flatMap(([configuration, names]) =>
    names.map(name => ({ name, configuration, patches: patchesOf(name) })),
  ),
  answerBeforePersist,
];
