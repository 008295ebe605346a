import { once } from "node:events";
import { Worker } from "node:worker_threads";
import {
  createConnection,
  createDoorbell,
  type MailboxKind,
  openInbox,
  openOutbox,
} from "@synod/runtime/mailbox";
import { type MicroKind, type MicroTask, mustBe, timed, unbounded } from "./task.js";
import type { WakeUpSpec } from "./wake-up-worker.js";

const frame = new Uint8Array(64).fill(7);
const framesPerFlush = 64;
/** As actors have them. */
const lane = { controlBytes: 64 * 1024, bulkBytes: 1024 * 1024 };
const wakesWithinMs = 10_000;

/** Both ends on this thread: what sending and receiving take, without what threads that wait for each other take. */
function openBothEnds(kind: MailboxKind): MicroTask {
  const doorbell = createDoorbell();
  const { sending, receiving } = createConnection(kind, doorbell, lane);
  const waiting = kind === "ring" ? "thread" : "event-loop";
  const inbox = openInbox({ kind, doorbell, waiting, lanes: [["sender", receiving]] });
  const outbox = openOutbox(sending);
  let taken = 0;
  const take = (): void => {
    taken++;
  };
  const send = (frames: number): void => {
    for (let sent = 0; sent < frames; sent++) outbox.send(frame, "bulk");
    outbox.flush();
  };
  return {
    run(operations) {
      taken = 0;
      if (kind === "port") return overPort(operations);
      const tookMs = timed(() => {
        for (let left = operations; left > 0; left -= framesPerFlush) {
          send(Math.min(left, framesPerFlush));
          inbox.receive(take, framesPerFlush);
        }
      });
      mustBe("frames received", taken, operations);
      return tookMs;
    },
    async close() {
      outbox.close();
      inbox.close();
    },
  };

  async function overPort(operations: number): Promise<number> {
    const from = performance.now();
    for (let left = operations; left > 0; left -= framesPerFlush) {
      send(Math.min(left, framesPerFlush));
      const all = taken + Math.min(left, framesPerFlush);
      while (taken < all) {
        // An event loop delivers what a port has.
        if (inbox.receive(take, framesPerFlush) === 0) await new Promise(resolve => setImmediate(resolve));
      }
    }
    return performance.now() - from;
  }
}

/** Two threads that wake each other: while one works, the other one sleeps on its doorbell. */
async function openWakeUps(): Promise<MicroTask> {
  const bells = { here: createDoorbell(), there: createDoorbell() };
  const ping = createConnection("ring", bells.there, lane);
  const pong = createConnection("ring", bells.here, lane);
  const workerData: WakeUpSpec = { doorbell: bells.there, receiving: ping.receiving, sending: pong.sending };
  const worker = new Worker(new URL("./wake-up-worker.js", import.meta.url), { workerData });
  await once(worker, "message");
  const lanes = [["worker", pong.receiving]] as const;
  const inbox = openInbox({ kind: "ring", doorbell: bells.here, waiting: "thread", lanes });
  const outbox = openOutbox(ping.sending);
  let answered = 0;
  const take = (): void => {
    answered++;
  };
  return {
    run(operations) {
      answered = 0;
      const before = inbox.counters.lostWakeUps;
      const tookMs = timed(() => {
        for (let round = 1; round <= operations / 2; round++) {
          outbox.send(frame, "bulk");
          outbox.flush();
          while (inbox.receive(take, 1) === 0) inbox.park(wakesWithinMs);
        }
      });
      mustBe("frames answered", answered, operations / 2);
      mustBe("wake-ups lost", inbox.counters.lostWakeUps, before);
      return tookMs;
    },
    async close() {
      await worker.terminate();
      inbox.close();
    },
  };
}

export const mailboxKinds: readonly MicroKind[] = [
  {
    id: "mailbox/ring",
    operation: `a frame of ${frame.length} bytes sent and received, ${framesPerFlush} to a flush`,
    operationsMax: unbounded,
    open: () => openBothEnds("ring"),
  },
  {
    id: "mailbox/port",
    operation: `a frame of ${frame.length} bytes sent and received, ${framesPerFlush} to a turn`,
    operationsMax: unbounded,
    open: () => openBothEnds("port"),
  },
  {
    id: "mailbox/wake-up",
    operation: "a thread that sleeps on its doorbell is woken by a frame",
    operationsMax: unbounded,
    open: openWakeUps,
  },
];
