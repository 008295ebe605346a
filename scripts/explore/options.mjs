import { disjointQuorums, largeConfigurations, smallConfigurations } from "@synod/core/testing";
import { Command, Option } from "commander";
import { integerBetween } from "../command-line/integer-between.mjs";

/** @typedef {import("@synod/core/testing").Configuration} Configuration */

/**
 * @typedef {object} Options
 * @property {readonly Configuration[]} configurations
 * @property {number} statesMax
 * @property {boolean} planted
 * @property {boolean} list
 */

/** Tables double when they are full: with the tuples of seven actors the next size would pass 4 GB. */
const statesMaxMax = 100_000_000;

/** Ends the process, with help, when they are wrong. @param {readonly string[]} args @returns {Options} */
export function readOptions(args) {
  const program = new Command("explore")
    .description(
      "Visits every state of small configurations of the roles of @synod/core, and checks the invariants in each.",
    )
    .argument("[names...]", "configurations; all small ones when left out")
    .option("--list", "list the configurations")
    .option("--large", "the large configurations too")
    .option("--states-max <n>", "states after which to stop", integerBetween(1, statesMaxMax), 50_000_000)
    .option("--proposals <counts>", "commands in each proposal, by proposer: 2,1/1,2 (- for none)", proposals)
    .option("--campaigns <counts>", "campaigns of each proposer: 2,1", counts)
    .option("--restarts <counts>", "restarts of each proposer: 1,0", counts)
    .option("--pipeline <n>", "Accepts in flight at once", integerBetween(1, 16))
    .addOption(
      new Option("--planted", "the planted bugs, each in the space that can express it").conflicts([
        ...["large", "list", "proposals", "campaigns", "restarts", "pipeline"],
      ]),
    )
    .helpOption("--help", "show this")
    .showHelpAfterError();
  // pnpm hands its own "--" on.
  program.parse(
    args.filter(argument => argument !== "--"),
    { from: "user" },
  );
  const options = program.opts();
  const configurations = namedConfigurations(program, options.large === true).map(configuration =>
    withBounds(configuration, options, program),
  );
  return {
    configurations,
    statesMax: options.statesMax,
    planted: options.planted === true,
    list: options.list === true,
  };
}

/** @param {Command} program @param {boolean} large @returns {readonly Configuration[]} */
function namedConfigurations(program, large) {
  const known = [...smallConfigurations, ...largeConfigurations, disjointQuorums];
  if (program.args.length === 0) {
    return [...smallConfigurations, ...(large ? largeConfigurations : []), disjointQuorums];
  }
  return program.args.map(name => {
    const configuration = known.find(each => each.name === name);
    if (configuration !== undefined) return configuration;
    return program.error(`error: there is no configuration "${name}"; --list shows all of them`);
  });
}

/**
 * @param {Configuration} configuration
 * @param {{ proposals?: number[][], campaigns?: number[], restarts?: number[], pipeline?: number }} bounds
 * @param {Command} program @returns {Configuration}
 */
function withBounds(configuration, { proposals, campaigns, restarts, pipeline }, program) {
  const { proposers } = configuration;
  for (const [name, given] of Object.entries({ proposals, campaigns, restarts })) {
    if (given === undefined || given.length === proposers.length) continue;
    const has = `${configuration.name} has ${proposers.length} proposers`;
    program.error(`error: ${has}, but --${name} has values for ${given.length}`);
  }
  return {
    ...configuration,
    pipelineBatchesMax: pipeline ?? configuration.pipelineBatchesMax,
    proposers: proposers.map((bounds, index) => ({
      campaignsMax: campaigns?.[index] ?? bounds.campaignsMax,
      restartsMax: restarts?.[index] ?? bounds.restartsMax,
      proposals: proposals?.[index] ?? bounds.proposals,
    })),
  };
}

/** @param {string} text */
function counts(text) {
  return text.split(",").map(integerBetween(0, 9));
}

/** @param {string} text */
function proposals(text) {
  return text.split("/").map(part => (part === "-" ? [] : part.split(",").map(integerBetween(1, 9))));
}
