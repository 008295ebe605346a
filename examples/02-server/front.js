// The one port. This thread speaks HTTP and keeps every request until a worker thread has answered it.
import { once } from "node:events";
import { createServer } from "node:http";
import { Piscina } from "piscina";

const bodyBytesMax = 10_000;
/** A request whose thread has ended so often may be the reason. */
const attemptsMax = 5;

/** Starts `threads` worker threads and listens. `port` 0 is any free one. */
export async function listen({ port, threads, workerData }) {
  const pool = new Piscina({
    filename: new URL("./worker.js", import.meta.url).href,
    workerData,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1_000,
    // Threads wait in their event loops, where their replicas follow the log, and not blocked.
    atomics: "disabled",
  });
  // Whoever has asked for nothing loses nothing: the pool replaces the thread.
  pool.on("error", error => console.error("a worker thread ended:", error.message));
  const front = new Front(pool);
  const server = createServer((request, response) => void front.serve(request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    front,
    pool,
    async close() {
      front.closing = true;
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await pool.destroy();
    },
  };
}

export class Front {
  /** Requests that were answered, and those that were given to another thread because theirs had ended. */
  answered = 0;
  repeated = 0;
  closing = false;
  /** The threads that have answered. */
  threadsSeen = new Set();
  onAnswer = () => undefined;
  #pool;
  #lastId = 0;
  /**
   * How much of the state any answer so far has shown. Every request carries it to the thread that answers, which
   * waits until it can show as much: so all threads together look like one, and nobody sees time go back.
   */
  #seen = -1;

  constructor(pool) {
    this.#pool = pool;
  }

  async serve(incoming, response) {
    let answer;
    try {
      answer = await this.#answer(await requestFrom(incoming, `#${++this.#lastId}`));
    } catch (error) {
      answer = { status: 400, body: { error: error.message } };
    }
    const text = JSON.stringify(answer.body);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const { retryAfterMs } = answer.body;
    if (retryAfterMs !== undefined) headers["retry-after"] = Math.ceil(retryAfterMs / 1000);
    response.writeHead(answer.status, headers).end(text);
    this.answered += 1;
    this.onAnswer();
  }

  async #answer(request) {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#pool.run({ ...request, seen: this.#seen });
        if (answer.seen > this.#seen) this.#seen = answer.seen;
        this.threadsSeen.add(answer.threadId);
        return answer;
      } catch (error) {
        // The worker answers whatever happens, so the thread has ended. Did it do what it was asked? Nobody knows, and
        // it need not matter: the request has a number, and has its effect once however often it is sent.
        if (this.closing) throw error;
        if (attempt === attemptsMax)
          return { status: 503, body: { error: "every thread that took it has ended" } };
        this.repeated += 1;
      }
    }
  }
}

/** A request as worker threads see it. A client that repeats requests numbers them itself, by Idempotency-Key. */
async function requestFrom(incoming, number) {
  const { method, headers } = incoming;
  const path = incoming.url.split("?")[0];
  const token = /^Bearer (\S{1,100})$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const key = headers["idempotency-key"];
  if (key !== undefined && !/^[\w-]{1,100}$/.test(key))
    throw new TypeError("Idempotency-Key: 1 to 100 letters");
  // A user's keys are apart from those of all others.
  const id = key === undefined ? number : `${method} ${path} ${token} ${key}`;
  const body = method === "POST" ? await bodyOf(incoming) : undefined;
  return { id, method, path, token, body };
}

async function bodyOf(incoming) {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) {
    text += chunk;
    if (text.length > bodyBytesMax) throw new RangeError("the body is too long");
  }
  return text === "" ? undefined : JSON.parse(text);
}
