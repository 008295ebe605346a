// One member of a group of three: a RawNode of @coaty/consensus.raft, which is etcd's raft in TypeScript, with its
// MemoryStorage and a map.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const folder = "@coaty/consensus.raft/";
// The port asks the layer above it, with its network and its database, for one constant.
const above = require.resolve(`${folder}non-ported/raft-controller.js`);
require.cache[above] = /** @type {NodeJS.Module} */ ({
  ...{ id: above, filename: above, path: above, loaded: true, children: [], paths: [] },
  exports: { emptyRaftData: null },
});
const { RawNode } = require(`${folder}ported/rawnode.js`);
const { MemoryStorage } = require(`${folder}ported/storage.js`);
const { RaftConfig, StateType } = require(`${folder}ported/raft.js`);
const { Message, MessageType, Entry, EntryType } = require(`${folder}ported/raftpb/raft.pb.js`);
const { Bootstrap } = require(`${folder}ported/bootstrap.js`);
const { discardLogger, setLogger } = require(`${folder}ported/logger.js`);
setLogger(discardLogger);

export const tickMs = 50;
/** Entries of the log that are kept behind what is applied. */
const entriesKept = 5000;

/** Many commands in one entry. The port sizes entries with JSON.stringify whenever it reads its log: this makes it cheap. */
export class Batch extends Array {
  toJSON() {
    return 0;
  }
}

export class RaftNode {
  #rn;
  #storage = MemoryStorage.NewMemoryStorage();
  #map = new Map();
  #compacted = 0;
  #onApplied;
  applied = 0;
  /** What is to be sent, by receiver. @type {Record<number, any[]>} */
  outbox = { 1: [], 2: [], 3: [] };

  /** @param {number} id 1 to 3 @param {(commands: number) => void} onApplied */
  constructor(id, onApplied) {
    this.#onApplied = onApplied;
    this.#rn = RawNode.NewRawNode(
      new RaftConfig({
        id,
        // Only the first one ever stands for election, or the run is no comparison.
        electionTick: id > 1 ? 200 : 20,
        heartbeatTick: 2,
        storage: this.#storage,
        maxSizePerMsg: 1 << 20,
        maxCommittedSizePerReady: 1 << 28,
        maxInflightMsgs: 256,
        logger: discardLogger,
      }),
    );
    const error = Bootstrap(
      this.#rn,
      [1, 2, 3].map(peer => ({ id: peer, context: "" })),
    );
    if (error) throw error;
    this.turn([]);
  }

  get leads() {
    return this.#rn.raft.state === StateType.StateLeader;
  }

  campaign() {
    this.#rn.campaign();
    this.turn([]);
  }

  tick() {
    this.#rn.tick();
    this.turn([]);
  }

  /** @param {any[]} commands one entry of the log */
  propose(commands) {
    const entries = [new Entry({ data: Batch.from(commands) })];
    const error = this.#rn.step(new Message({ type: MessageType.MsgProp, from: 1, entries }));
    if (error) throw error;
  }

  /** Takes messages, then does all that there is to do. @param {any[]} messages */
  turn(messages) {
    for (const message of messages) {
      // The class is lost between threads.
      for (const { data } of message.entries) {
        if (Array.isArray(data)) Object.setPrototypeOf(data, Batch.prototype);
      }
      this.#rn.step(message);
    }
    while (this.#rn.hasReady()) this.#ready();
  }

  /** What all three must agree on. */
  digest() {
    return `${this.applied} ${[...this.#map].reduce((sum, [key, value]) => sum + value * key.length, 0)}`;
  }

  #ready() {
    const ready = this.#rn.ready();
    if (ready.entries.length > 0) this.#storage.Append(ready.entries);
    if (!ready.hardState.isEmptyHardState()) this.#storage.SetHardState(ready.hardState);
    for (const message of ready.messages) this.outbox[message.to].push(message);
    let index = 0;
    for (const entry of ready.committedEntries) {
      if (entry.type !== EntryType.EntryNormal) this.#rn.applyConfChange(entry.data);
      else if (Array.isArray(entry.data)) this.#apply(entry.data);
      index = entry.index;
    }
    this.#rn.advance(ready);
    if (index <= this.#compacted + 5 * entriesKept) return;
    this.#compacted = index - entriesKept;
    this.#storage.Compact(this.#compacted);
  }

  /** @param {any[]} commands */
  #apply(commands) {
    for (const { key, value } of commands) this.#map.set(key, value);
    this.applied += commands.length;
    this.#onApplied(commands.length);
  }
}
