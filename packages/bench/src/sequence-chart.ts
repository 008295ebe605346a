import { groupFrames, type MessageGroup, type RecordedFrame, roleOf } from "./message-groups.js";

/** What is drawn under one note: some instances, and the frames that they took. */
export interface ChartPart {
  readonly note: string;
  readonly firstInstance: number;
  /** Instances, from the first on. */
  readonly count: number;
  readonly frames: readonly RecordedFrame[];
  /** Accepted carries hashes of the values. */
  readonly isHashed?: boolean;
}

/** Columns from left to right; within a column the actors that get a lifeline each. */
export interface ChartColumn {
  readonly title: string;
  readonly actors: readonly string[];
}

/** Characters between the lifelines of a role, between roles, and before the first: an arrow is at least `->`. */
const spacing = { within: 3, between: 10, margin: 4 } as const;
/** Promises of so many acceptors are shown one by one, as the papers do. */
const promisesShownMax = 3;

interface Line {
  readonly drawing: string;
  readonly message: string;
  readonly delay: string;
  readonly frames: string;
  /** How many of the acceptors sent or received it. */
  readonly acceptors: string;
}

/** Draws recorded frames as a sequence chart, a line for each kind of message and causal depth. */
export function renderChart(columns: readonly ChartColumn[], parts: readonly ChartPart[]): string {
  const lifelines = layOut(columns);
  const nothing = { delay: "", frames: "", acceptors: "" };
  const heads = { message: "message", delay: "delay", frames: "frames", acceptors: "acceptors" };
  const lines: Line[] = [{ drawing: lifelines.titles, ...heads }];
  for (const part of parts) {
    lines.push({ drawing: lifelines.empty, message: part.note, ...nothing });
    lines.push(...groupFrames(part.frames).map(group => lineOf(group, part, lifelines)));
  }
  const messageWidth = Math.max(...lines.map(({ message }) => message.length));
  const rows = lines.map(({ drawing, message, delay, frames, acceptors }) => [
    drawing.padEnd(lifelines.width),
    message.padEnd(messageWidth),
    delay.padStart(heads.delay.length),
    frames.padStart(heads.frames.length),
    acceptors.padStart(heads.acceptors.length),
  ]);
  return rows.map(row => row.join("  ").trimEnd()).join("\n");
}

interface Lifelines {
  readonly positions: ReadonlyMap<string, number>;
  readonly width: number;
  readonly titles: string;
  /** The lifelines alone. */
  readonly empty: string;
}

function layOut(columns: readonly ChartColumn[]): Lifelines {
  const positions = new Map<string, number>();
  let titles = "";
  let at: number = spacing.margin;
  for (const { title, actors } of columns) {
    const middle = at + ((actors.length - 1) * spacing.within) / 2;
    titles = `${titles.padEnd(Math.round(middle - (title.length - 1) / 2))}${title}`;
    actors.forEach((actor, index) => {
      positions.set(actor, at + index * spacing.within);
    });
    at += (actors.length - 1) * spacing.within + spacing.between;
  }
  const width = Math.max(at - spacing.between + 1, titles.length);
  const cells = new Array<string>(width).fill(" ");
  for (const position of positions.values()) cells[position] = "|";
  return { positions, width, titles, empty: cells.join("") };
}

/** `X` sends, `|` with a head before or after it receives; a line runs over lifelines that have no part in it. */
function arrows({ frames }: MessageGroup, { positions, empty }: Lifelines): string {
  const positionsOf = (actors: readonly string[]) =>
    [...new Set(actors)].map(actor => positions.get(actor)).filter(position => position !== undefined);
  const senders = positionsOf(frames.map(({ from }) => from));
  const receivers = positionsOf(frames.map(({ to }) => to));
  const cells = [...empty];
  const left = Math.min(...senders, ...receivers);
  const right = Math.max(...senders, ...receivers);
  for (let cell = left; cell <= right; cell++) cells[cell] = "-";
  for (const receiver of receivers) {
    cells[receiver] = "|";
    if (Math.min(...senders) < receiver) cells[receiver - 1] = ">";
    if (Math.max(...senders) > receiver) cells[receiver + 1] = "<";
  }
  for (const sender of senders) cells[sender] = "X";
  return cells.join("");
}

function lineOf(group: MessageGroup, part: ChartPart, lifelines: Lifelines): Line {
  const { depth, frames, again } = group;
  const acceptors = [...lifelines.positions.keys()].filter(actor => roleOf(actor) === "acceptor");
  const involved = acceptors.filter(name => frames.some(({ from, to }) => name === from || name === to));
  return {
    drawing: arrows(group, lifelines),
    message: `${labelOf(group, part)}${again ? " again" : ""}`,
    delay: depth === 0 ? "" : String(depth),
    frames: String(frames.length),
    acceptors: involved.length === 0 ? "" : `${involved.length} of ${acceptors.length}`,
  };
}

/** The message as the papers write it: ballot, instance, value. */
export function labelOf(
  { type, ballot, firstInstance, frames }: MessageGroup,
  part: Pick<ChartPart, "firstInstance" | "count" | "isHashed">,
): string {
  const [{ count, from }] = frames as [RecordedFrame];
  switch (type) {
    case "propose": {
      const name = roleOf(from) === "proposer" ? "Forward" : "Request";
      return `${name}(${rangeOf("V", part.firstInstance, part.count)})`;
    }
    case "prepare":
      return `Prepare(${ballot}, from ${firstInstance})`;
    case "promise":
      return `Promise(${ballot}, from ${firstInstance}, {${reported(frames)}})`;
    case "accept":
    case "accepted":
    case "chosen": {
      const first = firstInstance ?? part.firstInstance;
      const values = rangeOf("V", first, count);
      const carried = type === "accepted" && part.isHashed ? `H(${values})` : values;
      return `${capitalized(type)}(${ballot}, ${rangeOf("", first, count)}, ${carried})`;
    }
    default: {
      const name = capitalized(type);
      const fields = [ballot, firstInstance].filter(field => field !== null);
      return fields.length === 0 ? name : `${name}(${fields.join(", ")})`;
    }
  }
}

function capitalized(type: string): string {
  return `${type[0]!.toUpperCase()}${type.slice(1)}`;
}

/** `V7`, or `V7..V9`. */
function rangeOf(prefix: string, first: number, count: number): string {
  return count === 1 ? `${prefix}${first}` : `${prefix}${first}..${prefix}${first + count - 1}`;
}

/** What each acceptor has accepted: `null` is nothing. */
function reported(frames: readonly RecordedFrame[]): string {
  const values = frames.map(({ count }) => (count === 0 ? "null" : `${count} values`));
  if (values.length > promisesShownMax && new Set(values).size === 1)
    return `${values.length} x ${values[0]}`;
  return values.join(",");
}
