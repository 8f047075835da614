/** What of the chain an epoch speaks of. The keeper answers from state, a watcher from queries. */
import type { Place } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { ReceiptParts } from './leaves.ts';

/** What an inference costs, and how that is divided. */
export interface Quote {
  readonly fee: bigint;
  readonly parts: ReceiptParts;
}

/** Who gets of what is nobody's: the first positions of a Datanet's log, those of a snapshot. */
export interface DatanetWeight {
  readonly datanetId: bigint;
  /** At least 1. */
  readonly positions: bigint;
  readonly weight: bigint;
}

/** What a model's receipts are held against. Models are immutable, so it is the same at every height. */
export interface ModelTerms {
  readonly denom: string;
  quote(usage: { readonly tokensIn: bigint; readonly tokensOut: bigint }): Quote;
  /** In rising order of Datanets, then positions; none for a model without snapshots. */
  readonly datanets: readonly DatanetWeight[];
  /** Most that this gateway may state of an attribution without a claim, in basis points of the weight. */
  readonly statedBps: number;
}

/** Weights of who an answer draws on. */
export interface AttributedWeights {
  /** In rising order of places, each a position of a Datanet's log. */
  readonly entries: readonly WeightedPlace[];
  /** Nobody's. */
  readonly unattributed: bigint;
}

/** A place and its weight, which is not zero. */
export interface WeightedPlace {
  readonly place: Place;
  readonly weight: bigint;
}

/** A claim of attribution that receipts may rest on: it is final, and stays. */
export interface FinalClaim {
  readonly modelId: bigint;
  /** 32 bytes. */
  readonly answerRoot: Uint8Array;
  readonly weights: AttributedWeights;
}

/** What was claimed of a lane for the epoch. */
export interface ClaimedLane {
  readonly from: bigint;
  readonly to: bigint;
}

/** See the file comment. */
export interface EpochChain {
  /** Of the epoch. */
  readonly denom: string;
  /** Undefined when there is no such model. */
  terms(modelId: bigint): ModelTerms | undefined;
  /** Undefined when nothing was claimed of it for the epoch. */
  lane(channel: Uint8Array, lane: number): ClaimedLane | undefined;
  /** Undefined when there is none that receipts may rest on. */
  claim(id: bigint): FinalClaim | undefined;
  /** True when a contribution stands at this position of this Datanet's log. */
  holds(place: Place): boolean;
  /** True when the gateway signed these bytes of a receipt. */
  signed(receipt: Uint8Array, signature: Uint8Array): boolean;
}
