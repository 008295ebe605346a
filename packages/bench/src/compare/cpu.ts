import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Linux counts the time of other processes in hundredths of a second, whatever its own clock. */
const tickMs = 10;

/** CPU time of this process and of others, all threads, in milliseconds; null where the system does not say. */
export function cpuMsOf(pids: readonly number[]): number | null {
  const { user, system } = process.cpuUsage();
  let sum = (user + system) / 1000;
  for (const pid of pids) {
    const own = cpuMsOfProcess(pid);
    if (own === null) return null;
    sum += own;
  }
  return sum;
}

function cpuMsOfProcess(pid: number): number | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

/** User and system time in a line of /proc/PID/stat. The program's name, in parentheses, may hold anything. */
export function parseStat(line: string): number {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** CPU time that the whole machine has spent so far, in milliseconds. */
export function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
