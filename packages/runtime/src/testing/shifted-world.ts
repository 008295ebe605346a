/** How far the other replica's clock is off, in milliseconds: another hour, weekday, month and year. */
const shiftMs = 403 * 86_400_000 + 7 * 3_600_000 + 13 * 60_000 + 11_123;

let draws = 0;

/**
 * Runs a function as if on another day and with other luck, as another replica would. Everything is put back before
 * it returns, so the function must not wait for anything.
 */
export function inShiftedWorld<T>(run: () => T): T {
  const nowMs = Date.now.bind(Date);
  const performanceNow = performance.now.bind(performance);
  const restores = [
    replace(Date, "now", () => nowMs() + shiftMs),
    replace(
      globalThis,
      "Date",
      shiftedDate(Date, () => nowMs() + shiftMs),
    ),
    replace(performance, "now", () => performanceNow() + shiftMs),
    // Both extremes in turn: rare events happen, and a loop that waits for one of them ends.
    replace(Math, "random", () => (draws++ % 2 === 0 ? 0 : 1 - 2 ** -53)),
  ];
  try {
    return run();
  } finally {
    for (const restore of restores.reverse()) restore();
  }
}

function shiftedDate(real: DateConstructor, nowMs: () => number): DateConstructor {
  const shifted: DateConstructor = new Proxy(real, {
    construct(target, parameters, newTarget): Date {
      const given = parameters.length === 0 ? [nowMs()] : parameters;
      return Reflect.construct(target, given, newTarget === shifted ? target : newTarget);
    },
    apply: target => new target(nowMs()).toString(),
  });
  return shifted;
}

/** Returns what puts the property back as it was, inherited or own. */
function replace(target: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: false });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, before);
  };
}
