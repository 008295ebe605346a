// Writes the API reference of the packages to docs/api, from their docstrings. With --check it writes nothing, and
// fails where something public has no docstring, a link leads nowhere, or a type is used that is not public.
import { fileURLToPath } from "node:url";
import { Application } from "typedoc";

/** @param {string} path */
const at = path => fileURLToPath(new URL(path, import.meta.url));
const entries = [
  "index",
  "machines/kv",
  "machines/counters",
  "machines/locks",
  "prometheus",
  "testing/index",
];
const app = await Application.bootstrap({
  name: "Synod",
  entryPoints: entries.map(entry => at(`../../packages/runtime/src/${entry}.ts`)),
  tsconfig: at("../../packages/runtime/tsconfig.json"),
  readme: "none",
  excludePrivate: true,
  excludeInternal: true,
  disableGit: true,
  sourceLinkTemplate: "{path}",
  skipErrorChecking: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // How public types are made up inside: what they come to is shown where they stand.
  intentionallyNotExported: [
    "Apply",
    "Entrance",
    "Finding",
    "ForReplicas",
    "Listener",
    "ResolvedOptions",
    "Synchronous",
    "SynodErrorDetails",
    "Values",
    "acceptorMetrics",
    "actorMetrics",
    "clientMetrics",
    "clusterMetrics",
    "learnerMetrics",
    "proposerMetrics",
  ],
  intentionallyNotDocumented: ["index.QueryOf.__type.query", "index.AnswerOf.__type.query"],
  requiredToBeDocumented: ["Class", "Interface", "Function", "TypeAlias", "Variable", "Method"],
});
const project = await app.convert();
if (project === undefined) throw new Error("TypeDoc could not read the sources: see above");
if (process.argv.includes("--check")) {
  app.validate(project);
  if (app.logger.hasWarnings() || app.logger.hasErrors()) process.exitCode = 1;
} else await app.generateDocs(project, at("../../docs/api"));
