/** The threads of stress.test.ts. Every frame tells its sender's life and its number, and all else follows. */
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

const { mailboxUrl, role, options } = workerData;
const { openInbox, openOutbox } = await import(mailboxUrl);
const parkMs = 200;

/** Lengths that follow from the number: mostly short, some above half the lane, a few beyond it. */
function lengthOf(number) {
  if (number % 97 === 0) return 8 + ((number * 7919) % 9000);
  if (number % 13 === 0) return 8 + ((number * 104729) % 1500);
  return 8 + ((number * 31) % 120);
}

function makeFrame(life, number) {
  const frame = new Uint8Array(lengthOf(number));
  const view = new DataView(frame.buffer);
  view.setUint32(0, life);
  view.setUint32(4, number);
  for (let at = 8; at < frame.length; at++) frame[at] = (number + life + at) & 0xff;
  return frame;
}

/** Reads life and number, and checks every byte that follows from them. */
function readFrame(frame) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const life = view.getUint32(0);
  const number = view.getUint32(4);
  if (Buffer.compare(frame, makeFrame(life, number)) !== 0)
    throw new Error(`frame ${life}/${number} is damaged`);
  return { life, number };
}

/**
 * Round trips of bursts: after each burst both sides fall asleep, or are about to. A lost wake-up of either side ends
 * both: whoever waits for the other one looks at `over`, a word that they share.
 */
async function pingPong({ sending, receiving, doorbell, waiting, begins, bursts, over }) {
  const outbox = openOutbox(sending);
  const inbox = openInbox({ kind: "ring", doorbell, waiting, lanes: [["peer", receiving]] });
  let tick = () => {};
  const timer = setInterval(() => tick(), parkMs);
  const park = () =>
    waiting === "thread"
      ? inbox.park(parkMs)
      : Promise.race([
          inbox.park(parkMs),
          new Promise(resolve => {
            tick = resolve;
          }),
        ]);
  let received = 0;
  const check = (_, frame) => {
    const { number } = readFrame(frame);
    if (number !== received++) throw new Error(`frame ${number} in place of ${received - 1}`);
  };
  const isOver = () => {
    if (inbox.counters.lostWakeUps > 0) Atomics.store(over, 0, 1);
    return Atomics.load(over, 0) === 1;
  };
  const receiveUntil = async count => {
    while (received < count && !isOver()) {
      const isFed = outbox.flush();
      const frames = inbox.receive(check, 1000);
      if (frames === 0 && isFed) await park();
    }
  };
  const sendAll = async frame => {
    while (!outbox.send(frame, "bulk") && !isOver()) {
      outbox.flush();
      await eventLoopTurn();
    }
  };
  let number = 0;
  for (let burst = 0; burst < bursts && !isOver(); burst++) {
    const frames = 1 + (burst % 5);
    if (!begins) await receiveUntil(number + frames);
    for (let sent = 0; sent < frames; sent++) {
      await sendAll(makeFrame(0, number++));
      if (sent % 2 === 0) outbox.flush();
    }
    while (!outbox.flush() && !isOver()) await eventLoopTurn();
    if (begins) await receiveUntil(number);
  }
  clearInterval(timer);
  return { ...inbox.counters };
}

/** Sends until it is told to stop, or killed. */
async function stream({ sending, life, stop }) {
  const outbox = openOutbox(sending);
  let number = 0;
  for (; Atomics.load(stop, 0) === 0; number++) {
    while (!outbox.send(makeFrame(life, number), "bulk")) outbox.flush();
    if (number % 7 === 0) outbox.flush();
  }
  while (!outbox.flush());
  return { sent: number };
}

/** Receives until the lane is empty after the end was announced, and says every now and then that it goes on. */
async function drain({ receiving, doorbell, ending }) {
  const inbox = openInbox({ kind: "ring", doorbell, waiting: "thread", lanes: [["sender", receiving]] });
  const lives = [];
  let received = 0;
  const check = (_, frame) => {
    const { life, number } = readFrame(frame);
    const current = lives.at(-1);
    if (current === undefined || life > current.life) lives.push({ life, first: number, last: number });
    else if (life === current.life && number === current.last + 1) current.last = number;
    else throw new Error(`frame ${life}/${number} after ${current.life}/${current.last}`);
    if (++received % 500 === 0) parentPort.postMessage({ progress: received });
  };
  while (true) {
    const isEnding = Atomics.load(ending, 0) === 1;
    if (inbox.receive(check, 64) > 0) continue;
    if (isEnding) break;
    inbox.park(parkMs);
  }
  return { lives, counters: { ...inbox.counters } };
}

/** A receiver that is left asleep: nothing of it keeps its thread alive. */
async function abandon({ kind, receiving, doorbell }) {
  const inbox = openInbox({ kind, doorbell, waiting: "event-loop", lanes: [["sender", receiving]] });
  void inbox.park(Number.POSITIVE_INFINITY);
  return "parked";
}

const roles = { pingPong, stream, drain, abandon };
parentPort.postMessage({ result: await roles[role](options) });
