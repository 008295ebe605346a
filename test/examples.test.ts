// Every folder of examples/ runs as it stands, and prints what its expected.txt says where there is one. Tests that it
// has of its own pass.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectSuccess, repositoryRoot, runCommand } from "./support/run-command.js";

const folder = join(repositoryRoot, "examples");
const names = readdirSync(folder)
  .filter(name => /^\d\d-/.test(name))
  .sort();

test("there are examples, numbered from 01 on without a gap, each with a README", () => {
  expect(names).not.toEqual([]);
  const numbers = names.map(name => Number(name.slice(0, 2)));
  expect(numbers).toEqual(names.map((_, index) => index + 1));
  expect(names.filter(name => !existsSync(join(folder, name, "README.md")))).toEqual([]);
});

for (const name of names) {
  test(`examples/${name} runs`, async () => {
    const cwd = join(folder, name);
    const [command, args] = existsSync(join(cwd, "main.js"))
      ? [process.execPath, ["main.js"]]
      : ["npm", ["start", "--silent"]];
    const result = await runCommand(command, args, { cwd });
    expectSuccess(`examples/${name}`, result);
    const expected = join(cwd, "expected.txt");
    if (existsSync(expected)) expect(result.stdout).toBe(readFileSync(expected, "utf8"));
  });

  const ownTests = readdirSync(join(folder, name)).filter(file => file.endsWith(".test.js"));
  if (ownTests.length === 0) continue;
  test(`examples/${name} passes its own tests`, async () => {
    const result = await runCommand(process.execPath, ["--test", "--test-reporter=tap", ...ownTests], {
      cwd: join(folder, name),
    });
    expectSuccess(`the tests of examples/${name}`, result);
    expect(result.stdout).toMatch(/^# pass [1-9]/m);
  });
}
