/** What state sync needs of its neighbours. */
import type { Block } from '../../consensus/types/block.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import type { Header } from '../../consensus/types/header.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import type { ConsensusParams } from '../../consensus/types/params.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type {
  RequestApplySnapshotChunk,
  RequestLoadSnapshotChunk,
  RequestOfferSnapshot,
  ResponseApplySnapshotChunk,
  ResponseListSnapshots,
  ResponseLoadSnapshotChunk,
  ResponseOfferSnapshot,
} from '../../proto/gen/tendermint/abci/types.ts';

/** The snapshots that this node can offer. */
export interface SnapshotSource {
  listSnapshots(): Promise<ResponseListSnapshots>;
  loadSnapshotChunk(request: RequestLoadSnapshotChunk): Promise<ResponseLoadSnapshotChunk>;
}

/** The application that is restored. */
export interface SnapshotTarget {
  offerSnapshot(request: RequestOfferSnapshot): Promise<ResponseOfferSnapshot>;
  applySnapshotChunk(request: RequestApplySnapshotChunk): Promise<ResponseApplySnapshotChunk>;
  /** Height and hash of its state; height 0n when it has none. */
  lastState(): Promise<{ readonly height: bigint; readonly appHash: Uint8Array }>;
}

/** Stored headers, for peers that fill in theirs. */
export interface LightBlockSource {
  header(height: bigint): Header | undefined;
  /** The precommits that decided a height. */
  commit(height: bigint): Commit | undefined;
  validators(height: bigint): ValidatorSet | undefined;
}

/** The chain as the user's trust vouches for it. */
export interface TrustedChain {
  /** Whose word it is: names of servers, for errors. */
  readonly servers: readonly string[];
  /** @throws LedgerError `light.*` */
  lightBlock(height: bigint): Promise<LightBlock>;
  /** The parameters for the block of a height, as several nodes tell them. @throws LedgerError `light.*` */
  consensusParams(height: bigint): Promise<ConsensusParams>;
}

/** A block that its header, and so everything in it, is known to be right of. */
export interface VerifiedBlock {
  readonly block: Block;
  readonly parts: readonly Part[];
}

/** Blocks of verified headers, from peers. */
export interface BlockSource {
  /** The block that a verified light block is of, encoded and verified; undefined when no peer has it. */
  block(trusted: LightBlock): Promise<Uint8Array | undefined>;
}

/** Where back-filled light blocks go, from the top down. */
export interface HeaderSink {
  /** Resolves when it is durable. */
  save(block: LightBlock): Promise<void>;
}
