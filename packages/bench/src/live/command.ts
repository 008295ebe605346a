import { Command, Option } from "commander";
import { integerBetween, optionLimits, threadsModes } from "../options.js";
import { liveLimits } from "./limits.js";
import type { LiveOptions } from "./run.js";

/** `synod-bench live`. */
export function liveCommand(): Command {
  const whole = (flags: string, what: string, { min, max }: { min: number; max: number }, value: number) =>
    new Option(flags, what).argParser(integerBetween(min, max)).default(value);
  const { clients, port } = liveLimits;
  const { acceptors, learners } = optionLimits;
  return new Command("live")
    .description("a page on this machine that shows a cluster under load, and kills and stalls its actors")
    .addOption(whole("--port <n>", "port of the loopback; 0 for any that is free", port, port.default))
    .addOption(whole("--clients <n>", "closed-loop clients to begin with", clients, clients.default))
    .addOption(whole("--acceptors <n>", "acceptors", acceptors, acceptors.default))
    .addOption(whole("--learners <n>", "learners", learners, learners.default))
    .addOption(
      new Option("--threads <mode>", "which actors share a thread").choices(threadsModes).default("isolated"),
    )
    .action(async (options: LiveOptions) => {
      // Only this command pays for loading a server.
      const { runLive } = await import("./run.js");
      await runLive(options);
    });
}
