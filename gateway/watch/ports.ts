/** What watching epochs needs of the chain and of gateways; `cli/gateway` joins the chain to a node's RPC. */
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import type { EpochFraud, EpochOpening, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Epoch } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { DemandStakes, OwnRequests } from '../../watch/ports.ts';
import type { TreeName } from '../epochs/routes.ts';

/** A piece of an epoch: a run of leaves by its first one, or an attribution by its hash and a receipt of it. */
export type EpochPiecePlace =
  | { readonly kind: 'run'; readonly tree: TreeName; readonly first: number }
  | { readonly kind: 'attribution'; readonly hash: Uint8Array; readonly receipt: number };

/** What answers for a piece; the other part is empty. */
export interface EpochAnswer {
  readonly opening: EpochOpening;
  readonly attribution: Uint8Array;
}

/** What a gateway serves. Nothing of it is believed. Undefined when it is not served. */
export interface EpochSource {
  leaves(
    epochId: bigint,
    tree: TreeName,
    range: { readonly from: number; readonly count: number },
  ): Promise<EpochOpening | undefined>;
  attribution(epochId: bigint, hash: Uint8Array): Promise<Uint8Array | undefined>;
}

/** Opens what is served at an endpoint; when the signal is aborted, nobody waits for it any more. */
export type EpochSources = (endpoint: string, signal?: AbortSignal) => EpochSource;

/** An epoch that can be disputed, and where its gateway says that it serves it. */
export interface PendingEpoch {
  readonly epoch: Epoch;
  readonly endpoint: string;
}

/** A piece that somebody has asked for on the chain. */
export interface EpochDemand {
  /** Of the request: later ones are larger. */
  readonly id: bigint;
  /** Of leaves: tree and first leaf; of an attribution: its hash. The receipt is not known from it. */
  readonly piece: { readonly tree: TreeName; readonly first: number } | { readonly hash: Uint8Array };
  /** This watcher has. */
  readonly own: boolean;
  /** Amount of its bond. */
  readonly bond: bigint;
  /** Once it is answered. */
  readonly answer: EpochAnswer | undefined;
}

/** What has to be known of the chain to judge receipts and attributions. */
export interface WantedFacts {
  readonly models: ReadonlySet<bigint>;
  readonly claims: ReadonlySet<bigint>;
  /** Of attributions without a claim. */
  readonly places: readonly Place[];
}

/** The chain, as a watcher with an account sees it. Everything rejects when no node answers. */
export interface EpochWatchChain {
  /** All that can be disputed. */
  pendingEpochs(): Promise<readonly PendingEpoch[]>;
  /** What the epoch is held against. What was not asked for need not be known. */
  facts(epoch: Epoch, wanted: WantedFacts): Promise<EpochChain>;
  /** What anybody has asked for of an epoch, answered or not. */
  demands(epochId: bigint): Promise<readonly EpochDemand[]>;
  /** Of the last block. */
  height(): Promise<bigint>;
  ownRequests(): Promise<OwnRequests>;
  /** Of one more request about the epoch. */
  stakes(epochId: bigint): Promise<DemandStakes>;
  /** Each resolves when it is in a block, to the hash of its transaction; LedgerError with the chain's words else. */
  disputeEpoch(epochId: bigint, fraud: EpochFraud): Promise<string>;
  /** `receipt` opens the receipt that names an attribution; of leaves it is empty. */
  requestPiece(
    epochId: bigint,
    place: EpochPiecePlace,
    opened: { readonly receipt: EpochOpening; readonly bond: bigint },
  ): Promise<string>;
}
