// What a browser makes of the page's drawings. Functions that are sent into the page stand alone.
import type { Page } from "playwright-core";

/** Of one drawing. */
export interface Drawn {
  readonly title: string;
  /** Marks by their kind, as the drawing names it. */
  readonly counts: Readonly<Record<string, number>>;
  readonly xTicks: number;
  readonly yTicks: number;
  /** What is wrong, in words; none of a drawing that is fine. */
  readonly faults: readonly string[];
}

/** Looks at every drawing: what is outside, what overlaps, what can't be read. */
export function lookAt(page: Page): Promise<Drawn[]> {
  // The tests have no types of the DOM: this runs in the browser.
  return page.evaluate(`(${inPage})()`) as Promise<Drawn[]>;
}

const inPage = String.raw`() => {
  const cornersOf = text => {
    const { x, y, width, height } = text.getBBox();
    // Letters do not fill the height of their line.
    const [top, bottom] = [y + 0.15 * height, y + 0.85 * height];
    return [[x, top], [x + width, top], [x + width, bottom], [x, bottom]].map(([cx, cy]) => {
      const at = new DOMPoint(cx, cy).matrixTransform(text.getScreenCTM());
      return [at.x, at.y];
    });
  };
  // Two convex shapes are apart if their shadows are apart in the direction of one of their sides.
  const overlap = (a, b) => [a, b].every(shape => shape.every((corner, index) => {
    const next = shape[(index + 1) % shape.length];
    const normal = [next[1] - corner[1], corner[0] - next[0]];
    const shadow = of => of.map(([x, y]) => x * normal[0] + y * normal[1]);
    const [of, other] = [shadow(a), shadow(b)];
    return Math.max(...of) > Math.min(...other) && Math.max(...other) > Math.min(...of);
  }));
  const channels = color => color.match(/[\d.]+/g).map(Number);
  const luminance = color => channels(color).slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const visible = text => text.textContent.trim() !== "";
  return [...document.querySelectorAll("svg.plot")].map(drawing => {
    const faults = [];
    const frame = drawing.getBoundingClientRect();
    const inside = (box, what) => {
      const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
      if (out) faults.push(what + " is outside of the drawing");
    };
    const texts = [...drawing.querySelectorAll("text")].filter(visible);
    for (const text of texts) inside(text.getBoundingClientRect(), '"' + text.textContent + '"');
    const shapes = texts.map(cornersOf);
    const boxes = texts.map(text => text.getBoundingClientRect());
    const near = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    shapes.forEach((shape, index) => shapes.slice(0, index).forEach((other, at) => {
      if (near(boxes[index], boxes[at]) && overlap(shape, other)) faults.push('"' + texts[index].textContent + '" overlaps "' + texts[at].textContent + '"');
    }));
    const labels = axis => [...drawing.querySelectorAll('[aria-label="' + axis + '-axis tick label"] text')].filter(visible);
    const rightOf = Math.max(frame.left, ...labels("y").map(label => label.getBoundingClientRect().right));
    const xLabels = labels("x").map(label => label.getBoundingClientRect());
    const yMiddles = labels("y").map(label => label.getBoundingClientRect()).map(box => (box.top + box.bottom) / 2);
    const isOnTop = xLabels.every(box => yMiddles.every(middle => box.bottom < middle));
    const top = isOnTop ? Math.max(...xLabels.map(box => box.bottom)) : frame.top;
    const bottom = isOnTop ? frame.bottom : Math.min(...xLabels.map(box => box.top));
    const counts = {};
    for (const group of drawing.querySelectorAll(":scope > g[class]")) {
      const name = group.getAttribute("class");
      counts[name] = (counts[name] ?? 0) + group.children.length;
      for (const mark of group.children) {
        const box = mark.getBoundingClientRect();
        inside(box, "a mark of " + name);
        const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
        if (x < rightOf || y < top - 1 || y > bottom + 1) faults.push("a mark of " + name + " is on the axis");
        if (!Number.isFinite(x) || box.width + box.height === 0) faults.push("a mark of " + name + " can't be seen");
        const { fill, stroke } = getComputedStyle(mark);
        const color = fill === "none" ? stroke : fill;
        const isCell = name === "cells" || name === "numbers" || name === "shares" || name === "saturated";
        if (color !== "none" && !isCell && contrast(color, paper) < 3) faults.push(name + " in " + color + " can't be told from " + paper);
      }
    }
    const cells = [...drawing.querySelectorAll(".cells rect, .stages rect")];
    for (const number of drawing.querySelectorAll(".numbers text, .shares text")) {
      const { left, right, top, bottom } = number.getBoundingClientRect();
      const under = cells.find(cell => {
        const box = cell.getBoundingClientRect();
        return box.left <= left + 1 && box.right >= right - 1 && box.top <= top + 1 && box.bottom >= bottom - 1;
      });
      if (under === undefined) { faults.push('"' + number.textContent + '" is wider than its cell'); continue; }
      const fill = getComputedStyle(under).fill;
      const behind = fill === "none" ? paper : fill;
      if (contrast(getComputedStyle(number).fill, behind) < 4.5) faults.push('"' + number.textContent + '" can\'t be read on ' + behind);
    }
    for (const label of [...labels("x"), ...labels("y")]) {
      const { fill } = getComputedStyle(label);
      if (contrast(fill, paper) < 4.5) faults.push('"' + label.textContent + '" can\'t be read on ' + paper);
    }
    const figure = drawing.closest("figure");
    const { title = "" } = { title: figure.querySelector("figcaption")?.textContent };
    if (drawing.getAttribute("role") !== "img" || !drawing.getAttribute("aria-label")) faults.push("it has no name for screen readers");
    return { title, counts, xTicks: labels("x").length, yTicks: labels("y").length, faults };
  });
}`;
