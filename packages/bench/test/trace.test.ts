import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageCounts } from "../dist/message-groups.js";
import { consensusTypes } from "../dist/message-groups.js";

interface WrittenPart {
  readonly note: string;
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
  readonly frames: MessageCounts;
}

interface WrittenTrace {
  readonly protocols: readonly {
    readonly protocol: string;
    readonly parts: readonly WrittenPart[];
    readonly frames: readonly { readonly type: string; readonly atMs: number }[];
  }[];
}

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
/** A machine that stalls for long makes the protocol repeat itself; so many runs are looked at for a calm one. */
const runsMax = 5;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-trace-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A run of real clusters in which nothing was sent twice. */
async function trace(...options: string[]): Promise<{ text: string; written: WrittenTrace }> {
  const json = join(folder, "trace.json");
  for (let attempt = 1; ; attempt++) {
    const { stdout: text } = await run(process.execPath, [cli, "trace", ...options, "--json", json]);
    const written = JSON.parse(await readFile(json, "utf8")) as WrittenTrace;
    const again = written.protocols.flatMap(({ parts }) => parts).some(({ frames }) => frames.again > 0);
    if (!again || attempt === runsMax) return { text, written };
  }
}

/** The lines of a chart under a note: kind of message, delay, frames. */
function linesUnder(text: string, note: string): [kind: string, delay: number, frames: number][] {
  const lines = text.split("\n");
  const start = lines.findIndex(line => line.endsWith(` ${note}`)) + 1;
  expect(start, `a part ${note} in\n${text}`).toBeGreaterThan(0);
  const drawn: [string, number, number][] = [];
  for (const line of lines.slice(start)) {
    const found = /[X|] +([A-Z]\w+)(?:\(.*\))?(?: +(\d+))? +(\d+)(?: +\d+ of \d+)?$/.exec(line);
    if (found === null) break;
    drawn.push([found[1] ?? "", Number(found[2] ?? 0), Number(found[3])]);
  }
  return drawn;
}

const consensus = new Set<string>(consensusTypes);

test("both protocols: the messages, delays and counts of real runs are those of the papers", async () => {
  const { text, written } = await trace();
  const [basic, multi] = written.protocols;
  expect(linesUnder(text, "instance 1")).toEqual([
    ["Request", 0, 1],
    ["Prepare", 1, 3],
    ["Promise", 2, 3],
    ["Accept", 3, 3],
    ["Accepted", 4, 9],
    ["Response", 0, 1],
  ]);
  const afterBasic = text.slice(text.indexOf("Multi-Paxos\n"));
  expect(linesUnder(afterBasic, "phase 1, once for all instances")).toEqual([
    ["Prepare", 1, 3],
    ["Promise", 2, 3],
  ]);
  for (const note of ["instance 1", "instance 2", "instances 3 to 4, one batch"]) {
    expect(linesUnder(afterBasic, note)).toEqual([
      ["Request", 0, 1],
      ["Accept", 1, 3],
      ["Accepted", 2, 9],
      ["Response", 0, 1],
    ]);
  }
  const once = { again: 0, request: 1, forwarding: 0, response: 1 };
  expect(basic?.parts).toMatchObject([
    { messageDelays: 4, messageDelaysAllLearners: 4, frames: { consensus: 18, ...once } },
  ]);
  const following = { messageDelays: 2, messageDelaysAllLearners: 2, frames: { consensus: 12, ...once } };
  expect(multi?.parts.slice(1)).toMatchObject([following, following, following]);
  for (const { frames } of written.protocols) {
    expect(frames[0]).toMatchObject({ atMs: 0 });
    // What learners tell each other, and what a client asks for, may come before anybody stands for election.
    const first = frames.find(({ type }) => consensus.has(type));
    expect(first).toMatchObject({ type: "prepare" });
    expect(frames.map(({ atMs }) => atMs)).toEqual(frames.map(({ atMs }) => atMs).sort((a, b) => a - b));
  }
});

test.each([
  [1, 1],
  [7, 4],
])("%i acceptors and %i learners", async (acceptors, learners) => {
  const shape = ["--acceptors", String(acceptors), "--learners", String(learners)];
  const { text, written } = await trace(...shape, "--protocol", "basic-paxos", "--commands", "1");
  const accepted = acceptors * (learners + 1);
  expect(linesUnder(text, "instance 1")).toEqual([
    ["Request", 0, 1],
    ["Prepare", 1, acceptors],
    ["Promise", 2, acceptors],
    ["Accept", 3, acceptors],
    ["Accepted", 4, accepted],
    ["Response", 0, 1],
  ]);
  expect(written.protocols).toHaveLength(1);
  expect(written.protocols[0]?.parts).toMatchObject([
    { messageDelays: 4, messageDelaysAllLearners: 4, frames: { consensus: 3 * acceptors + accepted } },
  ]);
});

test.each([
  { options: ["--distinguished-learner"], accept: 3, accepted: 6, chosen: 1, delaysAllLearners: 3 },
  { options: ["--digest"], accept: 5, accepted: 9, chosen: 0, delaysAllLearners: 2 },
  {
    options: ["--digest", "--distinguished-learner"],
    accept: 4,
    accepted: 6,
    chosen: 1,
    delaysAllLearners: 3,
  },
])("Multi-Paxos $options", async ({ options, accept, accepted, chosen, delaysAllLearners }) => {
  const { text, written } = await trace(...options, "--protocol", "multi-paxos", "--commands", "1");
  const lines = linesUnder(text, "instance 1");
  // The learner may answer its client before or after it tells the others.
  expect(lines.filter(([kind]) => kind !== "Request" && kind !== "Response")).toEqual([
    ["Accept", 1, accept],
    ["Accepted", 2, accepted],
    ...(chosen === 0 ? [] : [["Chosen", 3, chosen]]),
  ]);
  expect(text.includes("H(V1)")).toBe(options.includes("--digest"));
  const consensus = accept + accepted + chosen;
  expect(written.protocols[0]?.parts[1]).toMatchObject({
    messageDelays: 2,
    messageDelaysAllLearners: delaysAllLearners,
    frames: { consensus, again: 0 },
  });
});

test("an unknown protocol is an error that names the protocols", async () => {
  await expect(run(process.execPath, [cli, "trace", "--protocol", "raft"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/basic-paxos, multi-paxos, both/),
  });
});
