/** Missed blocks, and what becomes of those who miss too many. After x/slashing `keeper/infractions.go`. */
import { addDuration, compareInstants, type Instant } from '../../core/time.ts';
import type { Context, ReadContext, VoteInfo } from '../../framework/context.ts';
import type { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { clearMissed, isMissed, setMissed } from './bitmap.ts';
import { missedBlock, slashedAndJailed } from './events.ts';
import { DEFAULT_PARAMS, minSignedBlocks } from './params.ts';
import type { SlashingCore } from './ports.ts';
import type { SlashingParams } from './types.ts';

/** Blocks after which an update of the validator set takes effect (SDK `ValidatorUpdateDelay`). */
const VALIDATOR_UPDATE_DELAY = 1n;

/** The last second that protobuf's times have: 9999-12-31T23:59:59Z. */
const LATEST: Instant = { seconds: 253_402_300_799n, nanos: 0 };

const EPOCH: Instant = { seconds: 0n, nanos: 0 };

/** Parameters; the defaults on a chain that has never had any. */
export function paramsOf(k: SlashingCore, context: ReadContext): SlashingParams {
  return k.state.params.get(context) ?? DEFAULT_PARAMS;
}

/** What is known of how a validator signed; a beginning at this block when there is nothing yet. */
export function signingInfoOf(
  k: SlashingCore,
  context: ReadContext,
  consensusAddress: Uint8Array,
): ValidatorSigningInfo {
  return (
    k.state.signingInfos.get(context, consensusAddress) ?? {
      address: k.addresses.consensus.toText(consensusAddress),
      startHeight: context.block.height,
      indexOffset: 0n,
      jailedUntil: EPOCH,
      tombstoned: false,
      missedBlocksCounter: 0n,
    }
  );
}

/** Notes for each validator of the last commit whether it was there, and punishes who was not too often. */
export function beginBlock(k: SlashingCore, context: Context): void {
  if (!k.staking.ownsValidatorSet(context)) return;
  const params = paramsOf(k, context);
  for (const vote of context.block.lastCommit) handleVote(k, context, params, vote);
}

function handleVote(k: SlashingCore, context: Context, params: SlashingParams, vote: VoteInfo): void {
  const { validatorAddress, absent } = vote;
  const validator = k.staking.validatorByKey(context, validatorAddress);
  // One that is jailed may still be in the commit, for two blocks; one that was removed has nothing to lose.
  if (validator === undefined || validator.jailed) return;
  const before = signingInfoOf(k, context, validatorAddress);
  const place = { consensusAddress: validatorAddress, index: before.indexOffset % params.signedBlocksWindow };
  const wasMissed = isMissed(k.state.bitmaps, context, place);
  if (wasMissed !== absent) setMissed(k.state.bitmaps, context, place, absent);
  const info = {
    ...before,
    indexOffset: before.indexOffset + 1n,
    missedBlocksCounter: before.missedBlocksCounter + BigInt(absent) - BigInt(wasMissed),
  };
  const { height } = context.block;
  if (absent) context.emit(missedBlock(info.address, info.missedBlocksCounter, height));
  const missedMax = params.signedBlocksWindow - minSignedBlocks(params);
  const isDown =
    height > info.startHeight + params.signedBlocksWindow && info.missedBlocksCounter > missedMax;
  k.state.signingInfos.set(
    context,
    validatorAddress,
    isDown ? punishDowntime(k, context, params, { vote, info }) : info,
  );
}

/** @returns the signing info afterwards: a new beginning, not before the jail term is over */
function punishDowntime(
  k: SlashingCore,
  context: Context,
  params: SlashingParams,
  { vote, info }: { readonly vote: VoteInfo; readonly info: ValidatorSigningInfo },
): ValidatorSigningInfo {
  const { validatorAddress: consensusAddress, power } = vote;
  // The stake that signed the last commit: of the block before it, and of the update before that one.
  const height = context.block.height - VALIDATOR_UPDATE_DELAY - 1n;
  const fraction = params.slashFractionDowntime;
  const burned = k.staking.slash(context, { consensusAddress, height, power, fraction });
  context.emit(slashedAndJailed({ address: info.address, power, reason: 'missing_signature', burned }));
  k.staking.jail(context, consensusAddress);
  clearMissed(k.state.bitmaps, context, consensusAddress);
  const until = addDuration(context.block.time, params.downtimeJailDuration);
  return {
    ...info,
    jailedUntil: compareInstants(until, LATEST) < 0 ? until : LATEST,
    indexOffset: 0n,
    missedBlocksCounter: 0n,
  };
}
