// Ends a test run with what a person or a CI wants to read: the wall time of each project against its budget, and
// one plain line `N passed, N failed, N skipped`. With SYNOD_REQUIRE_ALL=1 a skipped test fails the run.

/** @type {Record<string, number>} seconds of wall time that a project may take */
const budgetSeconds = {
  core: 120,
  parts: 30,
  threads: 120,
  faults: 120,
  embed: 90,
  chaos: 60,
  browser: 60,
  docs: 90,
};

export default class PlainLineReporter {
  /** @type {Map<string, { startMs: number, endMs: number }>} */
  #spans = new Map();

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleQueued(module) {
    const now = performance.now();
    if (!this.#spans.has(module.project.name)) {
      this.#spans.set(module.project.name, { startMs: now, endMs: now });
    }
  }

  /** @param {import("vitest/node").TestModule} module */
  onTestModuleEnd(module) {
    const span = this.#spans.get(module.project.name);
    if (span) span.endMs = performance.now();
  }

  /**
   * @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    /** @type {string[]} */
    const skipped = [];
    for (const module of modules) {
      // A file that does not load, or a hook that throws, is a failure without a failed test.
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed += 1;
        else if (result.state === "failed") failed += 1;
        else {
          const note = result.state === "skipped" ? result.note : undefined;
          skipped.push(`${module.relativeModuleId} > ${test.fullName}${note ? `: ${note}` : ""}`);
        }
      }
    }

    console.log("");
    for (const [name, { startMs, endMs }] of this.#spans) {
      const seconds = (endMs - startMs) / 1000;
      const budget = budgetSeconds[name];
      const over = budget !== undefined && seconds > budget ? ", OVER BUDGET" : "";
      console.log(`${name}: ${seconds.toFixed(1)} s of ${budget ?? "unlimited"} s${over}`);
    }
    for (const line of skipped) console.log(`skipped: ${line}`);
    if (skipped.length > 0 && process.env.SYNOD_REQUIRE_ALL === "1") {
      console.log("SYNOD_REQUIRE_ALL=1: a skipped test fails the run");
      process.exitCode = 1;
    }
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  }
}
