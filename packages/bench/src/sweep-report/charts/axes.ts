import { axisFontSize } from "./chart.js";

/** A place on an axis, and what stands there. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Digits are this wide, in parts of the font's size; other letters are hardly wider. */
const characterWidth = 0.6;

export function textWidth(text: string, fontSize: number = axisFontSize): number {
  return text.length * characterWidth * fontSize;
}

/** Leaves out what would touch its neighbour. The last one stays. `lengthPx` is the axis' length. */
export function thinned(
  ticks: readonly Tick[],
  lengthPx: number,
  [low, high]: readonly [number, number],
): Tick[] {
  const gapPx = 8;
  const pixelsPerUnit = lengthPx / (high - low || 1);
  const startOf = ({ at, text }: Tick) => at * pixelsPerUnit - textWidth(text) / 2;
  const kept: Tick[] = [];
  let free = Number.POSITIVE_INFINITY;
  for (const tick of [...ticks].sort((a, b) => b.at - a.at)) {
    if (startOf(tick) + textWidth(tick.text) + gapPx > free) continue;
    kept.unshift(tick);
    free = startOf(tick);
  }
  return kept;
}

/** 1, 2 and 5 of each power of ten, or powers alone when they are many, that cover both values. */
export function logTicks(min: number, max: number): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const steps = to - from > 3 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = from; power <= to; power++) for (const step of steps) ticks.push(step * 10 ** power);
  const first = Math.max(
    0,
    ticks.findLastIndex(tick => tick <= min),
  );
  const covering = ticks.findIndex(tick => tick >= max);
  // A single value needs an axis with two ends too.
  const last = Math.max(first + 1, covering === -1 ? ticks.length - 1 : covering);
  return ticks.slice(first, last + 1).map(tick => Number(tick.toPrecision(3)));
}

/** `1.3M`, `45k`, `0`: three digits that matter. */
export function compactNumber(value: number): string {
  if (value === 0) return "0";
  const [divisor, unit] =
    value >= 999_500_000 ? [1e9, "G"] : value >= 999_500 ? [1e6, "M"] : value >= 999.5 ? [1e3, "k"] : [1, ""];
  return `${Number((value / divisor).toPrecision(3))}${unit}`;
}

/** Milliseconds with three digits that matter. */
export function milliseconds(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}
