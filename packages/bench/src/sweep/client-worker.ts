import { type ClusterHandle, connect } from "@synod/runtime";
import { workerData } from "piscina";
import type { VerifyingStore } from "../verifying-store.js";
import { answerClient, type ClientAnswer, type ClientTask } from "./client-load.js";

/** What a client's thread is given. */
export interface ClientSpec {
  readonly handle: ClusterHandle<VerifyingStore>;
}

const client = await connect((workerData as ClientSpec).handle);

export default function answer(task: ClientTask): Promise<ClientAnswer> {
  return answerClient(client, task);
}
