import type { Family } from "./rival.js";

/** What one may rely on, as it runs in the comparison: a word or two each, which the guide explains. */
interface Guarantees {
  /** Who decides on the one order of writes. */
  readonly order: string;
  readonly linearizable: string;
  /** How many have a copy of the state, and where. */
  readonly copies: string;
  /** What may end without a loss of acknowledged writes. */
  readonly survives: string;
  /** Whether writes outlive all processes, or can be made to. */
  readonly durable: string;
}

/** Something that is measured. */
export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly family: Family;
  /** Programs that it needs, and the Debian packages that bring them. */
  readonly programs: readonly { readonly name: string; readonly package: string }[];
  /** npm packages that it needs; `rivals/package.json` says in which version. */
  readonly packages: readonly string[];
  readonly guarantees: Guarantees;
}

const synodGuarantees: Guarantees = {
  order: "a quorum",
  linearizable: "yes",
  copies: "2, log on 3, in threads",
  survives: "any thread",
  durable: "no",
};
const oneServer = {
  order: "one server",
  linearizable: "yes",
  copies: "none",
} as const;

/** The base of all ratios, and the same once more: how far they are apart is noise. */
export const baseId = "synod";
export const noiseId = "synod-again";

export const subjects: readonly Subject[] = [
  {
    id: baseId,
    title: "Synod",
    family: "synod",
    programs: [],
    packages: [],
    guarantees: synodGuarantees,
  },
  {
    id: noiseId,
    title: "Synod, again",
    family: "synod",
    programs: [],
    packages: [],
    guarantees: synodGuarantees,
  },
  {
    id: "broadcast-channel",
    title: "BroadcastChannel",
    family: "broadcast-channel",
    programs: [],
    packages: [],
    guarantees: {
      order: "nobody",
      linearizable: "no",
      copies: "2, may differ",
      survives: "nothing",
      durable: "no",
    },
  },
  {
    id: "redis",
    title: "Redis",
    family: "server",
    programs: [{ name: "redis-server", package: "redis-server" }],
    packages: ["@redis/client"],
    guarantees: { ...oneServer, survives: "the client", durable: "if set so" },
  },
  {
    id: "etcd",
    title: "etcd",
    family: "server",
    programs: [{ name: "etcd", package: "etcd-server" }],
    packages: ["etcd3"],
    guarantees: {
      ...oneServer,
      survives: "all processes",
      durable: "yes",
    },
  },
  {
    id: "nats",
    title: "NATS JetStream",
    family: "server",
    programs: [{ name: "nats-server", package: "nats-server" }],
    packages: ["@nats-io/jetstream", "@nats-io/transport-node"],
    guarantees: {
      ...oneServer,
      linearizable: "writes",
      survives: "the client",
      durable: "if set so",
    },
  },
  {
    id: "raft-npm",
    title: "@coaty/consensus.raft",
    family: "raft-npm",
    programs: [],
    packages: ["@coaty/consensus.raft"],
    guarantees: {
      order: "a quorum",
      linearizable: "writes",
      copies: "3, in threads",
      survives: "a follower",
      durable: "if you build it",
    },
  },
  {
    id: "raft-go",
    title: "etcd's raft in Go",
    family: "raft-go",
    programs: [{ name: "go", package: "golang-go" }],
    packages: [],
    guarantees: {
      order: "a quorum",
      linearizable: "writes",
      copies: "3, on one heap",
      survives: "nothing",
      durable: "if you build it",
    },
  },
];

/** What `--with` may name: all but the two that always run. */
export const rivalIds: readonly string[] = subjects
  .map(({ id }) => id)
  .filter(id => id !== baseId && id !== noiseId);
