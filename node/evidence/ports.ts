/** What the evidence pool needs of its neighbours. */
import type { Commit } from '../../consensus/types/commit.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { Header } from '../../consensus/types/header.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';

/** The stored chain. Synchronous: each read is some microseconds. */
export interface EvidenceChain {
  header(height: bigint): Header | undefined;
  /** The precommits that decided a height as the next block has them: the same on every node. */
  commit(height: bigint): Commit | undefined;
  /** Who decided that height. */
  validators(height: bigint): ValidatorSet | undefined;
  /** Lowest and highest stored height; both 0n when there is none. */
  range(): { readonly base: bigint; readonly height: bigint };
  /** The evidence in a stored block. */
  evidence(height: bigint): readonly Evidence[];
}

/** What the pool reads of the state after a block. */
export interface EvidenceState {
  readonly chainId: string;
  readonly lastBlockHeight: bigint;
  readonly lastBlockTime: Time;
  readonly consensusParams: {
    readonly evidence: {
      readonly maxAgeNumBlocks: bigint;
      readonly maxAgeDuration: { readonly seconds: bigint; readonly nanos: number };
      readonly maxBytes: bigint;
    };
  };
}

/** Log lines with facts. */
export interface EvidenceLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}
