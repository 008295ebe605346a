import type { MessagePort } from "node:worker_threads";
import type { Endpoint } from "comlink";

/** Node's MessagePort in the shape that Comlink expects of a browser's. */
export function comlinkEndpoint(port: MessagePort): Endpoint {
  type Listener = (event: { data: unknown }) => void;
  const wrappers = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: unknown) =>
      port.postMessage(message, transfer as readonly MessagePort[]),
    addEventListener: (_type: string, listener: unknown) => {
      const wrapper = (data: unknown) => (listener as Listener)({ data });
      wrappers.set(listener, wrapper);
      port.on("message", wrapper);
    },
    removeEventListener: (_type: string, listener: unknown) => {
      const wrapper = wrappers.get(listener);
      if (wrapper !== undefined) port.off("message", wrapper);
      wrappers.delete(listener);
    },
    start: () => port.start(),
  };
}
