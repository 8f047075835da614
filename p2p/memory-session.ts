/** What networks in memory are joined by: how the wires behave, and the ends of a connection. */
import type { MovingDeadline } from './deadline.ts';
import { FlowMeter } from './flow.ts';
import type { PeerInfo } from './network.ts';
import type { Pipe } from './pipe.ts';
import type { Timers } from './timers.ts';

/** How the networks of a hub behave. */
export interface MemoryHubOptions {
  readonly timers: Timers;
  /** A number in [0, 1): jitter of redials. */
  readonly random: () => number;
  /** One way from a node to another; asked for each message. */
  readonly latencyMs: (from: string, to: string) => number;
  /** The timers of one node, which end with it. Default: `timers` for all. */
  readonly timersOf?: (nodeId: string) => Timers;
  /**
   * Asked for each message on a channel: how much later than in its turn each copy of it arrives. One zero is
   * a channel that keeps its promise; none: it is lost; several: it comes several times; more than zero: it
   * is overtaken. Default: one zero.
   */
  readonly fate?: (message: MessageOnTheWay) => readonly number[];
  /**
   * The one address at which a node can be reached; it ends in `/<node id>`. Default: `/memory/<node id>`.
   */
  readonly addressOf?: (nodeId: string) => string;
  /** How fast answers go one way over a connection. Default: each arrives at once, after its latency. */
  readonly answerBytesPerSecond?: (from: string, to: string) => number;
}

/** What is known of a message when its fate is decided. */
export interface MessageOnTheWay {
  readonly from: string;
  readonly to: string;
  readonly channel: string;
  readonly bytes: Uint8Array;
}

/** One end of a connection. */
export class MemorySession<Other> {
  readonly peer: PeerInfo;
  readonly other: Other;
  readonly pipes: Map<string, Pipe> = new Map();
  readonly requesting: Map<string, number> = new Map();
  readonly onEnd: Set<() => void> = new Set();
  /** The same for both ends. */
  readonly connection: object;
  /** When the last message sent arrives: messages do not overtake each other. */
  lastArrivalMs = 0;
  /** When the last piece of an answer that was sent has gone. */
  answersGoneMs = 0;
  /** Of the requests under way: what arrives for one of them moves all. */
  readonly deadlines: Set<MovingDeadline> = new Set();
  ended = false;
  readonly sent: FlowMeter;
  readonly received: FlowMeter;

  constructor(
    peer: PeerInfo,
    link: { readonly other: Other; readonly connection: object; readonly timers: Timers },
  ) {
    this.peer = peer;
    this.other = link.other;
    this.connection = link.connection;
    this.sent = new FlowMeter(link.timers);
    this.received = new FlowMeter(link.timers);
  }
}
