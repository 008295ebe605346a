// The live page in Chromium, over a real cluster, by clicking.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { LiveServer } from "../../dist/live/server.js";
import { LiveSession } from "../../dist/live/session.js";
import { findChromium, startChromium, withoutChromium } from "./chromium.js";

const chromium = findChromium();
const shape = { acceptors: 3, learners: 2, threads: "isolated" } as const;
const settings = { batch: null, pipeline: 16, trace: false } as const;
/** The proposer whose thread was killed may be back in time to be elected again; so often it is killed again. */
const killsMax = 8;
/** A look at the actors that comes late finds an actor that answers again; so often it is paused again. */
const pausesMax = 8;
/** Milliseconds: below the tests' own, so that what was waited for is told. */
const waitMs = 50_000;

let session: LiveSession | undefined;
let server: LiveServer;
let browser: Browser | undefined;
let page: Page;
const errors: string[] = [];
const requests: string[] = [];

beforeAll(async () => {
  if (chromium === undefined) return;
  session = await LiveSession.start(shape, 4, settings);
  server = await LiveServer.listen(session, 0);
  browser = await startChromium(chromium);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(waitMs);
  page.on("request", request => requests.push(request.url()));
  page.on("console", message => errors.push(message.text()));
  page.on("pageerror", error => errors.push(error.message));
  await page.goto(server.url);
});

beforeEach(context => {
  if (browser === undefined) context.skip(withoutChromium);
});

afterAll(async () => {
  await browser?.close();
  await session?.close();
});

const row = (actor: string) => page.locator(`#actors tr[data-actor="${actor}"]`);
const log = (kind: string, text: string) => page.locator(`#log li[data-kind="${kind}"]`, { hasText: text });
const leading = async () => (await page.locator("#actors tr.leads").first().getAttribute("data-actor")) ?? "";
const restartsOf = async (actor: string) => Number(await row(actor).locator(".restarts").textContent());
/** What a chart says of itself: how many points and marks it has. */
const drawn = async (id: string) => {
  const said = await page.locator(`#${id} .uplot`).getAttribute("aria-label");
  const [, points, marks] = /^(\d+) points, (\d+) marks$/.exec(said ?? "") ?? [];
  return { points: Number(points), marks: Number(marks) };
};

test("it shows every actor, a leader, and commits that go on", async () => {
  await page.locator("#actors tr.leads").waitFor();
  expect(
    await page.locator("#actors tbody tr").evaluateAll(rows => rows.map(one => one.dataset.actor)),
  ).toEqual(["proposer-0", "proposer-1", "acceptor-0", "acceptor-1", "acceptor-2", "learner-0", "learner-1"]);
  expect(await leading()).toMatch(/^proposer-\d$/);
  expect(await page.locator("#phase").textContent()).toBe("running");
  const applied = () => row("learner-0").locator(".applied").textContent();
  const before = await applied();
  await expect.poll(applied, { timeout: waitMs }).not.toBe(before);
  await expect
    .poll(() => page.locator("#p99-now").textContent(), { timeout: waitMs })
    .toMatch(/^[\d.,]+ ms$/);
  await page.locator('#messages g[data-message="Accept"] .arrow').first().waitFor();
});

