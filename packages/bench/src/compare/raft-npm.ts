import { checkWritten, LoadedRival } from "./loaded-rival.js";
import type { Rival, RivalSpec } from "./rival.js";
import { connectTo } from "./servers.js";

/** Three voters: the leader beside the clients, each follower in a thread of its own. */
export async function openRaftNpm({ payload }: RivalSpec): Promise<Rival> {
  const connected = await connectTo("raft-npm", {});
  return new LoadedRival(
    {
      details: `Node ${process.versions.node}, up to 4,096 commands in an entry`,
      propose: command => connected.write(command, ""),
      verify: async acknowledged => checkWritten(await connected.written(), acknowledged),
      close: async () => {
        await connected.close();
      },
    },
    payload,
  );
}
