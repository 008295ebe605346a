import { applyKinds } from "./apply.js";
import { codecKinds } from "./codec.js";
import { coreKinds } from "./core-steps.js";
import { mailboxKinds } from "./mailboxes.js";
import type { MicroKind } from "./task.js";

export const microKinds: readonly MicroKind[] = [...codecKinds, ...mailboxKinds, ...coreKinds, ...applyKinds];

const groupOf = (id: string): string => id.slice(0, id.indexOf("/"));

/** What `--only` may name: operations, and groups of them. */
export const microNames: readonly string[] = [
  ...new Set(microKinds.map(({ id }) => groupOf(id))),
  ...microKinds.map(({ id }) => id),
];

/** The operations that are meant by names; all without names. */
export function kindsNamed(names: readonly string[] | undefined): readonly MicroKind[] {
  return microKinds.filter(
    ({ id }) => names === undefined || names.includes(id) || names.includes(groupOf(id)),
  );
}
