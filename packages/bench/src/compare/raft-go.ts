import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VerificationError } from "../experiment.js";
import { findProgram, stop, tailOf } from "./programs.js";
import type { Rival, RivalSlice, RivalSpec } from "./rival.js";

/** Where Debian's package has the sources of etcd. */
const debianGoPath = "/usr/share/gocode";
const library = "go.etcd.io/etcd/raft";
/** Whether etcd's raft library is there to be built with. */
export const hasRaftLibrary = (): boolean => existsSync(join(debianGoPath, "src", library));

const sources = fileURLToPath(new URL("../../rivals/raft-go", import.meta.url));

/** Builds the program in the folder, and starts it: three members and the clients, a goroutine each. */
export async function openRaftGo({ folder, payload }: RivalSpec, ending: AbortSignal): Promise<Rival> {
  const program = await build(folder, ending);
  const child = spawn(program, ["-payload", `${payload}`], { stdio: ["pipe", "pipe", "pipe"] });
  const said = tailOf(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new VerificationError(`the Go program ended${said()}`);
    return JSON.parse(value);
  };
  const ask = (task: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(task)}\n`);
    return answer();
  };
  child.stdin.on("error", () => undefined);
  await once(child, "spawn");
  const { version } = (await answer()) as { version: string };
  return {
    details: `${version}, Debian's package of the library`,
    pids: [child.pid!],
    async slice(clients, durationMs) {
      const found = await ask({ do: "slice", clients, durationMs });
      const { p50, p99, ...slice } = found as Omit<RivalSlice, "latencyMs"> & { p50: number; p99: number };
      return { ...slice, latencyMs: { p50, p99 } };
    },
    verify: async () => {
      await ask({ do: "check" });
    },
    close: () => stop(child),
  };
}

async function build(folder: string, signal: AbortSignal): Promise<string> {
  const go = findProgram("go");
  if (go === undefined) throw new Error("go is not on PATH");
  const program = join(folder, "raft-go");
  const target = join(folder, "path/src/raft-go");
  await mkdir(target, { recursive: true });
  await cp(sources, target, { recursive: true });
  const goPath = `${join(folder, "path")}:${debianGoPath}`;
  const env = { ...process.env, GO111MODULE: "off", GOFLAGS: "", GOPATH: goPath };
  await promisify(execFile)(go, ["build", "-o", program, "raft-go"], { env, signal });
  return program;
}
