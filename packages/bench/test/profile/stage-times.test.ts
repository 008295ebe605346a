import { stampsOf } from "@synod/runtime/internal";
import { expect, test } from "vitest";
import { StageRecorder, stages } from "../../dist/profile/stage-times.js";

test("the means of the stages, and of the parts, add up to that of the whole", () => {
  const recorder = new StageRecorder();
  const gapsMs = stages.map((_, index) => (index + 1) ** 2 / 7);
  for (const scale of [1, 3, 0.25]) {
    let at = 1000;
    recorder.add([at, ...gapsMs.map(gap => (at += gap * scale))]);
  }
  const { samples, stages: measured, parts, whole } = recorder.read();
  const sum = (values: readonly { readonly meanMs: number }[]) =>
    values.reduce((all, { meanMs }) => all + meanMs, 0);
  expect(samples).toBe(3);
  expect(stages).toHaveLength(stampsOf.length - 1);
  expect(sum(measured)).toBeCloseTo(whole.meanMs, 6);
  expect(sum(parts)).toBeCloseTo(whole.meanMs, 6);
  for (const { meanMs, hopMeanMs, workMeanMs } of parts)
    expect(hopMeanMs + workMeanMs).toBeCloseTo(meanMs, 6);
});
