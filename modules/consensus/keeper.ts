import { DecodeError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { DEFAULT_CONSENSUS_PARAMS } from './params.ts';
import type { ConsensusState } from './state.ts';
import type { ActiveValidator, ConsensusKeeper } from './types.ts';

/** Largest total power: CometBFT's `MaxTotalVotingPower`, 2^63 / 8. */
export const TOTAL_POWER_MAX: bigint = ((1n << 63n) - 1n) / 8n;

/** Consensus parameters and the validator set, as the application knows them. */
export class Consensus implements ConsensusKeeper {
  readonly #state: ConsensusState;

  constructor(state: ConsensusState) {
    this.#state = state;
  }

  params(context: ReadContext): ConsensusParams {
    return this.#state.params.get(context) ?? DEFAULT_CONSENSUS_PARAMS;
  }

  setParams(context: Context, params: ConsensusParams): void {
    this.#state.params.set(context, params);
  }

  validators(context: ReadContext): readonly ActiveValidator[] {
    return [...this.#state.validators.iterate(context)].map(([address, { pubKey, power }]) => {
      if (pubKey.ed25519 === undefined) throw new DecodeError('stored validator has no ed25519 key');
      return { address, pubKey: pubKey.ed25519, power };
    });
  }

  setPower(context: Context, validator: { readonly pubKey: Uint8Array; readonly power: bigint }): void {
    const { pubKey, power } = validator;
    const address = consensusAddress(pubKey);
    if (power === 0n) this.#state.validators.remove(context, address);
    else
      this.#state.validators.set(context, address, {
        pubKey: { ed25519: pubKey, secp256k1: undefined },
        power,
      });
  }

  /**
   * Applies what a block changes in the set.
   * @throws StateError (sdk 18) on a key that is not ed25519, a negative power or too much of it
   */
  apply(context: Context, updates: readonly ValidatorUpdate[]): void {
    for (const { pubKey, power } of updates) {
      if (pubKey.ed25519?.length !== 32)
        throw new StateError(sdkErrors.invalidRequest, 'a validator needs an ed25519 key of 32 bytes');
      if (power < 0n) throw new StateError(sdkErrors.invalidRequest, `voting power ${power} is negative`);
      this.setPower(context, { pubKey: pubKey.ed25519, power });
    }
    const total = this.validators(context).reduce((sum, { power }) => sum + power, 0n);
    if (total > TOTAL_POWER_MAX)
      throw new StateError(
        sdkErrors.invalidRequest,
        `total voting power ${total} exceeds ${TOTAL_POWER_MAX}`,
      );
  }

  lastTime(context: ReadContext): Timestamp | undefined {
    return this.#state.lastTime.get(context);
  }

  setLastTime(context: Context, time: Timestamp): void {
    this.#state.lastTime.set(context, time);
  }
}

/** Address of a consensus key: the first 20 bytes of its SHA-256. */
export function consensusAddress(pubKey: Uint8Array): Uint8Array {
  return sha256(pubKey).slice(0, 20);
}
