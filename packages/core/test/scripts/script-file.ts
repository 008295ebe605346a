/*
 * A script is prose and blocks. Prose are lines that begin with `#`, and blank lines. A block is one or more commands,
 * one per line, then `----`, then their transcript up to a blank line:
 *
 *     # Somebody tries to lead.
 *     campaign proposer-0
 *     ----
 *     proposer-0 is preparing in 1.1.0
 */

interface Command {
  readonly text: string;
  /** In the file, counted from 1. */
  readonly line: number;
}

type Part =
  | { readonly kind: "prose"; readonly lines: readonly string[] }
  | { readonly kind: "block"; readonly commands: readonly Command[] };

const isProse = (line: string): boolean => line.trim() === "" || line.startsWith("#");

function parseScript(text: string): readonly Part[] {
  const lines = text.split("\n");
  const parts: Part[] = [];
  let at = 0;
  const takeWhile = (accepts: (line: string) => boolean): string[] => {
    const start = at;
    while (at < lines.length && accepts(lines[at] as string)) at += 1;
    return lines.slice(start, at);
  };
  while (at < lines.length) {
    const prose = takeWhile(isProse);
    if (prose.length > 0) parts.push({ kind: "prose", lines: prose });
    const first = at + 1;
    const commands = takeWhile(line => !isProse(line) && line !== "----");
    if (commands.length > 0) {
      parts.push({ kind: "block", commands: commands.map((text, index) => ({ text, line: first + index })) });
    }
    if (lines[at] === "----") takeWhile(line => !isProse(line));
  }
  return parts;
}

/** Runs the commands of a script; returns its text with the transcripts that they gave. */
export function replayScript(text: string, run: (command: string) => readonly string[]): string {
  const lines: string[] = [];
  for (const part of parseScript(text)) {
    if (part.kind === "prose") {
      lines.push(...part.lines);
      continue;
    }
    const transcript: string[] = [];
    for (const { text: command, line } of part.commands) {
      try {
        transcript.push(...run(command));
      } catch (error) {
        throw new Error(`line ${line}: ${command}`, { cause: error });
      }
    }
    lines.push(...part.commands.map(command => command.text), "----");
    lines.push(...(transcript.length > 0 ? transcript : ["ok"]));
  }
  return lines.join("\n");
}
