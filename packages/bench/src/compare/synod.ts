import { ClusterSubject } from "../cluster-subject.js";
import { versionsHere } from "../results/host.js";
import { LoadedRival } from "./loaded-rival.js";
import type { Rival, RivalSpec } from "./rival.js";

/** A client whose turn is minutes away need not keep its session alive. */
const sessionTimeoutMs = 3_600_000;

/** The cluster that users get who set nothing, and one client on this thread. */
export async function openSynod({ payload, threads }: RivalSpec): Promise<Rival> {
  const subject = await ClusterSubject.start({ threads, sessionTimeoutMs }, false);
  const { node, synod } = versionsHere();
  return new LoadedRival(
    {
      details: `version ${synod}, Node ${node}, threads ${threads}`,
      propose: subject.propose,
      verify: acknowledged => subject.verify(acknowledged),
      close: () => subject.close(),
    },
    payload,
  );
}
