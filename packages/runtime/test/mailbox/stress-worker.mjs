/** The threads of stress.test.ts. Every frame tells its sender's life and its number, and all else follows. */
import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

const { mailboxUrl, role, options } = workerData;
const { openInbox, openOutbox } = await import(mailboxUrl);
const parkMs = 1000;

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
  if (Buffer.compare(frame, makeFrame(life, number)) !== 0) throw new Error(`frame ${life}/${number} is damaged`);
  return { life, number };
}

async function sendAll(outbox, frame) {
  while (!outbox.send(frame, "bulk")) {
    outbox.flush();
    await eventLoopTurn();
  }
}

/** Round trips of bursts: after each burst both sides fall asleep, or are about to. */
async function pingPong({ sending, receiving, doorbell, waiting, begins, bursts }) {
  const outbox = openOutbox(sending);
  const inbox = openInbox({ kind: "ring", doorbell, waiting, lanes: [["peer", receiving]] });
  let received = 0;
  const check = (_, frame) => {
    const { number } = readFrame(frame);
    if (number !== received++) throw new Error(`frame ${number} in place of ${received - 1}`);
  };
  const receiveUntil = async count => {
    while (received < count) {
      const isFed = outbox.flush();
      const frames = inbox.receive(check, 1000);
      if (frames === 0 && isFed && received < count) await inbox.park(parkMs);
      if (inbox.counters.lostWakeUps > 0) return;
    }
  };
  let number = 0;
  for (let burst = 0; burst < bursts; burst++) {
    const frames = 1 + (burst % 5);
    if (!begins) await receiveUntil(received + frames);
    for (let sent = 0; sent < frames; sent++) {
      await sendAll(outbox, makeFrame(0, number++));
      if (sent % 2 === 0) outbox.flush();
    }
    while (!outbox.flush()) await eventLoopTurn();
    if (begins) await receiveUntil(received + frames);
    if (inbox.counters.lostWakeUps > 0) break;
  }
  return inbox.counters;
}

/** Sends for ever; the test kills it, or asks it to end with the frame after the number that it stops at. */
async function stream({ sending, life, stop }) {
  const outbox = openOutbox(sending);
  let number = 0;
  for (; Atomics.load(stop, 0) === 0; number++) {
    while (!outbox.send(makeFrame(life, number), "bulk")) outbox.flush();
    if (number % 7 === 0) outbox.flush();
  }
  while (!outbox.send(new Uint8Array(0), "control")) outbox.flush();
  while (!outbox.flush());
  return { sent: number };
}

/** Receives until the frame that ends it, checking all; tells the test every now and then that it goes on. */
async function drain({ receiving, doorbell, ending }) {
  const inbox = openInbox({ kind: "ring", doorbell, waiting: "thread", lanes: [["sender", receiving]] });
  const lives = [];
  let ended = false;
  let received = 0;
  const check = (_, frame) => {
    if (frame.length === 0) {
      ended = true;
      return;
    }
    const { life, number } = readFrame(frame);
    const last = lives.at(-1);
    if (last === undefined || life > last.life) lives.push({ life, first: number, last: number, gaps: 0 });
    else if (life < last.life || number <= last.last) throw new Error(`${life}/${number} after ${last.life}/${last.last}`);
    else {
      if (number !== last.last + 1) last.gaps++;
      last.last = number;
    }
    if (++received % 500 === 0) parentPort.postMessage({ progress: received });
  };
  // The end travels on the control lane, which overtakes: what bulk frames there are come with the look after it.
  while (true) {
    const frames = inbox.receive(check, 64);
    if (frames > 0) continue;
    if (ended && Atomics.load(ending, 0) === 1) break;
    inbox.park(50);
  }
  return { lives, received, counters: inbox.counters };
}

/** A receiver that is left asleep: its thread ends none the less. */
async function abandon({ kind, receiving, doorbell }) {
  const inbox = openInbox({ kind, doorbell, waiting: "event-loop", lanes: [["sender", receiving]] });
  void inbox.park(Number.POSITIVE_INFINITY);
  return "parked";
}

const roles = { pingPong, stream, drain, abandon };
parentPort.postMessage({ result: await roles[role](options) });
