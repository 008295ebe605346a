import Counters from "@synod/runtime/counters";
import KeyValueStore from "@synod/runtime/kv";

/**
 * The state that all worker threads share: who is logged in, how many tokens each user has left, how often each has
 * visited. It is made of ready machines. Every command carries the number of the HTTP request that it belongs to; one
 * that comes again, because the thread that sent it died before it could answer, has no effect and the same result.
 */
export default class SiteState {
  static moduleUrl = import.meta.url;
  #options;
  /** Users by the token of their session. */
  #sessions = new KeyValueStore();
  /** Results by the number of the request. */
  #results = new KeyValueStore();
  #counters = new Counters();

  /** `limit` is a token bucket per user; the others are milliseconds. */
  constructor({ limit, sessionTtlMs, rememberMs }) {
    this.#options = { limit: { tokens: 1, ...limit }, sessionTtlMs, rememberMs };
  }

  apply(command, at) {
    const { request } = command;
    const remembered = this.#results.get(request, at.timeMs);
    if (remembered !== undefined) return remembered;
    const result = this.#run(command, at);
    this.#results.apply({ op: "set", key: request, value: result, ttlMs: this.#options.rememberMs }, at);
    return result;
  }

  #run(command, at) {
    switch (command.op) {
      case "login": {
        const { token, user } = command;
        this.#sessions.apply({ op: "set", key: token, value: user, ttlMs: this.#options.sessionTtlMs }, at);
        return { status: 200, body: { token } };
      }
      case "logout":
        this.#sessions.apply({ op: "delete", key: command.token }, at);
        return { status: 200, body: {} };
      case "visit": {
        const user = this.#sessions.get(command.token, at.timeMs);
        if (user === undefined) return notLoggedIn;
        const taken = this.#counters.apply({ op: "take", key: user, ...this.#options.limit }, at);
        if (!taken.allowed) return tooMany(taken);
        this.#counters.apply({ op: "add", key: "visits of all" }, at);
        return {
          status: 200,
          body: { visits: this.#counters.apply({ op: "add", key: `visits: ${user}` }, at) },
        };
      }
      default:
        throw new TypeError(`unknown operation ${command.op}`);
    }
  }

  // What follows reads only: the worker threads call it on their own replicas.

  /** Why a visit would be refused at that time, if it would. */
  refusal(token, timeMs) {
    const user = this.#sessions.get(token, timeMs);
    if (user === undefined) return notLoggedIn;
    const taken = this.#counters.peek(user, this.#options.limit, timeMs);
    return taken.allowed ? undefined : tooMany(taken);
  }

  profile(token, timeMs) {
    const user = this.#sessions.get(token, timeMs);
    if (user === undefined) return notLoggedIn;
    return { status: 200, body: { user, visits: this.#counters.get(`visits: ${user}`) } };
  }

  total() {
    return { status: 200, body: { visits: this.#counters.get("visits of all") } };
  }

  *snapshot() {
    for (const name of parts) for (const chunk of this.#part(name).snapshot()) yield [name, chunk];
  }

  /** Each part restores itself from its own chunks. */
  async restore(chunks) {
    const byPart = new Map(parts.map(name => [name, []]));
    for await (const [name, chunk] of chunks) byPart.get(name).push(chunk);
    for (const [name, list] of byPart) await this.#part(name).restore(list);
  }

  #part(name) {
    return { sessions: this.#sessions, results: this.#results, counters: this.#counters }[name];
  }
}

const parts = ["sessions", "results", "counters"];
const notLoggedIn = { status: 401, body: { error: "log in first" } };
const tooMany = ({ retryAfterMs }) => ({ status: 429, body: { error: "too many visits", retryAfterMs } });
