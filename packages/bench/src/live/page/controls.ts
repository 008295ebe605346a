import type { LiveState } from "../messages.js";
import { byId, setText } from "./dom.js";

/** Asks the server to do something; shows why it did not. Relative, so that the token stays in the address. */
export async function act(action: "kill" | "pause" | "load" | "settings", body: object): Promise<void> {
  const problem = byId("problem");
  setText(problem, "");
  try {
    const response = await fetch(action, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return;
    const text = await response.text();
    setText(problem, errorOf(text));
  } catch {
    setText(problem, "The command that serves this page does not answer: it has ended.");
  }
}

function errorOf(text: string): string {
  try {
    return (JSON.parse(text) as { error: string }).error;
  } catch {
    return text;
  }
}

const clients = () => byId<HTMLInputElement>("clients");
const batch = () => byId<HTMLSelectElement>("batch");
const pipeline = () => byId<HTMLSelectElement>("pipeline");
const trace = () => byId<HTMLInputElement>("trace");

export function connectForms(): void {
  onSubmit("load-form", () => act("load", { clients: clients().valueAsNumber }));
  onSubmit("settings-form", () =>
    act("settings", {
      batch: batch().value === "" ? null : Number(batch().value),
      pipeline: Number(pipeline().value),
      trace: trace().checked,
    }),
  );
}

function onSubmit(id: string, run: () => Promise<void>): void {
  byId<HTMLFormElement>(id).addEventListener("submit", event => {
    event.preventDefault();
    void run();
  });
}

/** Puts what holds into the fields, once: afterwards they are the user's. */
export function fillForms({ clients: count, settings }: LiveState): void {
  clients().valueAsNumber = count;
  batch().value = settings.batch === null ? "" : String(settings.batch);
  pipeline().value = String(settings.pipeline);
  trace().checked = settings.trace;
}

/** What cannot be done now cannot be pressed. Settings can, when a start has failed. */
export function enableForms(phase: LiveState["phase"]["kind"]): void {
  const button = (id: string) => byId(id).querySelector("button") as HTMLButtonElement;
  button("load-form").disabled = phase !== "running";
  button("settings-form").disabled = phase === "starting";
}
