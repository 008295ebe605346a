import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";

/** Debian keeps some servers where only root's PATH leads. */
const foldersBeside = process.platform === "win32" ? [] : ["/usr/sbin", "/usr/local/sbin"];
const listensWithinMs = 15_000;
const pollMs = 20;
/** A free port may be taken by somebody else before the program takes it. */
const portsTried = 3;
/** A program that does not end by itself within this time is killed. */
export const endsWithinMs = 5000;
const saidBytesMax = 2000;

/** A program that listens on a port of the loopback. */
export interface StartedProgram {
  readonly pid: number;
  readonly port: number;
  /** Resolves once it has ended. */
  stop(): Promise<void>;
}

/** Where a program is, if PATH or a folder beside it has it. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  const folders = [...path.split(delimiter).filter(folder => folder !== ""), ...foldersBeside];
  return folders.map(folder => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a program; resolves once it accepts connections. Rejects, with what it said, when it ends instead. */
export async function startProgram(
  path: string,
  argumentsFor: (port: number, otherPort: number) => readonly string[],
  { folder, ending }: { readonly folder: string; readonly ending?: AbortSignal },
): Promise<StartedProgram> {
  for (let tried = 1; ; tried++) {
    const [port, otherPort] = await Promise.all([freePort(), freePort()]);
    const child = spawn(path, argumentsFor(port, otherPort), {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = tailOf(child.stdout, child.stderr);
    try {
      await listening(child, port, ending);
      return { pid: child.pid!, port, stop: () => stop(child) };
    } catch (error) {
      await stop(child);
      if (tried < portsTried && !ending?.aborted) continue;
      throw new Error(`${path} did not start: ${error instanceof Error ? error.message : error}${said()}`);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port of the loopback is free");
  await new Promise(resolve => server.close(resolve));
  return address.port;
}

async function listening(child: ChildProcess, port: number, ending?: AbortSignal): Promise<void> {
  let failure: string | undefined;
  child.once("error", error => {
    failure = error.message;
  });
  child.once("exit", (code, signal) => {
    failure ??= `it ended with ${code ?? signal}`;
  });
  const giveUpAt = performance.now() + listensWithinMs;
  while (!(await accepts(port)) || failure !== undefined) {
    if (failure !== undefined) throw new Error(failure);
    ending?.throwIfAborted();
    if (performance.now() > giveUpAt) throw new Error(`nothing listens on port ${port}`);
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, "127.0.0.1");
    const settle = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** Asks a child to end, and kills it when it does not. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const killing = setTimeout(() => child.kill("SIGKILL"), endsWithinMs);
  await ended;
  clearTimeout(killing);
}

/** Keeps the last of what a child says. */
export function tailOf(...streams: readonly (NodeJS.ReadableStream | null)[]): () => string {
  let said = "";
  for (const stream of streams) {
    stream?.on("data", chunk => {
      said = (said + chunk).slice(-saidBytesMax);
    });
  }
  return () => (said === "" ? "" : `\n${said.trimEnd()}`);
}
