import { it } from "vitest";
import { plantedBugs } from "./planted-bugs/bugs.js";
import { buildPatched } from "./planted-bugs/planted-bug.js";
const variants: Record<string, any> = JSON.parse(process.env.VARIANTS ?? "{}");
it("tries", async () => {
  for (const bug of plantedBugs.filter(b => b.name.includes(process.env.BUG ?? "?"))) {
    const { simulate } = await buildPatched(bug.patches);
    for (const [label, options] of Object.entries({ own: bug.options ?? {}, ...variants })) {
      const start = performance.now();
      let caught = 0; let first = 0; let text = ""; const n = Number(process.env.N ?? 600);
      for (let seed = 1; seed <= n; seed++) {
        const r = simulate({ ...options, seed });
        if (r.violation !== undefined) { caught++; if (!first) { first = seed; text = r.violation; } }
      }
      console.log(`${bug.name} [${label}] caught ${caught}/${n} first ${first} ${text} ${(performance.now()-start|0)} ms`);
    }
  }
}, 600000);
