import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

type Module = Record<string, unknown>;

/**
 * Imports a module of the program's in this thread, also one in TypeScript where the program was started with tsx: on
 * Node 20 tsx works in the main thread only, though all threads inherit its flags, and has to be registered once more.
 * Beforehand, since Node remembers what could not be imported.
 */
export async function importModule(url: string): Promise<Module> {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < 22 && isTypeScript(url)) await registerTsx(url);
  return await import(url);
}

/** Where the program was started with tsx, it works in this thread from now on. */
async function registerTsx(url: string): Promise<void> {
  const loader = tsxLoader([...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(" ")]);
  if (loader === undefined) return;
  for (const from of [loader, url, pathToFileURL(`${process.cwd()}/`).href]) {
    try {
      const api: Module = await import(esModuleOf(createRequire(from)));
      (api.register as () => unknown)();
      return;
    } catch {}
  }
}

/** The URL of `tsx/esm/api` for import: `require.resolve()` finds the one for `require()`, which works less well. */
function esModuleOf(require: NodeJS.Require): string {
  const manifest = require.resolve("tsx/package.json");
  return new URL(require(manifest).exports["./esm/api"].import.default, pathToFileURL(manifest)).href;
}

/** The value of the flag by which tsx was loaded: a file of its own, or its name. */
function tsxLoader(flags: readonly string[]): string | undefined {
  return flags
    .map(flag => flag.replace(/^--(import|loader|experimental-loader)=/, ""))
    .find(value => /^tsx(\/esm)?$|^file:.*\/tsx\/dist\/(loader|esm\/index)\.mjs$/.test(value));
}

/** What helps when a module in TypeScript could not be imported; empty for other modules and failures. */
export function importAdvice(url: string, error: unknown): string {
  if (!isTypeScript(url)) return "";
  switch ((error as { readonly code?: unknown } | null | undefined)?.code) {
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return (
        " (give the built .js file; or start this program by `tsx` or `node --import tsx`, which its threads inherit; " +
        "or use Node 22.18 or newer, which strips types)"
      );
    case "ERR_MODULE_NOT_FOUND":
      return " (a .ts file that Node itself loads imports others by their full names, such as ./state.ts)";
    default:
      return "";
  }
}

function isTypeScript(url: string): boolean {
  return /\.[cm]?tsx?$/.test(url);
}
