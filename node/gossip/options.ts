/** What gossip works with, how long it waits, and what it counts. */
import type { Network } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import type { GossipEngine, GossipStore } from './ports.ts';

/** What gossip works with. */
export interface GossipPorts {
  readonly network: Network;
  readonly engine: GossipEngine;
  readonly store: GossipStore;
  readonly timers: Timers;
}

/** How long gossip waits. */
export interface GossipOptions {
  /** From hearing of a vote or a proposal to giving it to peers that seem to lack it. */
  readonly relayDelayMs: number;
  /** The same for a part: parts are large, and their announcements wait behind other parts. */
  readonly partRelayDelayMs: number;
  /** A peer that gets parts from others is left to them for this long after each. */
  readonly othersServeMs: number;
  /** Parts of others' blocks that a peer gets at a time; `retryDelayMs` later it gets more. */
  readonly relayedPartsMax: number;
  /** From getting a part to announcing the parts held; announcements in between travel as one. */
  readonly announceDelayMs: number;
  /** For a peer that decided our last height to begin the next by itself, before it is told that we have. */
  readonly wakeDelayMs: number;
  /** After the queue of a peer was full. */
  readonly retryDelayMs: number;
  /** Between summaries. */
  readonly summaryIntervalMs: number;
}

/** For blocks of a second or so. */
export const DEFAULT_GOSSIP: GossipOptions = {
  relayDelayMs: 20,
  partRelayDelayMs: 40,
  othersServeMs: 150,
  relayedPartsMax: 4,
  announceDelayMs: 2,
  wakeDelayMs: 100,
  retryDelayMs: 20,
  summaryIntervalMs: 1_000,
};

/** Counters since start. */
export interface GossipMetrics {
  votesSent: number;
  partsSent: number;
  proposalsSent: number;
  /** Sent to peers at an earlier height. */
  catchUpSent: number;
  /** Received, and held already. */
  duplicateVotes: number;
  duplicateProposals: number;
  /** Of a height that this node is not at. */
  irrelevant: number;
}

/** All zero. */
export function emptyMetrics(): GossipMetrics {
  return {
    votesSent: 0,
    partsSent: 0,
    proposalsSent: 0,
    catchUpSent: 0,
    duplicateVotes: 0,
    duplicateProposals: 0,
    irrelevant: 0,
  };
}
