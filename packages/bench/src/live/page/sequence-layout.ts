import type { MessageChart, MessageTone } from "../messages.js";

/** Pixels; `character` is about the width of one in a label. */
const size = {
  margin: 22,
  withinRole: 40,
  betweenRoles: 76,
  head: 46,
  row: 38,
  slant: 20,
  figure: 84,
  character: 6.8,
} as const;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface DrawnRow {
  readonly label: string;
  readonly figure: string;
  readonly tone: MessageTone;
  /** The middle of the row. */
  readonly y: number;
  readonly senders: readonly Point[];
  readonly arrows: readonly { readonly start: Point; readonly end: Point }[];
}

/** A sequence chart with the place of everything in it, in pixels. */
export interface DrawnChart {
  readonly width: number;
  readonly height: number;
  readonly titles: readonly (Point & { readonly text: string })[];
  readonly lifelines: readonly { readonly actor: string; readonly short: string; readonly x: number }[];
  readonly top: number;
  readonly rows: readonly DrawnRow[];
  /** Where the figures end and the labels begin. */
  readonly figureEnd: number;
  readonly labelStart: number;
}

/** Time runs downwards: arrows slant, as the papers draw them, from each sender to each receiver. */
export function layOutSequence({ columns, rows }: MessageChart): DrawnChart {
  const titles: DrawnChart["titles"][number][] = [];
  const lifelines: DrawnChart["lifelines"][number][] = [];
  let x: number = size.margin;
  for (const { title, actors } of columns) {
    if (actors.length === 0) continue;
    const width = (actors.length - 1) * size.withinRole;
    titles.push({ text: title, x: x + width / 2, y: 14 });
    actors.forEach((actor, at) => {
      lifelines.push({ actor, short: shortOf(actor), x: x + at * size.withinRole });
    });
    x += width + size.betweenRoles;
  }
  const end = x - size.betweenRoles + size.margin;
  const positions = new Map(lifelines.map(({ actor, x: at }) => [actor, at]));
  const labelWidth = Math.max(0, ...rows.map(({ label }) => label.length)) * size.character + size.margin;
  return {
    width: Math.ceil(end + size.figure + labelWidth),
    height: size.head + rows.length * size.row + 8,
    titles,
    lifelines,
    top: size.head - 6,
    rows: rows.map((row, at) => {
      const y = size.head + at * size.row + size.row / 2;
      const above = y - size.slant / 2;
      const below = y + size.slant / 2;
      const known = (names: readonly string[]) =>
        names.flatMap(name => {
          const position = positions.get(name);
          return position === undefined ? [] : [position];
        });
      const from = known(row.from);
      const to = known(row.to);
      return {
        label: row.label,
        figure: row.figure,
        tone: row.tone,
        y,
        senders: from.map(position => ({ x: position, y: above })),
        arrows: from.flatMap(start =>
          to
            .filter(position => position !== start)
            .map(position => ({ start: { x: start, y: above }, end: { x: position, y: below } })),
        ),
      };
    }),
    figureEnd: end + size.figure - 12,
    labelStart: end + size.figure,
  };
}

/** `proposer-1` is `p1`. */
function shortOf(actor: string): string {
  const at = actor.lastIndexOf("-");
  return `${actor[0] ?? ""}${actor.slice(at + 1)}`;
}
