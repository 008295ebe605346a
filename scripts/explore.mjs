// The explorer's command line: every state of small configurations. `--help` says the rest.
import { disjointQuorums, largeConfigurations, smallConfigurations } from "@synod/core/testing";
import { readOptions } from "./explore/options.mjs";
import { explorePlanted } from "./explore/planted.mjs";
import { exploreSpaces } from "./explore/spaces.mjs";

const options = readOptions(process.argv.slice(2));
const all = [...smallConfigurations, ...largeConfigurations, disjointQuorums];

if (options.list) {
  for (const { name, about } of all) console.log(`${name.padEnd(26)} ${about}`);
} else if (options.planted) {
  process.exitCode = await explorePlanted(all, options);
} else {
  process.exitCode = exploreSpaces(options);
}
