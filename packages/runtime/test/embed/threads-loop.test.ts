import { expect, test } from "vitest";
import { type LoopedActor, runActors } from "../../dist/actor-loop.js";
import { runtimeLimits } from "../../dist/limits.js";
import {
  createConnection,
  createDoorbell,
  type FrameHandler,
  type MailboxKind,
  openInboxes,
  openOutbox,
  routine,
} from "../../dist/mailbox/index.js";

const never = Number.POSITIVE_INFINITY;

/** An actor that has frames waiting, and keeps a list of what it is told. */
class ListedActor implements LoopedActor {
  isStopped = false;
  isBusy = false;
  readonly isFed = true;
  calls = 0;
  unhurried = 0;
  deadline = never;
  frames = 0;
  onTurn = (): void => {};
  readonly #name: string;
  readonly #list: string[];

  constructor(name: string, list: string[]) {
    this.#name = name;
    this.#list = list;
  }

  worked(): void {}
  lookAtDepth(): void {}
  publish(): void {}

  turn(): number {
    const taken = Math.min(this.frames, runtimeLimits.framesPerTurn);
    this.frames -= taken;
    this.#list.push(`${this.#name} takes ${taken}`);
    this.onTurn();
    return taken;
  }

  tick(): void {
    this.deadline = never;
    this.#list.push(`${this.#name} ticks`);
  }
}

/** Two actors that have the list in common, and a mailbox that ends the loop when it is parked on. */
function pair(): { list: string[]; a: ListedActor; b: ListedActor; run: () => Promise<void> } {
  const list: string[] = [];
  const a = new ListedActor("a", list);
  const b = new ListedActor("b", list);
  const park = (timeoutMs: number): undefined => {
    list.push(timeoutMs > 0 ? "parks" : "parks without time");
    a.isStopped = true;
    return undefined;
  };
  return { list, a, b, run: () => runActors([a, b], { park }) };
}

test("actors take turns until none has anything to do; then the thread parks", async () => {
  const { list, a, b, run } = pair();
  a.frames = runtimeLimits.framesPerTurn + 1;
  b.frames = 2;
  await run();
  const full = runtimeLimits.framesPerTurn;
  expect(list).toEqual([`a takes ${full}`, "b takes 2", "a takes 1", "b takes 0", "parks"]);
});

test("nobody ticks before all mail has been read, and then the earliest, one in each round", async () => {
  const { list, a, b, run } = pair();
  a.deadline = 2;
  b.deadline = 1;
  b.frames = runtimeLimits.framesPerTurn;
  await run();
  const idle = ["a takes 0", "b takes 0"];
  expect(list).toEqual([
    ...["a takes 0", `b takes ${runtimeLimits.framesPerTurn}`],
    ...[...idle, "b ticks", ...idle, "a ticks", "parks"],
  ]);
});

test("the event loop has its turns while actors have no pause", async () => {
  const { a, b, run } = pair();
  a.isBusy = true;
  let turns = 0;
  b.onTurn = () => {
    // Always more to do, and a round that takes its time.
    b.frames = 1;
    const until = performance.now() + runtimeLimits.shortRoundMs;
    while (performance.now() < until);
  };
  const count = () => {
    turns += 1;
    if (turns === 3) a.isStopped = true;
    else setImmediate(count);
  };
  setImmediate(count);
  await run();
  expect(turns).toBe(3);
});

/** Lets the loop wake up so often for a frame, or for nothing, and counts the event loop's turns meanwhile. */
async function turnsOfWakeUps(wakeUps: number, onWakeUp: (a: ListedActor) => void): Promise<number> {
  const a = new ListedActor("a", []);
  let turns = 0;
  const count = () => {
    turns += 1;
    if (!a.isStopped) setImmediate(count);
  };
  setImmediate(count);
  let parks = 0;
  const park = (): undefined => {
    parks += 1;
    if (parks > wakeUps) a.isStopped = true;
    else onWakeUp(a);
    return undefined;
  };
  await runActors([a], { park });
  return turns;
}

test("the event loop has no turn for each wake-up, but one for each call", async () => {
  const wakeUps = 200;
  const idle = await turnsOfWakeUps(wakeUps, a => {
    a.frames = 1;
  });
  const called = await turnsOfWakeUps(wakeUps, a => {
    a.calls += 1;
  });
  expect(idle).toBeLessThan(wakeUps / 2);
  expect(called).toBeGreaterThanOrEqual(wakeUps);
});

test("a thread sleeps through only what none of its actors is in a hurry for", async () => {
  const { a, b } = pair();
  a.unhurried = routine.heartbeat | routine.granted;
  b.unhurried = routine.granted;
  const parked: (number | undefined)[] = [];
  const park = (_: number, unhurried?: number): undefined => {
    parked.push(unhurried);
    a.isStopped = true;
    return undefined;
  };
  await runActors([a, b], { park });
  expect(parked).toEqual([routine.granted]);
});

const capacities = { controlBytes: 1024, bulkBytes: 4096 };

test.each<[MailboxKind, "thread" | "event-loop"]>([
  ["ring", "thread"],
  ["ring", "event-loop"],
  ["port", "event-loop"],
])("inboxes behind one doorbell: %s, waiting in the %s", async (kind, waiting) => {
  const doorbell = createDoorbell();
  const [first, second] = openInboxes({ kind, doorbell, waiting }, 2);
  if (first === undefined || second === undefined) throw new Error("two were opened");
  const connection = createConnection(kind, doorbell, capacities);
  second.attach("sender", connection.receiving);
  const outbox = openOutbox(connection.sending);
  const send = (text: string) => {
    outbox.send(Buffer.from(text), "bulk");
    outbox.flush();
  };
  const received: string[] = [];
  const handler: FrameHandler = (from, frame) => received.push(`${from}: ${Buffer.from(frame)}`);

  // A frame for one of them ends the sleep of all.
  const asleep = waiting === "event-loop" ? first.park(never) : undefined;
  send("one");
  await (asleep ?? first.park(60_000));
  expect(first.receive(handler, 8)).toBe(0);
  expect(second.receive(handler, 8)).toBe(1);
  if (waiting === "event-loop") {
    expect([first.counters.wakeUps, second.counters.wakeUps]).toEqual([0, 1]);
  }

  // The one that is closed leaves the other its doorbell.
  first.close();
  const again = waiting === "event-loop" ? second.park(never) : undefined;
  send("two");
  await (again ?? second.park(60_000));
  expect(second.receive(handler, 8)).toBe(1);
  expect(received).toEqual(["sender: one", "sender: two"]);
  expect(second.counters.lostWakeUps).toBe(0);
  second.close();
  outbox.close();
});
