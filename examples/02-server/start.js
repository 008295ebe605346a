// Starts the server on port 8080, or on the one given, until Ctrl-C.
import { once } from "node:events";
import { startSite } from "./site.js";

const site = await startSite({ port: Number(process.argv[2] ?? 8080) });
console.log(`listening on ${site.url}`);
await once(process, "SIGINT");
await site.close();
