// Every code block of README.md and docs/ is tried, as it stands:
//   ```js                    is run; it must exit 0 by itself
//   ```js file=counter.js    is saved under that name beside the other blocks of its page, which may import it
//   ```ts                    is type-checked by the strict rules of this repository, then run; file= works as well
//   ```sh                    names scripts that exist; with `run` after `sh` it is also run, at the root
//   ```js no-run: a reason   is not tried; the reason is required
//   ```text output           right after a block: exactly what that block prints
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CodeBlock, codeBlocks, markdownPaths } from "./support/markdown.js";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const pages = markdownPaths(repositoryRoot).map(path => ({ path, blocks: codeBlocks(repositoryRoot, path) }));
const scripts = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")).scripts;

// Inside the repository, so that `@synod/*` resolves as it does for a user who has installed it.
mkdirSync(join(repositoryRoot, ".tmp"), { recursive: true });
const folder = mkdtempSync(join(repositoryRoot, ".tmp", "docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pageFolder = (page: string) => join(folder, page.replaceAll(/[^A-Za-z0-9]+/g, "-"));
const isScript = (block: CodeBlock) => block.language === "js" || block.language === "ts";
const isExempt = (block: CodeBlock) => block.info.startsWith("no-run");
const givenName = (block: CodeBlock) => /(?:^|\s)file=(\S+)/.exec(block.info)?.[1];
const fileName = (block: CodeBlock) => givenName(block) ?? `line-${block.line}.${block.language}`;

beforeAll(async () => {
  const typed: string[] = [];
  for (const { path, blocks } of pages) {
    for (const block of blocks) {
      if (!isScript(block) || isExempt(block)) continue;
      const file = join(pageFolder(path), fileName(block));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, block.code);
      if (block.language === "ts") typed.push(file);
    }
  }
  if (typed.length === 0) return;
  // The compiled file lands beside its source, where the page's other blocks can import it.
  const config = {
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      lib: ["ES2023", "ES2024.SharedMemory", "ESNext.Disposable"],
      types: ["node"],
      allowJs: false,
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
    },
    files: typed,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(repositoryRoot, "node_modules/.bin/tsc");
  expectSuccess(
    "type-checking the ts blocks",
    await runCommand(tsc, ["-p", folder], { cwd: repositoryRoot }),
  );
});

async function tryScript(block: CodeBlock): Promise<void> {
  const file = join(pageFolder(block.path), fileName(block).replace(/\.ts$/, ".js"));
  const result = await runCommand(process.execPath, [file], { cwd: repositoryRoot });
  expectSuccess(`${block.path}:${block.line}`, result);
  if (block.expectedOutput !== undefined)
    expect(result.stdout.trimEnd()).toBe(block.expectedOutput.trimEnd());
}

async function tryShell(block: CodeBlock): Promise<void> {
  const ownCommands = new Set(["install", "i", "add", "exec", "dlx", "pack", "run", "init", "pkg"]);
  for (const [, script = ""] of block.code.matchAll(/^(?:npm run|npm|pnpm run|pnpm) ([a-z][\w:-]*)/gm)) {
    if (!ownCommands.has(script))
      expect(scripts, `scripts of the root package.json`).toHaveProperty([script]);
  }
  if (block.info !== "run") return;
  const result = await runCommand("bash", ["-euo", "pipefail", "-c", block.code], { cwd: repositoryRoot });
  expectSuccess(`${block.path}:${block.line}`, result);
  if (block.expectedOutput !== undefined)
    expect(result.stdout.trimEnd()).toBe(block.expectedOutput.trimEnd());
}

test("the README opens with a code block that runs", () => {
  const first = pages[0]?.blocks.find(isScript);
  expect(first).toBeDefined();
  expect(first?.info).not.toContain("no-run");
});

for (const { path, blocks } of pages) {
  // A page of files alone is tried by a test of its own: test/bundles.test.ts.
  const isFile = (block: CodeBlock) => givenName(block) !== undefined && !isExempt(block);
  const tried = blocks.filter(block => (isScript(block) && !isFile(block)) || block.language === "sh");
  if (tried.length === 0) continue;
  describe(path, () => {
    for (const block of tried) {
      const name = `line ${block.line} (${block.language} ${block.info})`;
      if (isExempt(block)) {
        test(`${name} says why it is not run`, () => expect(block.info).toMatch(/^no-run: \S/));
      } else if (block.language === "sh") {
        test(`${name} holds`, () => tryShell(block));
      } else {
        test(`${name} runs`, () => tryScript(block));
      }
    }
  });
}
