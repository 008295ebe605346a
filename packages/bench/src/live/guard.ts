import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";

/** Bytes of chance in a token: nobody guesses it. */
const tokenBytes = 24;

export function newToken(): string {
  return randomBytes(tokenBytes).toString("base64url");
}

/** Takes as long for a wrong token as for the right one. */
function sameToken(given: string, token: string): boolean {
  const hashOf = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hashOf(given), hashOf(token));
}

/**
 * Lets a request pass only if it was meant for this server: a name that somebody else made to point here (DNS
 * rebinding) is another Host, and a page of somebody else that posts here has another Origin.
 *
 * @param port the one that the server listens on; asked at each request, because it is known only once it listens
 */
export function onlyOwnOrigin(port: () => number): MiddlewareHandler {
  return async (context, next) => {
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    const host = context.req.header("host");
    if (host === undefined || !hosts.includes(host)) {
      return context.text(
        "This server answers only as 127.0.0.1: open the address that it has printed.\n",
        403,
      );
    }
    const origin = context.req.header("origin");
    if (origin !== undefined && origin !== `http://${host}`) {
      return context.text("This server takes nothing from the pages of others.\n", 403);
    }
    return next();
  };
}

/** Lets a request pass only if the first part of its path is the token. */
export function onlyWithToken(token: string): MiddlewareHandler {
  return async (context, next) => {
    const [, given = ""] = context.req.path.split("/");
    if (sameToken(given, token)) return next();
    return context.text("The token is missing or wrong: open the whole address that was printed.\n", 403);
  };
}
