// What the run of examples/02-server cannot show each time: a request that comes twice, and the same server on Redis.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkStateMachine } from "@synod/runtime/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const folder = join(repositoryRoot, "examples/02-server");
const load = (file: string) => import(pathToFileURL(join(folder, file)).href);
const { default: SiteState } = await load("site-state.js");
const { startSite } = await load("site.js");
const { Front } = await load("front.js");
const { findRedisServer } = await load("redis-server.js");

const settings = { limit: { capacity: 2, refillPerSecond: 0.001 }, sessionTtlMs: 1_000, rememberMs: 5_000 };

describe("the state of the server", () => {
  test("a request that is repeated has its effect once and its first result", () => {
    const state = new SiteState(settings);
    const apply = (command: object, instance: number, timeMs = 0) =>
      state.apply(command, { instance, timeMs }) as { status: number; body: object };
    apply({ op: "login", request: "1", user: "ada", token: "t" }, 0);
    const visit = { op: "visit", request: "2", token: "t" };
    expect(apply(visit, 1)).toEqual({ status: 200, body: { visits: 1 } });
    expect(apply(visit, 2)).toEqual({ status: 200, body: { visits: 1 } });
    expect(apply({ ...visit, request: "3" }, 3)).toEqual({ status: 200, body: { visits: 2 } });
    expect(apply({ ...visit, request: "4" }, 4).status).toBe(429);
    expect(state.refusal("t", 0).status).toBe(429);
    expect(state.total()).toEqual({ status: 200, body: { visits: 2 } });
    // The session is over; what was answered before is remembered for longer.
    expect(apply({ ...visit, request: "5" }, 5, 1_500).status).toBe(401);
    expect(apply(visit, 6, 1_500)).toEqual({ status: 200, body: { visits: 1 } });
  });

  test("is a state machine as the learners need it", async () => {
    await checkStateMachine({
      create: () => new SiteState(settings),
      commands: random => ({
        op: random.pick(["login", "logout", "visit", "visit", "visit"]),
        request: `${random.below(60)}`,
        user: random.pick(["ada", "bob"]),
        token: random.pick(["t", "u"]),
      }),
    });
  });
});

describe("the front of the server", () => {
  async function answerOf(
    run: (tries: number) => Promise<object>,
  ): Promise<[status: number, body: unknown, tries: number]> {
    let tries = 0;
    const front = new Front({ run: () => run(++tries) });
    const server = createServer((request, response) => void front.serve(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/me`);
    const body = await response.json();
    await new Promise(resolve => server.close(resolve));
    return [response.status, body, tries];
  }

  test("gives a request to another thread when its own has ended, but not for ever", async () => {
    const answer = { status: 200, body: { user: "ada" }, seen: 1, threadId: 1 };
    const ended = () => Promise.reject(new Error("Terminating worker thread"));
    expect(await answerOf(async tries => (tries < 3 ? ended() : answer))).toEqual([200, answer.body, 3]);
    const [status, body, tries] = await answerOf(ended);
    expect([status, tries]).toEqual([503, 5]);
    expect(body).toEqual({ error: expect.stringContaining("ended") });
  });
});

describe.each(["synod", "redis"])("the server on %s", state => {
  const isAbsent = state === "redis" && findRedisServer() === undefined;
  let site: { url: string; close(): Promise<void> } | undefined;
  beforeAll(async () => {
    if (!isAbsent) site = await startSite({ state, threads: 2, ...settings, sessionTtlMs: 60_000 });
  });
  afterAll(() => site?.close());

  test("answers as it should", async context => {
    if (isAbsent) context.skip("redis-server is not on PATH: install Debian's package redis-server");
    const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
      const response = await fetch(`${site?.url}${path}`, { method, headers, body: body ?? null });
      const answer = (await response.json()) as { token?: string; visits?: number; user?: string };
      return {
        ...answer,
        status: response.status,
        retryAfter: response.headers.get("retry-after"),
      };
    };
    expect(await ask("GET", "/nowhere")).toMatchObject({ status: 404 });
    expect(await ask("POST", "/login", {}, "{")).toMatchObject({ status: 400 });
    expect(await ask("POST", "/visits")).toMatchObject({ status: 401 });
    const { token } = await ask("POST", "/login", {}, JSON.stringify({ user: "ada" }));
    const ada = { authorization: `Bearer ${token}` };
    const again = { ...ada, "idempotency-key": "k1" };
    // The client repeats a request with its key: counted once.
    expect(await ask("POST", "/visits", again)).toMatchObject({ status: 200, visits: 1 });
    expect(await ask("POST", "/visits", again)).toMatchObject({ status: 200, visits: 1 });
    expect(await ask("POST", "/visits", ada)).toMatchObject({ status: 200, visits: 2 });
    const refused = await ask("POST", "/visits", ada);
    expect(refused.status).toBe(429);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(await ask("GET", "/me", ada)).toMatchObject({ status: 200, user: "ada", visits: 2 });
    expect(await ask("GET", "/visits")).toMatchObject({ status: 200, visits: 2 });
    expect(await ask("POST", "/logout", ada)).toMatchObject({ status: 200 });
    expect(await ask("GET", "/me", ada)).toMatchObject({ status: 401 });
  });
});

test("the server on redis loses nothing when a thread is killed under load", async context => {
  if (findRedisServer() === undefined)
    context.skip("redis-server is not on PATH: install Debian's package redis-server");
  const result = await runCommand(process.execPath, ["main.js", "redis"], { cwd: folder });
  expectSuccess("examples/02-server/main.js redis", result);
});
