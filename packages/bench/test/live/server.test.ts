import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import { SynodError } from "@synod/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveLimits } from "../../dist/live/limits.js";
import type { LiveUpdate } from "../../dist/live/messages.js";
import { type Actions, LiveServer } from "../../dist/live/server.js";
import { ActionRefused } from "../../dist/live/session.js";

const welcome: LiveUpdate = {
  type: "welcome",
  state: {
    phase: { kind: "running" },
    settings: { batch: null, pipeline: 16, trace: false },
    clients: 4,
    leader: "proposer-0",
    actors: [],
  },
  samples: [],
  events: [],
  chart: null,
};

let done: unknown[];
let listeners: Set<(update: LiveUpdate) => void>;
let server: LiveServer;

/** Notes what it is asked to do; one actor cannot be killed. */
const session: Actions = {
  subscribe: listener => {
    listeners.add(listener);
    listener(welcome);
    return () => listeners.delete(listener);
  },
  kill: async actor => {
    if (actor === "nobody") throw new ActionRefused("there is no actor nobody");
    if (actor === "closed") throw new SynodError("CLUSTER_CLOSED", "the cluster is closed");
    done.push(["kill", actor]);
  },
  pause: async (actor, ms) => void done.push(["pause", actor, ms]),
  setClients: clients => void done.push(["load", clients]),
  restart: async settings => void done.push(["settings", settings]),
};

beforeEach(async () => {
  done = [];
  listeners = new Set();
  server = await LiveServer.listen(session, 0);
});
afterEach(() => server.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** fetch() does not let anybody choose a Host. */
async function ask(url: string | URL, { method = "GET", headers = {}, body }: Asked = {}) {
  const sent = request(url, { method, headers: { "content-type": "application/json", ...headers } });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, "response");
  return {
    status: response.statusCode as number,
    headers: response.headers as IncomingHttpHeaders,
    body: await text(response),
  };
}

const below = (path: string) => new URL(path, server.url);
const post = (path: string, body: unknown, headers = {}) =>
  ask(below(path), { method: "POST", headers, body });

test("it listens on the loopback, with a token that is never the same", async () => {
  const other = await LiveServer.listen(session, 0);
  try {
    const [first, second] = [server.url, other.url].map(url =>
      /^http:\/\/127\.0\.0\.1:\d+\/([\w-]{32})\/$/.exec(url),
    );
    expect(first).not.toBeNull();
    expect(second).not.toBeNull();
    expect(first?.[1]).not.toBe(second?.[1]);
  } finally {
    await other.close();
  }
});

test("the page and every file that it loads are served, and allow nothing of anybody else", async () => {
  const page = await ask(server.url);
  expect(page.status).toBe(200);
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(page.headers["referrer-policy"]).toBe("no-referrer");
  expect(page.body).not.toContain("http");
  const linked = [...page.body.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path ?? "");
  expect(linked.sort()).toEqual(["page/main.js", "style.css", "uplot.css"]);
  const loaded = new Set<string>();
  const load = async (path: string): Promise<void> => {
    if (loaded.has(path)) return;
    loaded.add(path);
    const { status, body, headers } = await ask(below(path));
    expect([path, status]).toEqual([path, 200]);
    expect(headers["content-type"]).toContain(path.endsWith(".css") ? "text/css" : "text/javascript");
    for (const [, imported = ""] of body.matchAll(/^import .*?from "(\.[^"]+)"/gm)) {
      await load(new URL(imported, `http://page/${path}`).pathname.slice(1));
    }
  };
  for (const path of [...linked, "uplot.js"]) await load(path);
  expect([...loaded].filter(path => path.endsWith(".js")).length).toBeGreaterThan(9);
});

test("without the token there is nothing: no page, no file, no stream, no action", async () => {
  const { origin } = new URL(server.url);
  const wrong = server.url.slice(0, -2);
  for (const address of [`${origin}/`, `${origin}/events`, `${origin}/style.css`, wrong, `${wrong}/events`]) {
    expect([address, (await ask(address)).status]).toEqual([address, 403]);
  }
  for (const address of [`${origin}/kill`, `${wrong}/kill`]) {
    const asked = { method: "POST", body: { actor: "proposer-0" } };
    expect([address, (await ask(address, asked)).status]).toEqual([address, 403]);
  }
  expect(done).toEqual([]);
  expect(listeners.size).toBe(0);
});

