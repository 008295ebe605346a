import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** Both streams as they came, for a failure's message. */
  readonly output: string;
}

/**
 * Runs a program without a terminal and in its own process group, so that one which hangs is killed together with
 * whatever it started. Never rejects for an exit code: see {@link expectSuccess}.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; deadlineMs?: number; env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  const { cwd, deadlineMs = 60_000, env = {} } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const deadline = setTimeout(() => {
      output += `\nstill running after ${deadlineMs} ms: killed\n`;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, deadlineMs);
    child.on("error", reject);
    child.on("close", exitCode => {
      clearTimeout(deadline);
      resolve({ exitCode, stdout, output });
    });
  });
}

export function expectSuccess(what: string, result: CommandResult): void {
  if (result.exitCode !== 0) throw new Error(`${what}: exit code ${result.exitCode}\n${result.output}`);
}
