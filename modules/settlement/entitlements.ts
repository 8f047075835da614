/** Rows that an epoch does not list: each is paid to its place when somebody shows it. */
import { DecodeError } from '../../core/errors.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { DeltaRow } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { type Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { MsgClaimEntitlement } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { payRows, placeExists, requireEpoch } from './epochs.ts';
import { refuseAs } from './errors.ts';
import { entitlementClaimed } from './events.ts';
import { verifyEntitlement } from './proof/inclusion.ts';

/** Entitlements in a word of those that were claimed. */
export const WORD_BITS = 64;
const NODE_BYTES = 40;

/** An entitlement that was shown. */
export interface EntitlementPlan {
  readonly epoch: Epoch;
  readonly row: DeltaRow;
}

/** @throws StateError (settlement 11, 12, 15, 16, 17) */
export function checkEntitlement(
  k: SettlementCore,
  context: ReadContext,
  { epochId, index, opening }: MsgClaimEntitlement,
): EntitlementPlan {
  const epoch = requireEpoch(k, context, epochId);
  if (epoch.state !== EpochState.EPOCH_STATE_FINAL)
    refuseAs('not-final', `epoch ${epochId} can be disputed until height ${epoch.finalHeight}`);
  const { word, bit } = placeOf(index);
  if (((k.state.claimedWords.get(context, [epochId, word]) ?? 0n) & bit) !== 0n)
    refuseAs('already-claimed', `entitlement ${index} of epoch ${epochId} was claimed`);
  const { gasPerHash, gasPerRow } = paramsOf(k, context);
  const hashes = 4 + 2 * Math.ceil(opening.siblings.length / NODE_BYTES);
  context.gas.consume(gasPerRow + hashes * gasPerHash, 'settlement entitlement');
  try {
    const row = verifyEntitlement(epoch.commitment, index, opening);
    if (!placeExists(k, context, row.place, epoch.gateway))
      refuseAs('unknown-place', `entitlement ${index} names nobody`);
    return { epoch, row };
  } catch (error) {
    if (error instanceof DecodeError) refuseAs('wrong-opening', error.message);
    throw error;
  }
}

function placeOf(index: number): { readonly word: number; readonly bit: bigint } {
  return { word: Math.floor(index / WORD_BITS), bit: 1n << BigInt(index % WORD_BITS) };
}

/** Pays it to its place. */
export function claimEntitlement(
  k: SettlementCore,
  context: Context,
  index: number,
  { epoch, row }: EntitlementPlan,
): void {
  const { word, bit } = placeOf(index);
  const key = [epoch.id, word] as const;
  k.state.claimedWords.set(context, key, (k.state.claimedWords.get(context, key) ?? 0n) | bit);
  const unclaimed = (BigInt(epoch.unclaimed) - row.amount).toString();
  k.state.epochs.set(context, epoch.id, { ...epoch, unclaimed });
  payRows(k, context, epoch, [{ row, number: epoch.commitment.rows.length + index }]);
  context.emit(entitlementClaimed(epoch, index, row));
}
