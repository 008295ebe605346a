import { readFileSync } from "node:fs";
import { join } from "node:path";

/** How often a control group has made this process wait although it had work and cores were free. */
export interface Throttling {
  readonly periods: number;
  readonly throttledMs: number;
}

/** CPUs that the control groups of this process allow; null without a limit, or where there are none. */
export function cpusOfContainer(): number | null {
  const limits = foldersOf().map(folder => {
    const [quota, period] = (read(join(folder, "cpu.max")) ?? quotaOfVersion1(folder))?.split(" ") ?? [];
    const cpus = Number(quota) / Number(period);
    return Number.isFinite(cpus) && cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
  });
  const least = Math.min(...limits);
  return Number.isFinite(least) ? least : null;
}

/** Null where control groups do not tell. */
export function throttlingSoFar(): Throttling | null {
  const told = foldersOf().map(folder => parseThrottling(read(join(folder, "cpu.stat")) ?? ""));
  const known = told.filter(throttling => throttling !== null);
  if (known.length === 0) return null;
  return {
    periods: known.reduce((sum, { periods }) => sum + periods, 0),
    throttledMs: known.reduce((sum, { throttledMs }) => sum + throttledMs, 0),
  };
}

/** What a file `cpu.stat` says, in the form of either version of control groups; null when it does not say. */
export function parseThrottling(text: string): Throttling | null {
  const values = new Map(text.split("\n").map(line => line.split(" ") as [string, string]));
  const periods = Number(values.get("nr_throttled"));
  if (!values.has("nr_throttled") || !Number.isFinite(periods)) return null;
  const [us, ns] = [values.get("throttled_usec"), values.get("throttled_time")];
  const throttledMs = us !== undefined ? Number(us) / 1e3 : Number(ns ?? 0) / 1e6;
  return { periods, throttledMs };
}

/** The folders of this process's group, if they can be seen from here, else those that are seen at the root. */
function foldersOf(): string[] {
  const lines = (read("/proc/self/cgroup") ?? "").split("\n");
  const folders = lines.flatMap(line => {
    const [number, controllers = "", path = "/"] = line.split(":");
    if (number === "0") return [join("/sys/fs/cgroup", path), "/sys/fs/cgroup"];
    if (!controllers.split(",").includes("cpu")) return [];
    return ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"].flatMap(at => [join(at, path), at]);
  });
  const seen = [...new Set(folders)].filter(folder => read(join(folder, "cpu.stat")) !== null);
  // The nearest one: where groups are nested, limits of those above it are not looked for.
  return seen.slice(0, 1);
}

function quotaOfVersion1(folder: string): string | null {
  const quota = read(join(folder, "cpu.cfs_quota_us"));
  return quota === null ? null : `${quota} ${read(join(folder, "cpu.cfs_period_us"))}`;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
