import { html, raw } from "hono/html";
import { liveLimits } from "./limits.js";

/** Where the page's modules find what they import by name. Relative, so that the token stays in every address. */
const imports = JSON.stringify({ imports: { uplot: "./uplot.js" } });
const batches = [1, 4, 16, 64, 256, 1024];
const pipelines = [1, 2, 4, 8, 16, 32, 64];

const options = (values: readonly number[], chosen: number | null) =>
  values.map(value => html`<option value="${value}" ${value === chosen ? "selected" : ""}>${value}</option>`);

/** The page as it is before anything is known. @param nonce lets the one script that is part of it run */
export function pageHtml(nonce: string) {
  const { clients, pauseMs, pipeline } = liveLimits;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Synod live</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="uplot.css" />
        <link rel="stylesheet" href="style.css" />
        <script type="importmap" nonce="${nonce}">${raw(imports)}</script>
        <script type="module" src="page/main.js"></script>
      </head>
      <body data-pause-ms="${pauseMs.default}">
        <header>
          <h1>Synod live</h1>
          <p id="phase" role="status">connecting</p>
          <dl id="figures">
            <div><dt>leader</dt><dd id="leader">none</dd></div>
            <div><dt>clients</dt><dd id="clients-now">0</dd></div>
            <div><dt>commits/s</dt><dd id="commits-now">0</dd></div>
            <div><dt>p50</dt><dd id="p50-now">–</dd></div>
            <div><dt>p99</dt><dd id="p99-now">–</dd></div>
          </dl>
        </header>
        <main>
          <section id="charts" aria-label="Charts">
            <figure><figcaption>Commits per second</figcaption><div id="commits-chart"></div></figure>
            <figure>
              <figcaption>Latency of a commit, ms, logarithmic: <span class="p50">p50</span>, <span class="p99">p99</span></figcaption>
              <div id="latency-chart"></div>
            </figure>
            <p class="marks">
              Marks: <span data-kind="you">by you</span> <span data-kind="leader">new leader</span>
              <span data-kind="down">down</span> <span data-kind="silent">silent</span>
              <span data-kind="up">back</span> <span data-kind="restart">cluster anew</span>
              <span data-kind="failed">failure</span>
            </p>
          </section>
          <section id="actors-section">
            <h2>Actors</h2>
            <div class="scrolls">
              <table id="actors">
                <thead>
                  <tr>
                    <th scope="col">actor</th><th scope="col">state</th><th scope="col">ballot</th>
                    <th scope="col" class="number" title="Everything below is chosen, as far as it knows">chosen below</th>
                    <th scope="col" class="number" title="Everything below is applied">applied below</th>
                    <th scope="col" class="number" title="Bytes that wait in its mailbox">mailbox</th>
                    <th scope="col" class="number">restarts</th>
                    <th scope="col"><span class="hidden">what you can do to it</span></th>
                  </tr>
                </thead>
                <tbody></tbody>
              </table>
            </div>
          </section>
          <section id="messages-section">
            <h2>Messages</h2>
            <p id="messages-note">Nothing was seen yet.</p>
            <div id="messages" class="scrolls"></div>
          </section>
        </main>
        <aside>
          <form id="load-form">
            <h2>Load</h2>
            <label>
              closed-loop clients
              <input id="clients" type="number" min="${clients.min}" max="${clients.max}" value="${clients.default}" required />
            </label>
            <button type="submit">Change the load</button>
          </form>
          <form id="settings-form">
            <h2>Batching</h2>
            <label>
              commands per batch
              <select id="batch"><option value="">adaptive</option>${options(batches, null)}</select>
            </label>
            <label>
              batches under way
              <select id="pipeline">${options(pipelines, pipeline.default)}</select>
            </label>
            <label class="check"><input id="trace" type="checkbox" /> trace single messages (slower)</label>
            <p>A running leader keeps its batching: the cluster is closed and started anew, with an empty log. The charts go on.</p>
            <button type="submit">Start anew with these</button>
          </form>
          <p id="problem" role="alert"></p>
          <section id="log-section">
            <h2>What happened</h2>
            <ol id="log" aria-live="polite"></ol>
          </section>
        </aside>
      </body>
    </html>`;
}
