import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { checkWritten, LoadedRival } from "./loaded-rival.js";
import { findProgram, startProgram } from "./programs.js";
import type { Rival, RivalSpec } from "./rival.js";

/** What a module of `rivals` gives. */
interface Connected {
  write(command: object, text: string): Promise<unknown>;
  /** Writes that took effect since the connection was made. */
  written(): Promise<number>;
  close(): unknown;
}

interface ServerKind {
  readonly program: string;
  readonly version: readonly string[];
  argumentsFor(port: number, otherPort: number, folder: string): readonly string[];
}

const loopback = "127.0.0.1";
const servers: Readonly<Record<string, ServerKind>> = {
  redis: {
    program: "redis-server",
    version: ["--version"],
    argumentsFor: port => [
      ...["--port", `${port}`, "--bind", loopback, "--daemonize", "no"],
      ...["--save", "", "--appendonly", "no"],
    ],
  },
  etcd: {
    program: "etcd",
    version: ["--version"],
    argumentsFor(port, peerPort, folder) {
      const [url, peerUrl] = [`http://${loopback}:${port}`, `http://${loopback}:${peerPort}`];
      return [
        ...["--data-dir", folder, "--logger", "zap", "--log-level", "error"],
        ...["--listen-client-urls", url, "--advertise-client-urls", url],
        ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
        ...["--initial-cluster", `default=${peerUrl}`],
        // A log without end would fill the folder.
        ...["--auto-compaction-mode", "revision", "--auto-compaction-retention", "10000"],
      ];
    },
  },
  nats: {
    program: "nats-server",
    version: ["--version"],
    argumentsFor: (port, _, folder) => ["-js", "-a", loopback, "-p", `${port}`, "-sd", folder],
  },
};

/** The module of `rivals` that speaks to something; only there are its packages to be found. */
export async function connectTo(module: string, options: object): Promise<Connected> {
  const url = new URL(`../../rivals/${module}.mjs`, import.meta.url);
  const { connect } = (await import(url.href)) as { connect(options: object): Promise<Connected> };
  return connect(options);
}

/** A server of its own, and a client of it on this thread. */
export async function openServer({ id, folder, payload }: RivalSpec, ending: AbortSignal): Promise<Rival> {
  const kind = servers[id]!;
  const path = findProgram(kind.program);
  if (path === undefined) throw new Error(`${kind.program} is not on PATH`);
  const server = await startProgram(path, (port, other) => kind.argumentsFor(port, other, folder), {
    folder,
    ending,
  });
  try {
    const connected = await connectTo(id, { port: server.port });
    const filling = "x".repeat(payload);
    return new LoadedRival(
      {
        details: await versionOf(path, kind.version),
        pids: [server.pid],
        propose: command => connected.write(command, `${command.value}${filling}`),
        verify: async acknowledged => checkWritten(await connected.written(), acknowledged),
        async close() {
          await connected.close();
          await server.stop();
        },
      },
      payload,
    );
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function versionOf(path: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(path, args);
  return `${stdout}${stderr}`.trim().split("\n")[0] ?? "";
}
