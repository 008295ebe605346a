// Debian's redis-server as a child of this process: on a free port of the loopback, keeping nothing on disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** The program, if PATH has it. */
export function findRedisServer() {
  const candidates = (process.env.PATH ?? "").split(delimiter).map(folder => join(folder, "redis-server"));
  return candidates.find(path => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Resolves when it accepts connections. */
export async function startRedisServer() {
  const program = findRedisServer();
  if (program === undefined)
    throw new Error("redis-server is not on PATH: install Debian's package redis-server");
  const port = await freePort();
  const child = spawn(
    program,
    ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  // It must not outlive this process, however that ends.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "exit");
  const said = [];
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (line.includes("Ready to accept connections")) return;
    }
    throw new Error(`redis-server ended: ${said.join("\n")}`);
  })();
  await ready;
  child.stdout.resume();
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      process.off("exit", kill);
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  return port;
}
