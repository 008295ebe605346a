import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** Where the built modules of a package are, as URLs that end in a slash. */
export interface BuiltFolders {
  readonly runtime: URL;
  readonly core: URL;
}

/** What is written beside the bundle, as JSON. */
export interface BundleManifest {
  /** The modules that are in it, from the folders that hold them. */
  readonly modules: { readonly runtime: readonly string[]; readonly core: readonly string[] };
  /** Of those modules and of the bundle: {@link bundleDigest}. */
  readonly sha256: string;
}

export const bundleFile = "actor-bundle.cjs";
export const manifestFile = "actor-bundle.json";

/** Where this package and the core that it uses are. Throws where core is not to be found, as in a bundled program. */
export function builtFolders(): BuiltFolders {
  const here = import.meta.url;
  const core = pathToFileURL(createRequire(here).resolve("@synod/core"));
  return { runtime: new URL("./", here), core: new URL("./", core) };
}

/** SHA-256 in hex of a bundle and of the modules that it was made of. Throws when one of them is missing. */
export function bundleDigest(
  folders: BuiltFolders,
  modules: BundleManifest["modules"],
  bundle: Uint8Array,
): string {
  const hash = createHash("sha256").update(bundle);
  for (const folder of ["runtime", "core"] as const) {
    for (const path of modules[folder]) {
      const content = readFileSync(new URL(path, folders[folder]));
      hash.update(`\n${folder}/${path} ${content.byteLength}\n`).update(content);
    }
  }
  return hash.digest("hex");
}

/**
 * The file that holds all modules which a thread of actors loads, if the build has made it of the very modules that are
 * here; undefined if not. Whoever changes a module, and builds no more than that, runs what was changed.
 */
export function findBundle(given?: BuiltFolders): URL | undefined {
  try {
    const folders = given ?? builtFolders();
    const { modules, sha256 } = JSON.parse(
      readFileSync(new URL(manifestFile, folders.runtime), "utf8"),
    ) as BundleManifest;
    const bundle = new URL(bundleFile, folders.runtime);
    return bundleDigest(folders, modules, readFileSync(bundle)) === sha256 ? bundle : undefined;
  } catch {
    return undefined;
  }
}
