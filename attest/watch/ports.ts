/** What watching needs of the chain and of publishers; `cli/attest` joins the chain to a node's RPC. */
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import type { InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { ContributionRecord } from '../../modules/attribution/proof/shard/fraud.ts';
import type {
  ChunkPlace,
  Claim,
  ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { OmissionDispute, ProvenanceDispute } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { DemandStakes, OwnRequests } from '../../watch/ports.ts';
import type { AnsweredClaim } from './judge-omission.ts';

/** A shard on the chain that can still be convicted. */
export interface PublishedShard {
  readonly id: bigint;
  readonly publisher: string;
  readonly commitment: ShardCommitment;
  /** Of the indexes that hold it: where its texts are said to be served. */
  readonly endpoints: readonly string[];
  /** Until when it does no harm: from then on claims may rest on it, or its bond is gone. */
  readonly dueHeight: bigint;
}

/** What a claim has to be complete about. */
export type AnsweredUnder = Pick<AnsweredClaim, 'answer' | 'rules'>;

/** An optimistic claim in its window. */
export interface PendingClaim {
  readonly id: bigint;
  readonly claimant: string;
  /** As it was submitted; undefined when its transaction cannot be found. */
  readonly claim: Claim | undefined;
  /** What the node said when it was asked for the transaction and had none. */
  readonly missing?: string | undefined;
  /** Undefined when the answer is given by its root: then nobody here can tell what the claim leaves out. */
  readonly answered?: AnsweredUnder | undefined;
  /** Of the indexes that it rests on, by id. */
  readonly shards: readonly PublishedShard[];
  /** Last block in which it can be disputed, if nothing is asked about it. */
  readonly dueHeight: bigint;
}

/** What one more request about a shard, a card or a claim puts at stake. */
export interface ObjectStakes extends DemandStakes {
  /** What a conviction with the least bond pays, of a claim or of what is published: the accused has no say in it. */
  readonly leastReward: bigint;
  /** Blocks of its window: in which it can be convicted before anybody is paid by it. */
  readonly windowBlocks: bigint;
}

/** A piece of a shard that somebody has asked for on the chain. */
export interface Demand {
  /** Of the request: later ones are larger. */
  readonly id: bigint;
  readonly shardId: bigint;
  readonly place: ChunkPlace;
  /** This watcher has. */
  readonly own: boolean;
  /** Amount of its bond. */
  readonly bond: bigint;
  /** The section, or the leaves of the run, and the path to the root, once it is answered. */
  readonly answer: Pick<OpenedPiece, 'content' | 'leaves' | 'hashes'> | undefined;
}

/** A model card on the chain that can still be convicted. */
export interface PublishedCard {
  readonly id: bigint;
  readonly publisher: string;
  /** As it was published: proof/influence/card.ts. */
  readonly card: Uint8Array;
  /** Where its leaves are said to be served. */
  readonly endpoint: string;
  /** As of a shard. */
  readonly dueHeight: bigint;
}

/** A leaf of a model card, or of a claim of influence. */
export interface InfluencePlace {
  readonly tree: InfluenceTree;
  /** Of coordinates: whose. */
  readonly node: number | undefined;
  readonly leaf: number;
}

/** A card on the chain, or a claim with the claim as it was submitted. */
export type InfluenceTarget =
  | { readonly kind: 'card'; readonly id: bigint }
  | { readonly kind: 'claim'; readonly id: bigint; readonly claim: Claim };

/** A leaf that somebody has asked for on the chain. */
export interface InfluenceDemand {
  readonly of: InfluenceTarget['kind'];
  readonly id: bigint;
  /** Id of the request: later ones are larger. */
  readonly requestId: bigint;
  readonly place: InfluencePlace;
  /** This watcher has. */
  readonly own: boolean;
  /** Amount of its bond. */
  readonly bond: bigint;
  /** The leaves of its run and their path to the root of its tree, once it is answered. */
  readonly answer: Pick<OpenedPiece, 'leaves' | 'hashes'> | undefined;
}

/** The chain, as a watcher with an account sees it. Everything rejects when no node answers. */
export interface WatchChain {
  /** Those that are neither voided nor released. */
  shards(): Promise<readonly PublishedShard[]>;
  pendingClaims(): Promise<readonly PendingClaim[]>;
  /** Contributions at positions `first` … `first + count − 1` of a Datanet's log, all of them. */
  records(datanetId: bigint, first: bigint, count: number): Promise<readonly ContributionRecord[]>;
  /** What anybody has asked for of these shards, answered or not. */
  demands(shardIds: ReadonlySet<bigint>): Promise<readonly Demand[]>;
  /** Each resolves when it is in a block, to the hash of its transaction; LedgerError with the chain's words else. */
  convictShard(shardId: bigint, proof: Uint8Array): Promise<string>;
  disputeClaim(claimId: bigint, claim: Claim, dispute: ProvenanceDispute): Promise<string>;
  disputeOmission(claimId: bigint, claim: Claim, dispute: OmissionDispute): Promise<string>;
  /** Of the last block. */
  height(): Promise<bigint>;
  /** The endpoints of a shard serve too little: they are looked up again with the next list. */
  lookUpAgain(shardId: bigint): void;
  ownRequests(): Promise<OwnRequests>;
  /** Of a request about this object. */
  stakes(of: 'shard' | InfluenceTarget['kind'], id: bigint): Promise<ObjectStakes>;
  requestChunk(shardId: bigint, place: ChunkPlace, bond: bigint): Promise<string>;
  /** Model cards that are neither voided nor released. */
  cards(): Promise<readonly PublishedCard[]>;
  /** What anybody has asked for of a card or claim, answered or not. */
  influenceDemands(of: InfluenceTarget['kind'], id: bigint): Promise<readonly InfluenceDemand[]>;
  convictCard(cardId: bigint, proof: Uint8Array): Promise<string>;
  disputeInfluence(claimId: bigint, claim: Claim, proof: Uint8Array): Promise<string>;
  /** All in one transaction. */
  requestLeaves(target: InfluenceTarget, places: readonly InfluencePlace[]): Promise<string>;
}

/** What a publisher serves. Nothing of it is believed: each piece is checked against a root, or by its use. */
export interface Publisher {
  content(root: Uint8Array, byteLength: number): Promise<Uint8Array | undefined>;
  /** Neighbouring leaves, fewer than asked for at the end. Undefined when they are not served. */
  leaves(shardKey: string, tree: ShardTree, range: PieceRange): Promise<readonly Uint8Array[] | undefined>;
  /** Neighbouring nodes of a level, 32 bytes each. */
  nodes(
    shardKey: string,
    tree: ShardTree,
    range: PieceRange & { readonly level: number },
  ): Promise<readonly Uint8Array[] | undefined>;
  /** Neighbouring leaves of a card or claim. */
  influenceLeaves(source: InfluenceSource, range: PieceRange): Promise<readonly Uint8Array[] | undefined>;
}

/** Leaves of a model card, or of a claim of influence. */
export interface InfluenceSource {
  readonly of: 'cards' | 'claims';
  /** Id of the card or claim in hexadecimal: proof/influence. */
  readonly key: string;
  readonly tree: InfluenceTree;
  /** Of coordinates: whose. */
  readonly node: number | undefined;
  /** No leaf is taken on average that is longer. */
  readonly leafBytesMax: number;
}

/** Neighbouring pieces. */
export interface PieceRange {
  readonly from: number;
  readonly count: number;
}

/** Opens what is served at an endpoint; when the signal is aborted, nobody waits for it any more. */
export type Publishers = (endpoint: string, signal?: AbortSignal) => Publisher;
