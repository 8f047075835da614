/** What becomes of validators that consensus caught. After x/evidence `keeper/infraction.go`. */
import type { Context, Misbehavior, ReadContext, Timestamp } from '../../framework/context.ts';
import { Equivocation } from '../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';
import type { EvidenceCore } from './ports.ts';
import { evidenceHash } from './state.ts';

/** Blocks after which an update of the validator set takes effect (SDK `ValidatorUpdateDelay`). */
const VALIDATOR_UPDATE_DELAY = 1n;

/** The end of a jail term that never ends: the last second that protobuf's times have. */
export const DOUBLE_SIGN_JAIL_END: Timestamp = { seconds: 253_402_300_799n, nanos: 0 };

const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * Slashes, jails and tombstones whom the block's misbehaviour names. Duplicate votes and attacks on light
 * clients are treated alike, as in the SDK.
 */
export function beginBlock(k: EvidenceCore, context: Context): void {
  for (const misbehavior of context.block.misbehavior) handleEquivocation(k, context, misbehavior);
}

/** Nothing happens for the second offence, an old one, or one of a validator that is gone or free. */
function handleEquivocation(k: EvidenceCore, context: Context, misbehavior: Misbehavior): void {
  const { validatorAddress: consensusAddress, height, time, power } = misbehavior;
  const { slashing } = k;
  const validator = k.staking.validatorByKey(context, consensusAddress);
  if (validator === undefined || validator.status === 'unbonded') return;
  if (!slashing.hasPublicKey(context, consensusAddress)) return;
  // What is said to be of the future was refused by consensus; no slash may be for it.
  if (isTooOld(k, context, misbehavior) || height > context.block.height) return;
  if (slashing.isTombstoned(context, consensusAddress)) return;
  const offence = {
    consensusAddress,
    // The stake that signed: of the update before.
    height: height - VALIDATOR_UPDATE_DELAY,
    power,
    fraction: slashing.params(context).slashFractionDoubleSign,
  };
  slashing.slash(context, offence, 'double_sign');
  if (!validator.jailed) slashing.jail(context, consensusAddress);
  slashing.jailUntil(context, consensusAddress, DOUBLE_SIGN_JAIL_END);
  slashing.tombstone(context, consensusAddress);
  const text = k.addresses.consensus.toText(consensusAddress);
  const value = Equivocation.encode({ height, time, power, consensusAddress: text });
  const any = { typeUrl: Equivocation.typeUrl, value };
  k.state.evidence.set(context, evidenceHash(any), any);
}

/** Both ages must be beyond what the consensus parameters allow. */
function isTooOld(k: EvidenceCore, context: ReadContext, { height, time }: Misbehavior): boolean {
  const { evidence } = k.consensus.params(context);
  if (evidence === undefined) return false;
  const { block } = context;
  const age = nanosOf(block.time) - nanosOf(time);
  return age > nanosOf(evidence.maxAgeDuration) && block.height - height > evidence.maxAgeNumBlocks;
}

function nanosOf({ seconds, nanos }: Timestamp): bigint {
  return seconds * NANOS_PER_SECOND + BigInt(nanos);
}
