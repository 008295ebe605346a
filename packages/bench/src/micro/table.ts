import { formatNumber, plainTable } from "../table.js";
import type { MicroComparison } from "./comparison.js";
import type { MicroFigure } from "./run.js";

export function renderFigures(figures: readonly MicroFigure[]): string {
  const rows = figures.map(({ id, nanoseconds, spread }) => [
    ...[id, duration(nanoseconds), `${spread.toFixed(1)}%`, formatNumber(1e9 / nanoseconds)],
  ]);
  const operations = figures.map(({ id, operation }) => `${id}: ${operation}`);
  return `${plainTable(["operation", "takes", "±", "per second"], rows)}\n\n${operations.join("\n")}`;
}

export function renderMicroComparisons(compared: readonly MicroComparison[]): string {
  return plainTable(
    ["operation", "old", "new", "speed, new to old"],
    compared.map(({ id, oldNanoseconds, newNanoseconds, speed, speedSpread, differs }) => [
      ...[id, duration(oldNanoseconds), duration(newNanoseconds)],
      differs ? `${speed.toFixed(2)} x ±${speedSpread.toFixed(0)}%` : "no difference",
    ]),
  );
}

function duration(nanoseconds: number): string {
  if (nanoseconds < 1000) return `${formatNumber(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${formatNumber(nanoseconds / 1000)} us`;
  return `${formatNumber(nanoseconds / 1e6)} ms`;
}
