/**
 * What consensus gossip needs of its neighbours, and what it gives them. The engine's `ports.ts` states the
 * same shapes; `node/node.ts` joins the two.
 */
import type { BitArray } from '../../consensus/types/bit-array.ts';
import type { BlockId, PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import type { Proposal } from '../../consensus/types/proposal.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { ConsensusReader, ConsensusView } from '../../consensus/view.ts';

/** What validators tell each other. */
export type ConsensusMessage =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'blockPart'; readonly height: bigint; readonly round: number; readonly part: Part }
  | { readonly kind: 'vote'; readonly vote: Vote };

/** What changed in the engine. Everything it tells was verified. */
export type GossipEvent =
  | { readonly kind: 'step'; readonly view: ConsensusView }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | {
      readonly kind: 'blockPart';
      readonly height: bigint;
      readonly header: PartSetHeader;
      readonly index: number;
    }
  | { readonly kind: 'committed'; readonly height: bigint };

/** The engine, as gossip reads it and feeds it. */
export interface GossipEngine {
  /** Undefined before the node takes part in consensus. */
  consensus(): ConsensusReader | undefined;
  /** Which parts of that block are held; undefined when nothing asks for that block. */
  partBits(header: PartSetHeader): BitArray | undefined;
  part(header: PartSetHeader, index: number): Part | undefined;
  /** Takes a message whose shape was checked. Never throws, never waits. */
  receive(message: ConsensusMessage, peer: string): void;
  /** Calls the listener for each event until the returned function is called. */
  onEvent(listener: (event: GossipEvent) => void): () => void;
}

/** Stored blocks, to help peers that are some heights behind. */
export interface GossipStore {
  blockId(height: bigint): BlockId | undefined;
  part(height: bigint, index: number): Part | undefined;
  /** The precommits that decided a height. */
  commit(height: bigint): Commit | undefined;
}

/** What gossip is for the engine. */
export interface ConsensusPublisher {
  /** Sends a message of our own to all peers that are at its height, at once; never waits. */
  publish(message: ConsensusMessage): void;
  /** A peer sent what no correct peer sends. */
  misbehaved(peer: string, reason: string): void;
}
