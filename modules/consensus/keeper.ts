import { messageOf } from '../../core/errors.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { PublicKey } from '../../proto/gen/tendermint/crypto/keys.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { consensusAddress, type ConsensusKey, consensusKeyMessage, consensusKeyOf } from './keys.ts';
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

  /** The kinds of keys that validators may have. */
  keyTypes(context: ReadContext): readonly string[] {
    return this.params(context).validator?.pubKeyTypes ?? [];
  }

  validators(context: ReadContext): readonly ActiveValidator[] {
    return [...this.#state.validators.iterate(context)].map(([address, { pubKey, power }]) => ({
      address,
      pubKey: consensusKeyOf(pubKey),
      power,
    }));
  }

  setPower(context: Context, validator: { readonly pubKey: ConsensusKey; readonly power: bigint }): void {
    const { pubKey, power } = validator;
    const address = consensusAddress(pubKey);
    if (power === 0n) this.#state.validators.remove(context, address);
    else this.#state.validators.set(context, address, { pubKey: consensusKeyMessage(pubKey), power });
  }

  /**
   * Applies what a block changes in the set.
   * @param keyTypes `validator.pub_key_types` as the block began: the engine takes no other keys, also when
   * the block itself allows them
   * @throws StateError (sdk 18) on a key of another kind or length, a negative power or too much of it
   */
  apply(
    context: Context,
    updates: readonly ValidatorUpdate[],
    keyTypes: readonly string[] = this.keyTypes(context),
  ): void {
    for (const { pubKey: message, power } of updates) {
      const pubKey = keyOfUpdate(message);
      if (power > 0n && !keyTypes.includes(pubKey.type))
        throw new StateError(
          sdkErrors.invalidRequest,
          `validator.pub_key_types allows ${keyTypes.join(', ')}, not ${pubKey.type}`,
        );
      if (power < 0n) throw new StateError(sdkErrors.invalidRequest, `voting power ${power} is negative`);
      this.setPower(context, { pubKey, power });
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

function keyOfUpdate(message: PublicKey): ConsensusKey {
  try {
    return consensusKeyOf(message);
  } catch (cause) {
    throw new StateError(sdkErrors.invalidRequest, messageOf(cause));
  }
}
