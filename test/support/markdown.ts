import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface CodeBlock {
  /** The markdown file, from the root of the repository, and the line of the opening fence. */
  readonly path: string;
  readonly line: number;
  readonly language: string;
  /** What follows the language in the opening fence. */
  readonly info: string;
  readonly code: string;
  /** The text of the `text output` block that comes next, if one does. */
  readonly expectedOutput: string | undefined;
}

/** README.md and every page under docs/, from the root of the repository. */
export function markdownPaths(root: string): string[] {
  const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  const docs = pages.filter(page => page.endsWith(".md")).map(page => join("docs", page));
  return ["README.md", ...docs.sort()];
}

export function codeBlocks(root: string, path: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const opening = /^( *)(`{3,})(\S*) *(.*)$/.exec(lines[index]!);
    if (opening === null) continue;
    const [, indent = "", fence = "", language = "", info = ""] = opening;
    const start = index;
    do index += 1;
    while (index < lines.length && lines[index]!.trim() !== fence);
    const code = lines
      .slice(start + 1, index)
      .map(line => line.slice(Math.min(indent.length, line.search(/\S|$/))));
    blocks.push({
      path,
      line: start + 1,
      language,
      info: info.trim(),
      code: `${code.join("\n")}\n`,
      expectedOutput: undefined,
    });
  }
  return blocks.map((block, index) => {
    const next = blocks[index + 1];
    const shown = next?.language === "text" && next.info === "output";
    return shown ? { ...block, expectedOutput: next.code } : block;
  });
}