test("a name of somebody else that points here is refused, and so are the pages of others", async () => {
  const { port } = new URL(server.url);
  expect((await ask(server.url, { headers: { host: `attacker.example:${port}` } })).status).toBe(403);
  expect((await ask(server.url, { headers: { host: "127.0.0.1:1" } })).status).toBe(403);
  expect((await ask(server.url, { headers: { host: `localhost:${port}` } })).status).toBe(200);
  const body = { actor: "proposer-0" };
  expect((await post("kill", body, { host: `attacker.example:${port}` })).status).toBe(403);
  expect((await post("kill", body, { origin: "http://attacker.example" })).status).toBe(403);
  expect(done).toEqual([]);
  expect((await post("kill", body, { origin: new URL(server.url).origin })).status).toBe(200);
  expect(done).toEqual([["kill", "proposer-0"]]);
});

test("actions are posted, and nothing else does anything", async () => {
  await post("kill", { actor: "acceptor-1" });
  await post("pause", { actor: "learner-0", ms: 2000 });
  await post("load", { clients: 12 });
  await post("settings", { batch: null, pipeline: 4, trace: true });
  expect(done).toEqual([
    ["kill", "acceptor-1"],
    ["pause", "learner-0", 2000],
    ["load", 12],
    ["settings", { batch: null, pipeline: 4, trace: true }],
  ]);
  done = [];
  for (const path of ["kill", "pause", "load", "settings"]) expect((await ask(below(path))).status).toBe(404);
  expect(done).toEqual([]);
});

test.each([
  ["load", { clients: 0 }, "clients"],
  ["load", { clients: 1.5 }, "clients"],
  ["load", { clients: "many" }, "clients"],
  ["pause", { actor: "learner-0", ms: 1e9 }, "ms"],
  ["kill", {}, "actor"],
  ["kill", { actor: "learner-0", also: 1 }, "also"],
  ["settings", { batch: 0, pipeline: 1, trace: false }, "batch"],
  ["kill", undefined, "body"],
])("%s %j is refused, and the answer names the %s", async (path, body, named) => {
  const { status, body: answer } = await post(path, body);
  expect(status).toBe(400);
  expect((JSON.parse(answer) as { error: string }).error).toContain(named);
  expect(done).toEqual([]);
});

test("what cannot be done now is answered with the reason", async () => {
  expect(await post("kill", { actor: "nobody" })).toMatchObject({
    status: 409,
    body: JSON.stringify({ error: "there is no actor nobody" }),
  });
  const { status, body } = await post("kill", { actor: "closed" });
  expect(status).toBe(409);
  expect(JSON.parse(body)).toMatchObject({ code: "CLUSTER_CLOSED" });
  expect((await post("kill", { actor: "x".repeat(10_000) })).status).toBe(413);
});

test("the stream tells everything so far and then what comes, and ends with the server", async () => {
  const sent = request(below("events"));
  sent.end();
  const [response] = await once(sent, "response");
  expect(response.headers["content-type"]).toContain("text/event-stream");
  response.setEncoding("utf8");
  let received = "";
  const until = async (wanted: string) => {
    while (!received.includes(wanted)) received += String((await once(response, "data"))[0]);
  };
  await until(`data: ${JSON.stringify(welcome)}\n\n`);
  expect(listeners.size).toBe(1);
  const update: LiveUpdate = { type: "state", state: { ...welcome.state, clients: 99 } };
  for (const listener of listeners) listener(update);
  await until(`data: ${JSON.stringify(update)}\n\n`);
  const ended = once(response, "close").catch((error: unknown) => error);
  await server.close();
  await ended;
  server = await LiveServer.listen(session, 0);
});

test("a page that does not read is given up, and is welcome again", async () => {
  const connect = async () => {
    const sent = request(below("events"));
    sent.end();
    const [response] = await once(sent, "response");
    return response;
  };
  const idle = await connect();
  idle.on("error", () => {});
  const update: LiveUpdate = {
    type: "chart",
    chart: { columns: [], rows: [], note: "x".repeat(2 ** 16) },
  };
  // What the system's buffers take waits for nobody.
  const updatesMax = 20 * liveLimits.updatesWaitingMax;
  for (let updates = 0; listeners.size > 0 && updates < updatesMax; updates++) {
    for (const listener of listeners) listener(update);
    await new Promise(resolve => setImmediate(resolve));
  }
  expect(listeners.size).toBe(0);
  idle.destroy();
  const again = await connect();
  expect(String((await once(again, "data"))[0])).toContain('"welcome"');
  again.destroy();
});
