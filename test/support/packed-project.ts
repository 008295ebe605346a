import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectSuccess, repositoryRoot, runCommand } from "./run-command.js";

export const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));

export const manifests = ["core", "runtime"].map(name => {
  const folder = join(repositoryRoot, "packages", name);
  return { folder, ...readJson(join(folder, "package.json")) };
});

/** Where the tarball of a package is, by its name. */
export type Tarballs = Readonly<Record<string, string>>;

const pnpm = join(repositoryRoot, "node_modules/.bin/pnpm");

/**
 * Packs Synod's packages as they would be published, and what they depend on as it is installed here: then a project
 * can be installed without a registry.
 */
export async function packAll(folder: string): Promise<Tarballs> {
  mkdirSync(folder, { recursive: true });
  const tarballs: Record<string, string> = {};
  const pack = async ({ name, folder: cwd }: { name: string; folder: string }) => {
    const tarball = join(folder, `${name.replace("@", "").replace("/", "-")}.tgz`);
    expectSuccess(`packing ${name}`, await runCommand(pnpm, ["pack", "--out", tarball], { cwd }));
    tarballs[name] = tarball;
  };
  const packOthers = async () => {
    const [, runtime] = manifests;
    const others = Object.keys(runtime?.dependencies ?? {}).filter(name => !name.startsWith("@synod/"));
    const folders = others.map(name => {
      const copy = join(folder, "others", name);
      // pnpm links equal files to one; npm would pack the second as a link, which nobody unpacks.
      cpSync(realpathSync(join(runtime?.folder ?? "", "node_modules", name)), copy, { recursive: true });
      return copy;
    });
    const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder, ...folders];
    const packed = await runCommand("npm", args, { cwd: folder });
    expectSuccess("npm pack", packed);
    for (const { name, filename } of JSON.parse(packed.stdout)) tarballs[name] = join(folder, filename);
  };
  await Promise.all([...manifests.map(pack), packOthers()]);
  return tarballs;
}

/** Makes a folder a project that depends on Synod's packages, and installs them from the tarballs alone. */
export async function installProject(
  folder: string,
  tarballs: Tarballs,
  options: { by: "npm" | "pnpm"; manifest?: Record<string, unknown>; names?: readonly string[] },
): Promise<void> {
  const { by, manifest = {}, names = manifests.map(({ name }) => name) } = options;
  mkdirSync(folder, { recursive: true });
  const files = Object.fromEntries(Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]));
  const dependencies = Object.fromEntries(names.map(name => [name, files[name]]));
  // npm wants an override of what the project depends on itself to refer to that.
  const overrides = { ...files, ...Object.fromEntries(names.map(name => [name, `$${name}`])) };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, ...manifest, dependencies, overrides }),
  );
  // Optional ones only make others faster. pnpm reads its settings from a file of its own, of which JSON is a subset.
  const settings = { overrides: files, ignoredOptionalDependencies: ["msgpackr-extract", "@napi-rs/nice"] };
  if (by === "pnpm") writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify(settings));
  const [command, args] =
    by === "npm"
      ? ["npm", ["--cache", join(folder, ".cache"), "--omit=optional", "--no-audit", "--no-fund"]]
      : [pnpm, ["--store-dir", join(folder, ".store")]];
  const result = await runCommand(command, ["install", "--offline", "--ignore-scripts", ...args], {
    cwd: folder,
    deadlineMs: 90_000,
  });
  expectSuccess(`${by} install`, result);
}
