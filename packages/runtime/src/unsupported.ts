import { SynodError } from "./errors.js";

/*
 * What bundlers for browsers and edge runtimes find in place of `@synod/runtime`: its names, all of which say that they
 * cannot work there. Without it a bundle would fail at the first `node:` import, in words that help nobody.
 */
function unsupported(): never {
  const message =
    "Synod runs in Node.js only: browsers and edge runtimes have no worker threads of node:worker_threads. Keep the " +
    "import of @synod/runtime out of what is bundled for them";
  throw new SynodError("UNSUPPORTED_ENVIRONMENT", message);
}

/** @throws SynodError `UNSUPPORTED_ENVIRONMENT` */
export class Cluster {
  constructor() {
    unsupported();
  }

  static async start(): Promise<never> {
    return unsupported();
  }
}

/** @throws SynodError `UNSUPPORTED_ENVIRONMENT` */
export async function connect(): Promise<never> {
  return unsupported();
}

/** @throws SynodError `UNSUPPORTED_ENVIRONMENT` */
export async function joinReplica(): Promise<never> {
  return unsupported();
}

export { quantileOf } from "./metrics/histogram.js";
export { ProposeAllError } from "./propose-all-error.js";
export { SynodError };
