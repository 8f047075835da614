import type { Context, ReadContext } from '../../framework/context.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import type { ConsensusKey } from './keys.ts';

/** A validator of the set that signs the next blocks. */
export interface ActiveValidator {
  /** 20 bytes, of the key. */
  readonly address: Uint8Array;
  readonly pubKey: ConsensusKey;
  readonly power: bigint;
}

/** Reads the consensus parameters and the validator set. */
export interface ConsensusView {
  params(context: ReadContext): ConsensusParams;
  /** In the order of their addresses. */
  validators(context: ReadContext): readonly ActiveValidator[];
}

/** Also changes the set. */
export interface ConsensusKeeper extends ConsensusView {
  /**
   * Sets the power of a validator; 0 removes it. Takes effect in consensus through the block's validator
   * updates.
   */
  setPower(context: Context, validator: { readonly pubKey: ConsensusKey; readonly power: bigint }): void;
}
