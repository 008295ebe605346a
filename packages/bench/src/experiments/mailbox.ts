import { Worker } from "node:worker_threads";
import {
  createConnection,
  createDoorbell,
  type MailboxKind,
  openOutbox,
  transferListOf,
} from "@synod/runtime/mailbox";
import Table from "cli-table3";
import { Bench } from "tinybench";
import type { MailboxReceiverSpec } from "./mailbox-worker.js";

/** Frames of one sample, and how many are written before each flush. */
const framesPerSample = { 64: 100_000, 16384: 10_000 } as const;
const bytesPerFlush = 64 * 1024;
const framesPerFlushMax = 64;
/** A sample takes about as long as the slower kind needs for its frames. */
const samplesPerSecond = 5;
const lane = { controlBytes: 64 * 1024, bulkBytes: 1024 * 1024 };

/** One-way frames per second between two threads, through a ring and through a MessagePort, taken in turn. */
export async function runMailbox(options: { readonly seconds: number }): Promise<void> {
  const table = new Table({
    head: ["frame bytes", "ring frames/s", "port frames/s", "ring / port"],
    style: { head: [], border: [], compact: true },
  });
  for (const bytes of [64, 16_384] as const) {
    const frames = framesPerSample[bytes];
    const bench = new Bench({
      time: 0,
      iterations: Math.max(3, Math.round(options.seconds * samplesPerSecond)),
      warmupTime: 0,
      warmupIterations: 2,
      throws: true,
    });
    const pipes = [await openPipe("ring", bytes), await openPipe("port", bytes)] as const;
    try {
      for (const pipe of pipes) {
        bench.add(pipe.kind, async () => {
          const startMs = performance.now();
          await pipe.send(frames);
          return { overriddenDuration: (performance.now() - startMs) / frames };
        });
      }
      const [ring, port] = (await bench.run()).map(({ result }) => {
        if (result.state !== "completed") throw new Error(`not measured: ${result.state}`);
        return result.throughput.p50;
      }) as [number, number];
      const whole = (value: number) => Math.round(value).toLocaleString("en-US");
      table.push([bytes, whole(ring), whole(port), `${(ring / port).toFixed(2)} x`]);
    } finally {
      await Promise.all(pipes.map(pipe => pipe.close()));
    }
  }
  console.log(table.toString());
}

interface Pipe {
  readonly kind: MailboxKind;
  /** Sends so many frames; resolves once the other thread has taken them all. */
  send(frames: number): Promise<void>;
  close(): Promise<unknown>;
}

async function openPipe(kind: MailboxKind, bytes: number): Promise<Pipe> {
  const doorbell = createDoorbell();
  const { sending, receiving } = createConnection(kind, doorbell, lane);
  const spec: MailboxReceiverSpec = { kind, doorbell, receiving };
  const worker = new Worker(new URL("./mailbox-worker.js", import.meta.url), {
    workerData: spec,
    transferList: transferListOf(receiving),
  });
  const outbox = openOutbox(sending);
  const framesPerFlush = Math.min(framesPerFlushMax, bytesPerFlush / bytes);
  const frame = new Uint8Array(bytes).fill(7);
  const taken = () => new Promise<void>(resolve => worker.once("message", () => resolve()));
  await taken();
  return {
    kind,
    async send(frames) {
      const done = taken();
      worker.postMessage(frames);
      for (let sent = 0; sent < frames; sent++) {
        while (!outbox.send(frame, "bulk")) outbox.flush();
        if (sent % framesPerFlush === framesPerFlush - 1) outbox.flush();
      }
      outbox.flush();
      await done;
    },
    close: () => worker.terminate(),
  };
}
