import type { Inspection } from "@synod/runtime";

export interface CpuSource {
  readonly before: readonly Pick<Inspection, "name" | "threadMs">[];
  readonly after: readonly Pick<Inspection, "name" | "threadMs">[];
  /** The thread that each actor is on. */
  readonly threadOf: ReadonlyMap<string, string>;
  /** Cores of each client thread; null where the system does not tell. */
  readonly clients: readonly (number | null)[];
  /** Milliseconds between before and after. */
  readonly ms: number;
}

/**
 * The part of a core that each thread took, by the names of its actors (`acceptor-0 + learner-0` where they share
 * one); empty where the system does not tell.
 */
export function cpuShares({ before, after, threadOf, clients, ms }: CpuSource): Record<string, number> {
  const shares: Record<string, number> = {};
  const earlier = new Map(before.map(({ name, threadMs }) => [name, threadMs]));
  const threads = new Map<string, { names: string[]; taken: number }>();
  for (const { name, threadMs } of after) {
    const [thread, then] = [threadOf.get(name), earlier.get(name)];
    if (thread === undefined || typeof threadMs !== "number" || typeof then !== "number") continue;
    const known = threads.get(thread);
    if (known === undefined) threads.set(thread, { names: [name], taken: (threadMs - then) / ms });
    else known.names.push(name);
  }
  for (const { names, taken } of threads.values()) shares[names.join(" + ")] = rounded(taken);
  const known = clients.filter(cores => cores !== null);
  if (known.length > 0) shares.clients = rounded(known.reduce((sum, cores) => sum + cores, 0));
  return shares;
}

/** Less than nothing is a thread that was replaced meanwhile. */
function rounded(share: number): number {
  return Math.max(0, Number(share.toFixed(3)));
}