test("the charts are drawn, in both colour schemes, and nothing is wider than the window", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const id of ["commits-chart", "latency-chart"]) {
      await expect.poll(async () => (await drawn(id)).points, { timeout: waitMs }).toBeGreaterThan(1);
      // Colours apart from greys: the grid and its figures have none.
      await expect
        .poll(() => page.evaluate<number>(colouredPixels(id)), { timeout: waitMs })
        .toBeGreaterThan(50);
    }
  }
  for (const width of [1280, 800, 390]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expect([width, overflow <= 0]).toEqual([width, true]);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

/** A script that counts the pixels of a chart which have a colour, on a copy: Chromium warns of reading the chart. */
function colouredPixels(id: string): string {
  return `(() => {
    const canvas = document.querySelector("#${id} canvas");
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue, alpha] = data.subarray(at, at + 4);
      if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 90) count++;
    }
    return count;
  })()`;
}

test("a click kills the leader: another leads, and the log and the charts say so", async () => {
  const first = await leading();
  let now = first;
  for (let kills = 1; now === first && kills <= killsMax; kills++) {
    const elections = await page.locator('#log li[data-kind="leader"]').count();
    const marks = (await drawn("commits-chart")).marks;
    await row(first)
      .getByRole("button", { name: `Kill ${first}` })
      .click();
    await log("you", `you killed ${first}`)
      .nth(kills - 1)
      .waitFor();
    await log("down", `${first} is down`)
      .nth(kills - 1)
      .waitFor();
    await log("up", `${first} is back`)
      .nth(kills - 1)
      .waitFor();
    await page.locator('#log li[data-kind="leader"]').nth(elections).waitFor();
    const said = (await page.locator('#log li[data-kind="leader"]').first().textContent()) ?? "";
    now = /proposer-\d/.exec(said)?.[0] ?? "";
    await expect
      .poll(async () => (await drawn("commits-chart")).marks, { timeout: waitMs })
      .toBeGreaterThan(marks);
    expect(await restartsOf(first)).toBeGreaterThanOrEqual(kills);
  }
  expect(now).not.toBe(first);
  await page.locator(`#actors tr.leads[data-actor="${now}"]`).waitFor();
});

test("the keyboard does what the mouse does", async () => {
  const kill = row("acceptor-1").getByRole("button", { name: "Kill acceptor-1" });
  await row("acceptor-1").getByRole("button", { name: "Pause acceptor-1" }).focus();
  await page.keyboard.press("Tab");
  expect(await kill.evaluate(button => button.matches(":focus-visible"))).toBe(true);
  await page.keyboard.press("Enter");
  await log("up", "acceptor-1 is back").waitFor();
  await expect.poll(() => restartsOf("acceptor-1"), { timeout: waitMs }).toBe(1);
  // Figures have changed meanwhile; the focus has not.
  expect(await kill.evaluate(button => button.matches(":focus"))).toBe(true);
});

test("an actor that is paused is silent, and then answers again", async () => {
  const silent = log("silent", "acceptor-2 does not answer");
  for (let pauses = 1; pauses <= pausesMax && (await silent.count()) === 0; pauses++) {
    await row("acceptor-2").getByRole("button", { name: "Pause acceptor-2" }).click();
    // It comes when the thread stands still, which is after the pause before it.
    await log("you", "you paused acceptor-2 for 2 s")
      .nth(pauses - 1)
      .waitFor();
  }
  await silent.first().waitFor();
  await log("up", "acceptor-2 answers again").first().waitFor();
  expect(await restartsOf("acceptor-2")).toBe(0);
});

test("the load changes while it runs", async () => {
  await page.getByLabel("closed-loop clients").fill("9");
  await page.getByRole("button", { name: "Change the load" }).click();
  await log("you", "you changed the load to 9 clients").waitFor();
  await expect.poll(() => page.locator("#clients-now").textContent()).toBe("9");
  expect(await page.locator("#phase").textContent()).toBe("running");
});

test("a page that is opened later shows what happened before", async () => {
  const later = await browser!.newPage();
  later.setDefaultTimeout(waitMs);
  await later.goto(server.url);
  await later.locator('#log li[data-kind="you"]', { hasText: "you changed the load to 9 clients" }).waitFor();
  expect(await later.getByLabel("closed-loop clients").inputValue()).toBe("9");
  await later.close();
});

test("without the token the browser gets nothing", async () => {
  const stranger = await browser!.newPage();
  const { origin } = new URL(server.url);
  expect((await stranger.goto(`${origin}/`))?.status()).toBe(403);
  expect(await stranger.locator("#actors").count()).toBe(0);
  await stranger.close();
});

test("batch and pipeline: the cluster starts anew and says so, the charts go on, messages are drawn one by one", async () => {
  const { points } = await drawn("commits-chart");
  await page.getByLabel("commands per batch").selectOption("4");
  await page.getByLabel("batches under way").selectOption("2");
  await page.getByLabel("trace single messages").check();
  await page.getByRole("button", { name: "Start anew with these" }).click();
  await log("restart", "the cluster starts anew with batches of 4, pipeline 2, traced").waitFor();
  await log("up", "the cluster runs").nth(1).waitFor();
  await expect.poll(() => page.locator("#phase").textContent(), { timeout: waitMs }).toBe("running");
  // Acks of a whole instance, from the acceptors to whom they told.
  await page.locator('#messages g[data-message^="Accepted("]').first().waitFor();
  const accept = page.locator('#messages g[data-message^="Accept("]').first();
  expect(await accept.locator(".arrow").count()).toBe(3);
  expect((await drawn("commits-chart")).points).toBeGreaterThanOrEqual(points);
  expect(await page.locator("#clients-now").textContent()).toBe("9");
  expect(await restartsOf("acceptor-1")).toBe(0);
});

test("nothing was loaded from elsewhere, nothing went wrong, and the page says when the command has ended", async () => {
  expect(errors).toEqual([]);
  expect(requests.filter(url => !url.startsWith(server.url) && !url.startsWith("data:"))).toEqual([]);
  await server.close();
  await expect
    .poll(() => page.locator("#phase").textContent(), { timeout: waitMs })
    .toContain("no connection");
});
