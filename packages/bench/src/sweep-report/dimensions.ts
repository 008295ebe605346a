import type { Settings } from "../results/format.js";

/** What points can differ in: a setting, or the file that they are from. */
export type Dimension = "file" | KnownSetting;
export type DimensionValue = string | number | null;

/** The settings that this version knows; a file may have more. */
const settingNames = [
  "mode",
  "threads",
  "mailbox",
  "acceptors",
  "learners",
  "payloadBytes",
  "clientThreads",
  "clients",
  "ratePerSecond",
  "pipeline",
  "batch",
] as const satisfies readonly (keyof Settings)[];
type KnownSetting = (typeof settingNames)[number];

/** In the order in which points are sorted and described. */
export const dimensions: readonly ["file", ...KnownSetting[]] = ["file", ...settingNames];

/** Short names, for the heads of tables. */
export const dimensionNames: Readonly<Record<Dimension, string>> = {
  file: "file",
  mode: "load",
  threads: "threads",
  mailbox: "mailbox",
  acceptors: "acceptors",
  learners: "learners",
  payloadBytes: "payload, B",
  clientThreads: "client threads",
  clients: "clients",
  ratePerSecond: "rate, 1/s",
  pipeline: "pipeline",
  batch: "batch",
};

const phrases: Readonly<Record<Dimension, (value: string) => string>> = {
  file: value => value,
  mode: value => `${value} loop`,
  threads: value => `${value} threads`,
  mailbox: value => `${value} mailboxes`,
  acceptors: value => counted(value, "acceptor"),
  learners: value => counted(value, "learner"),
  payloadBytes: value => `${value} B payload`,
  clientThreads: value => (value === "0" ? "clients on the main thread" : counted(value, "client thread")),
  // An open loop has none: it has a rate.
  clients: value => (value === "0" ? "" : counted(value, "client")),
  ratePerSecond: value => `${value}/s asked for`,
  pipeline: value => `pipeline ${value}`,
  batch: value => `batch ${value}`,
};

function counted(value: string, what: string): string {
  return `${value} ${what}${value === "1" ? "" : "s"}`;
}

/** A value in words; nothing for what is not set. */
export function describe(dimension: Dimension, value: DimensionValue): string {
  if (value === null || value === "") return "";
  return phrases[dimension](textOf(value));
}

/** Thousands apart, words as they are. */
export function textOf(value: DimensionValue): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : (value ?? "");
}
