import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Interpreter } from "./scripts/interpreter.js";
import { replayScript } from "./scripts/script-file.js";

const folder = new URL("scripts/", import.meta.url);
const names = readdirSync(folder).filter(name => name.endsWith(".txt"));
/** Rewrites the transcripts, so that a change of behaviour shows as a difference of text. Never in CI. */
const updates = process.env.SYNOD_UPDATE_SCRIPTS === "1" && !process.env.CI;

describe("a script's transcript is what happens", () => {
  it.each(names)("%s", name => {
    const path = fileURLToPath(new URL(name, folder));
    const text = readFileSync(path, "utf8");
    const interpreter = new Interpreter();
    const replayed = replayScript(text, command => interpreter.run(command));
    if (updates && replayed !== text) writeFileSync(path, replayed);
    else expect(replayed).toBe(text);
  });
});

describe("a mistake in a script", () => {
  const replay = (...lines: string[]) => {
    const interpreter = new Interpreter();
    return replayScript(lines.join("\n"), command => interpreter.run(command));
  };

  it("shows what would have been right", () => {
    expect(replay("# Nobody leads.", "cluster", "messages", "----", "something", "")).toBe(
      ["# Nobody leads.", "cluster", "messages", "----", "none", ""].join("\n"),
    );
  });

  it.each([
    ["an unknown command", "elect proposer-0"],
    ["an unknown setting", "cluster proposer=3"],
    ["an unknown property of a cluster", "cluster digests"],
    ["a hand-over by somebody who does not lead", "transfer proposer-0 to proposer-1"],
    ["an unknown actor", "campaign proposer-7"],
    ["a command for another role", "campaign acceptor-0"],
    ["a selector that means nothing", "deliver Promise"],
  ])("%s is named with its line", (_, command) => {
    expect(() => replay("# Prose.", "cluster", command, "----")).toThrow(`line 3: ${command}`);
  });
});
