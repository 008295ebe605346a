export { createDoorbell, type Doorbell, lostWakeUpsOf, ringDoorbell } from "./doorbell.js";
export { FRAME_BYTES_MAX, LANE_BYTES_MAX, LANE_BYTES_MIN } from "./lane.js";
export {
  type Capacities,
  type Connection,
  createConnection,
  type FrameHandler,
  type Inbox,
  type InboxCounters,
  type InboxOptions,
  type LaneKind,
  type MailboxKind,
  type Outbox,
  openInbox,
  openInboxes,
  openOutbox,
  type ReceivingEnd,
  routine,
  type SendingEnd,
  transferListOf,
} from "./mailbox.js";
