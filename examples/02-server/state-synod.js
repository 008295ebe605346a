import { Cluster, connect, joinReplica } from "@synod/runtime";
import SiteState from "./site-state.js";

/**
 * A command of a thread that died may still be on its way, but only as long as the session of that thread's client
 * lasts. Results are remembered for longer, so such a command never has an effect besides that of its repetition.
 */
const sessionTimeoutMs = 10_000;

/** In the thread that starts the server: the cluster, and what the worker threads need to get in. */
export async function start(settings) {
  const machineOptions = { ...settings, rememberMs: 3 * sessionTimeoutMs };
  const cluster = await Cluster.start({
    stateMachine: SiteState,
    stateMachineOptions: machineOptions,
    sessionTimeoutMs,
  });
  return { cluster, workerData: { handle: cluster.handle(), machineOptions }, close: () => cluster.close() };
}

/** In each worker thread: a replica to read from, a client to write with. */
export async function open({ handle, machineOptions }) {
  const [replica, client] = await Promise.all([
    joinReplica(handle, () => new SiteState(machineOptions)),
    connect(handle),
  ]);
  const read = fn => replica.read((state, { timeMs }) => fn(state, timeMs));

  async function propose(command) {
    try {
      return await client.propose(command);
    } catch (error) {
      // This thread stood still for so long that it was taken for dead. It ends; another one does the request anew.
      if (error.code === "SESSION_EXPIRED") process.exit(1);
      throw error;
    }
  }

  return {
    login: (request, user, token) => propose({ op: "login", request, user, token }),
    logout: (request, token) => propose({ op: "logout", request, token }),
    // Whoever is over the limit is refused here: a flood of requests costs no command.
    visit: (request, token) =>
      read((state, timeMs) => state.refusal(token, timeMs)) ?? propose({ op: "visit", request, token }),
    profile: token => read((state, timeMs) => state.profile(token, timeMs)),
    total: () => read(state => state.total()),
    /** Resolves when this replica shows all that an answer of any worker thread has shown. */
    caughtUp: seen => (replica.appliedInstance >= seen ? undefined : replica.reached(seen)),
    /** How much of the log an answer that is given now may show. */
    seen: () => Math.max(client.seenInstance, replica.appliedInstance),
  };
}
