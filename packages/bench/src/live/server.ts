import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { SynodError } from "@synod/runtime";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NONCE, type SecureHeadersVariables, secureHeaders } from "hono/secure-headers";
import { streamSSE } from "hono/streaming";
import * as v from "valibot";
import { readAsset } from "./assets.js";
import { newToken, onlyOwnOrigin, onlyWithToken } from "./guard.js";
import { pageHtml } from "./html.js";
import { liveLimits } from "./limits.js";
import type { LiveUpdate } from "./messages.js";
import { ActionRefused, type LiveSession } from "./session.js";
import { pageStyle } from "./style.js";

const { batch, clients, pauseMs, pipeline } = liveLimits;
const between = ({ min, max }: { readonly min: number; readonly max: number }) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

const killSchema = v.strictObject({ actor: v.string() });
const pauseSchema = v.strictObject({ actor: v.string(), ms: between(pauseMs) });
const loadSchema = v.strictObject({ clients: between(clients) });
const settingsSchema = v.strictObject({
  batch: v.nullable(between(batch)),
  pipeline: between(pipeline),
  trace: v.boolean(),
});

/** What the page needs of a session. */
export type Actions = Pick<LiveSession, "subscribe" | "kill" | "pause" | "setClients" | "restart">;

/** The page of a session, at an address of the loopback that is known to whoever has seen it. */
export class LiveServer {
  /** With the token: whoever knows it can kill actors. */
  readonly url: string;
  readonly #server: ServerType;

  private constructor(server: ServerType, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param port 0 for any that is free. @throws the system's error when it cannot listen there */
  static async listen(session: Actions, port: number): Promise<LiveServer> {
    const token = newToken();
    let bound = port;
    const app = appOf(session, token, () => bound);
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
    await once(server, "listening");
    bound = (server.address() as AddressInfo).port;
    return new LiveServer(server, `http://127.0.0.1:${bound}/${token}/`);
  }

  /** Ends all connections, streams included. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    if ("closeAllConnections" in this.#server) this.#server.closeAllConnections();
    await closed;
  }
}

function appOf(session: Actions, token: string, port: () => number): Pick<Hono, "fetch"> {
  const app = new Hono<{ Variables: SecureHeadersVariables }>();
  app.use(onlyOwnOrigin(port), onlyWithToken(token), headers());
  app.use(bodyLimit({ maxSize: liveLimits.bodyBytesMax }));

  const base = `/${token}`;
  app.get(`${base}/`, context => context.html(pageHtml(context.get("secureHeadersNonce") ?? "")));
  app.get(`${base}/style.css`, context => context.text(pageStyle, 200, { "content-type": "text/css" }));
  app.get(`${base}/events`, context => streamOf(context, session));
  app.get(`${base}/*`, async context => {
    const asset = await readAsset(context.req.path.slice(base.length + 1));
    return asset ? context.text(asset.body, 200, { "content-type": asset.type }) : context.notFound();
  });

  const action = <T>(path: string, schema: v.GenericSchema<unknown, T>, run: (input: T) => unknown) =>
    app.post(`${base}/${path}`, async context => {
      const input = v.safeParse(schema, await context.req.json().catch(() => undefined));
      if (!input.success) return context.json({ error: textOf(input.issues) }, 400);
      try {
        await run(input.output);
        return context.json({});
      } catch (error) {
        if (error instanceof ActionRefused) return context.json({ error: error.message }, 409);
        if (error instanceof SynodError) return context.json({ error: error.message, code: error.code }, 409);
        throw error;
      }
    });
  action("kill", killSchema, ({ actor }) => session.kill(actor));
  action("pause", pauseSchema, ({ actor, ms }) => session.pause(actor, ms));
  action("load", loadSchema, input => session.setClients(input.clients));
  action("settings", settingsSchema, settings => session.restart(settings));
  return app;
}

/** The page loads nothing but what this server has, and nobody may frame it. */
function headers() {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", NONCE],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "no-referrer",
    // There is no https here.
    strictTransportSecurity: false,
  });
}

function textOf(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(issue => `${v.getDotPath(issue) ?? "the body"}: ${issue.message}`).join("; ");
}

/** Everything that is told to the page, as it comes, until the page goes. */
function streamOf(context: Context, session: Actions): Response {
  return streamSSE(context, async stream => {
    let waiting = 0;
    const write = async (update: LiveUpdate): Promise<void> => {
      if (waiting >= liveLimits.updatesWaitingMax) return stream.abort();
      waiting++;
      await stream.writeSSE({ data: JSON.stringify(update) });
      waiting--;
    };
    const unsubscribe = session.subscribe(update => void write(update));
    // A comment: the browser ignores it, and a connection that has gone is noticed.
    const keepAlive = setInterval(() => void stream.write(":\n\n"), liveLimits.keepAliveMs);
    await new Promise<void>(resolve => stream.onAbort(resolve));
    clearInterval(keepAlive);
    unsubscribe();
  });
}
