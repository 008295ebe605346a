import { InvalidArgumentError } from "commander";

/** A parser for commander. @param {number} min @param {number} max @returns {(text: string) => number} */
export function integerBetween(min, max) {
  return text => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}
