import * as v from "valibot";
import { SynodError } from "./errors.js";
import { invalid } from "./invalid-option.js";

/** @throws SynodError `INVALID_OPTIONS`, for the first thing that is wrong */
export function check(shape: v.GenericSchema, value: unknown): void {
  const checked = v.safeParse(shape, value);
  if (checked.success) return;
  const issue = checked.issues[0] as v.BaseIssue<unknown>;
  const path = v.getDotPath(issue);
  if (path === null) {
    throw new SynodError(
      "INVALID_OPTIONS",
      `the options are ${String(issue.received)}; they must be an object`,
    );
  }
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw new SynodError("INVALID_OPTIONS", `there is no option ${path}: remove it, or correct its name`, {
      path,
    });
  }
  if (issue.type === "strict_object" && issue.received === "undefined") {
    throw new SynodError("INVALID_OPTIONS", `the option ${path} is missing: it must be given`, { path });
  }
  throw invalid(
    path,
    issue.input,
    issue.requirement === undefined ? (issue.expected ?? "") : describe(issue),
  );
}

function describe(issue: v.BaseIssue<unknown>): string {
  switch (issue.type) {
    case "integer":
      return "a whole number";
    case "min_value":
      return `at least ${String(issue.requirement)}`;
    case "max_value":
      return `at most ${String(issue.requirement)}`;
    case "gt_value":
      return `more than ${String(issue.requirement)}`;
    default:
      return String(issue.expected ?? issue.message);
  }
}
