import { assertNever } from "../assert.js";
import { type Ballot, formatBallot, noBallot, sameBallot } from "../ballot.js";
import type { Batch, CommandSegment, Segment } from "../batch.js";
import type { AcceptedEntry, Address, DigestSource, Message, Result } from "../messages.js";

/** Puts the payloads of a segment into words; without it commands are named by their numbers. */
type DescribeCommands = (segment: CommandSegment) => string;

/** `1.2.0`, or `none` below every ballot. */
export function describeBallot(ballot: Ballot): string {
  return sameBallot(ballot, noBallot) ? "none" : formatBallot(ballot);
}

/** `5`, or `5..7`. */
function describeRange(first: number, count: number): string {
  return count === 1 ? `${first}` : `${first}..${first + count - 1}`;
}

/** Sequence numbers of a session: `4:1..3` are the first three of session 4. */
export function describeSequences(session: number, firstSequence: number, count: number): string {
  return `${session}:${describeRange(firstSequence, count)}`;
}

const byNumber: DescribeCommands = ({ session, firstSequence, count }) =>
  describeSequences(session, firstSequence, count);

/** `a, b, noop`: the values of a batch, in the order of their instances. */
export function describeBatch(batch: Batch, describeCommands = byNumber): string {
  return batch.segments.map(segment => describeSegment(segment, describeCommands)).join(", ");
}

/** `5..7 in 1.1.0: a, b, c`. */
export function describeEntry(entry: Omit<AcceptedEntry, "source">, describeCommands = byNumber): string {
  const instances = describeRange(entry.firstInstance, entry.count);
  return `${instances} in ${describeBallot(entry.ballot)}: ${describeBatch(entry.batch, describeCommands)}`;
}

/** `proposer-0,1, client-3`: addresses, those of one role together. */
export function describeAddresses(addresses: readonly Address[]): string {
  const byRole = new Map<string, string[]>();
  for (const address of addresses) {
    const at = address.lastIndexOf("-");
    const role = address.slice(0, at);
    byRole.set(role, [...(byRole.get(role) ?? []), address.slice(at + 1)]);
  }
  return [...byRole].map(([role, indexes]) => `${role}-${indexes.join(",")}`).join(", ");
}

