// A worker thread: answers requests. What they look like on the wire is the business of front.js.
import { randomUUID } from "node:crypto";
import { threadId, workerData } from "node:worker_threads";

/** Loads and opens the state; the pool gives this thread its first request when that is done. */
async function createHandler() {
  const { open } = await import(workerData.stateModule);
  const state = await open(workerData);

  const routes = {
    "POST /login": ({ id, body }) =>
      body?.user
        ? state.login(id, String(body.user), randomUUID())
        : { status: 400, body: { error: "no user" } },
    "POST /logout": ({ id, token }) => state.logout(id, token),
    "POST /visits": ({ id, token }) => state.visit(id, token),
    "GET /me": ({ token }) => state.profile(token),
    "GET /visits": () => state.total(),
  };

  return async request => {
    const route = routes[`${request.method} ${request.path}`];
    if (route === undefined) return { status: 404, body: { error: "no such page" }, seen: -1 };
    try {
      await state.caughtUp(request.seen);
      const { status, body } = await route(request);
      return { status, body, seen: state.seen(), threadId };
    } catch (error) {
      // Nothing was agreed in time, or the outcome is unknown: the client may ask again with the same Idempotency-Key.
      return { status: 503, body: { error: error.code ?? error.message }, seen: -1 };
    }
  };
}

export default createHandler();
