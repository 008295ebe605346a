import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const run = promisify(execFile);

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill("SIGKILL");
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "it prints an address that works, once, and %s ends it cleanly",
  async signal => {
    const shape = ["--clients", "2", "--acceptors", "1", "--learners", "1", "--threads", "single"];
    const started = spawn(process.execPath, [cli, "live", ...shape], { stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    let said = "";
    started.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    const complained = text(started.stderr);
    const closed = once(started, "close");
    const address = /^http:\/\/127\.0\.0\.1:\d+\/([\w-]{32})\/$/m;
    while (!said.includes("Ctrl-C")) await once(started.stdout, "data");
    const [url = "", token = ""] = address.exec(said) ?? [];
    expect((await fetch(url)).status).toBe(200);
    // A page that is open must not keep it from ending.
    const stream = await fetch(new URL("events", url));
    expect(stream.status).toBe(200);
    expect((await fetch(new URL("/elsewhere", url))).status).toBe(403);
    started.kill(signal);
    expect(await closed).toEqual([0, null]);
    await stream.body?.cancel().catch(() => {});
    expect(await complained).toBe("");
    expect(said.split(token)).toHaveLength(2);
  },
);

test("a port that is taken is an error, and nothing stays behind", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  try {
    const { port } = taken.address() as { port: number };
    const asked = run(process.execPath, [cli, "live", "--threads", "single", "--port", String(port)]);
    await expect(asked).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`127.0.0.1:${port}`),
    });
  } finally {
    taken.close();
  }
});

test("what is out of bounds is refused", async () => {
  const asked = run(process.execPath, [cli, "live", "--clients", "0"]);
  await expect(asked).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("from 1 to 16384") });
});