/** A message in one short line, beginning with its name. */
export function describeMessage(message: Message, describeCommands = byNumber): string {
  switch (message.type) {
    case "propose":
      return `${message.forwarded ? "Forward" : "Propose"} ${message.segments.map(segment => describeProposal(segment, describeCommands)).join(", ")}`;
    case "notLeader": {
      const { ballot, leader, forwarded } = message;
      const hint = leader < 0 ? "" : `, proposer-${leader} leads${forwarded ? " and has got it" : ""}`;
      return `NotLeader ${describeBallot(ballot)}${hint}`;
    }
    case "prepare": {
      const { ballot, firstInstance, released } = message;
      const by = released === null ? "" : `, released by ${describeBallot(released)}`;
      return `Prepare ${describeBallot(ballot)} from ${firstInstance}${by}`;
    }
    case "promise": {
      const found = message.accepted.map(entry => describeEntry(entry, describeCommands)).join("; ");
      const rest = message.continuesAt < 0 ? "" : `; goes on at ${message.continuesAt}`;
      const trimmed = describeTrimmed(message.trimmedBelow);
      return `Promise ${describeBallot(message.ballot)} from ${message.firstInstance}: ${found || "nothing"}${rest}${trimmed}`;
    }
    case "refuse": {
      const { ballot, promised, trimmedBelow, leaseUntil, full } = message;
      if (full) return `Refuse ${describeBallot(ballot)}: no room${describeTrimmed(trimmedBelow)}`;
      const why = leaseUntil > 0 ? `leased until ${leaseUntil} ms` : `promised ${describeBallot(promised)}`;
      return `Refuse ${describeBallot(ballot)}: ${why}${describeTrimmed(trimmedBelow)}`;
    }
    case "accept": {
      const { trimBelow, source } = message;
      const entry = describeEntry({ ...message, count: message.batch.count }, describeCommands);
      return `Accept ${entry}${describeDigest(source)}${trimBelow > 0 ? `; trim below ${trimBelow}` : ""}`;
    }
    case "accepted": {
      const { ballot, firstInstance, count, batch, source } = message;
      const instances = `${describeRange(firstInstance, count)} in ${describeBallot(ballot)}`;
      if (batch === null) return `Accepted ${instances}${describeDigest(source)}`;
      return `Accepted ${instances}: ${describeBatch(batch, describeCommands)}${describeDigest(source)}`;
    }
    case "fetch":
      return `Fetch from ${message.firstInstance}`;
    case "trimmed":
      return `Trimmed below ${message.trimmedBelow}`;
    case "progress": {
      const { appliedBelow, stuck, trimBelow, pinnedAt } = message;
      const published = trimBelow > 0 ? `, may be trimmed below ${trimBelow}` : "";
      const pinned = pinnedAt >= 0 ? `, pinned at ${pinnedAt}` : "";
      return `Progress applied below ${appliedBelow}${stuck ? ", stuck" : ""}${published}${pinned}`;
    }
    case "response": {
      const { session, firstSequence, results, appliedBelow } = message;
      const sequences = describeSequences(session, firstSequence, results.length);
      return `Response ${sequences} = ${Array.from(results, describeResult).join(", ")}; applied below ${appliedBelow}`;
    }
    case "sessionOpened":
      return `SessionOpened ${message.session}`;
    case "sessionExpired":
      return `SessionExpired ${message.session}`;
    case "sequenceGap":
      return `SequenceGap ${message.session}:${message.expected} in ${describeBallot(message.ballot)}`;
    case "query":
      return `Query ${message.id} once applied below ${message.appliedBelow}`;
    case "answer":
      return `Answer ${message.id} = ${describeResult(message.result)}; applied below ${message.appliedBelow}`;
    case "heartbeat": {
      const { ballot, leaseUntil, round, chosenBelow, distinguished } = message;
      const lease = leaseUntil > 0 ? `, lease until ${leaseUntil} ms` : "";
      const told = distinguished < 0 ? "" : `, learner-${distinguished} is told`;
      return `Heartbeat ${describeBallot(ballot)} round ${round}${lease}, chosen below ${chosenBelow}${told}`;
    }
    case "granted": {
      const { ballot, leaseUntil, round } = message;
      return `Granted ${describeBallot(ballot)} round ${round}, lease until ${leaseUntil} ms`;
    }
    case "release":
      return `Release ${describeBallot(message.ballot)}`;
    case "chosen":
      return `Chosen ${describeEntry(message, describeCommands)}`;
    case "read":
      return `Read ${message.id}`;
    case "readReady":
      return `ReadReady ${message.id} once applied below ${message.readBelow}${message.storageFull ? ", storage is full" : ""}`;
    case "sample": {
      const samples = message.samples.map(([instance, chain]) => `${instance}: ${chain.toString(16)}`);
      return `Sample applied below ${message.appliedBelow}: ${samples.join(", ") || "none"}`;
    }
    case "standIn":
      return message.on ? "StandIn from now on" : "StandIn no more";
    case "follow":
      return `Follow applied below ${message.appliedBelow}${message.feed ? ", to be fed" : ""}`;
    case "followed":
      return `Followed chosen below ${message.chosenBelow}`;
    default:
      return assertNever(message);
  }
}

export function describeResult(result: Result): string {
  return result === undefined ? "none" : String(result);
}

function describeDigest(source: DigestSource | null): string {
  return source === null ? "" : `, digest ${source.digest.toString(16)}`;
}

function describeTrimmed(below: number): string {
  return below > 0 ? `; trimmed below ${below}` : "";
}

/** A client's proposal says which numbers its commands have. */
function describeProposal(segment: Segment, describeCommands: DescribeCommands): string {
  const text = describeSegment(segment, describeCommands);
  if (segment.kind !== "commands") return text;
  const numbers = byNumber(segment);
  return text === numbers ? numbers : `${numbers} ${text}`;
}

function describeSegment(segment: Segment, describeCommands: DescribeCommands): string {
  switch (segment.kind) {
    case "commands":
      return describeCommands(segment);
    case "fill":
      return `fill ${describeSequences(segment.session, segment.firstSequence, segment.count)}`;
    case "open":
      return `open client-${segment.client}`;
    case "close":
      return `close ${segment.session}`;
    case "keepAlive":
      return `keep ${segment.session} alive`;
    case "noop":
      return segment.count === 1 ? "noop" : `noop x${segment.count}`;
    default:
      return assertNever(segment);
  }
}
