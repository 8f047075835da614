import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import type { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import type { Offence } from '../staking/types.ts';
import { jailed, slashed } from './events.ts';
import { paramsOf, signingInfoOf } from './liveness.ts';
import type { SlashingCore } from './ports.ts';
import type { SlashingKeeper, SlashingParams, SlashReason } from './types.ts';

/** Slashing, as other modules see it. */
export class Slashing implements SlashingKeeper {
  readonly #core: SlashingCore;

  constructor(core: SlashingCore) {
    this.#core = core;
  }

  params(context: ReadContext): SlashingParams {
    return paramsOf(this.#core, context);
  }

  signingInfo(context: ReadContext, consensusAddress: Uint8Array): ValidatorSigningInfo | undefined {
    return this.#core.state.signingInfos.get(context, consensusAddress);
  }

  isTombstoned(context: ReadContext, consensusAddress: Uint8Array): boolean {
    return this.signingInfo(context, consensusAddress)?.tombstoned ?? false;
  }

  hasPublicKey(context: ReadContext, consensusAddress: Uint8Array): boolean {
    return this.#core.state.publicKeys.has(context, consensusAddress);
  }

  slash(context: Context, offence: Offence, reason: SlashReason): void {
    const burned = this.#core.staking.slash(context, offence);
    const address = this.#core.addresses.consensus.toText(offence.consensusAddress);
    context.emit(slashed({ address, power: offence.power, reason, burned }));
  }

  jail(context: Context, consensusAddress: Uint8Array): void {
    this.#core.staking.jail(context, consensusAddress);
    context.emit(jailed(this.#core.addresses.consensus.toText(consensusAddress)));
  }

  jailUntil(context: Context, consensusAddress: Uint8Array, time: Timestamp): void {
    const info = signingInfoOf(this.#core, context, consensusAddress);
    this.#core.state.signingInfos.set(context, consensusAddress, { ...info, jailedUntil: time });
  }

  tombstone(context: Context, consensusAddress: Uint8Array): void {
    const info = signingInfoOf(this.#core, context, consensusAddress);
    this.#core.state.signingInfos.set(context, consensusAddress, { ...info, tombstoned: true });
  }

  /** Counts every validator's blocks from height 0: before an export for it. */
  resetStartHeights(context: Context): void {
    const { signingInfos } = this.#core.state;
    for (const [address, info] of [...signingInfos.iterate(context)])
      signingInfos.set(context, address, { ...info, startHeight: 0n });
  }
}
