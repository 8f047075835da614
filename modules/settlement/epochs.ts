/** Epochs: stated, convicted, paid. */
import { DecodeError } from '../../core/errors.ts';
import { bondOf, isBond, splitBond } from '../../framework/bonds.ts';
import { type Coin, coinToWire, parseCoin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { type DeltaRow, type Place, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { type Epoch, EpochState, type Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { MsgSettleEpoch } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { epochConvicted, epochSettled } from './events.ts';
import { requireGateway } from './gateways.ts';
import type { PoolPlace } from '../pools/types.ts';
import { checkEpoch } from './proof/epoch.ts';
import { closeRound, requireUnsettled } from './rounds.ts';
import { workOfRows } from './row-work.ts';
import { STORE_NAME } from './state.ts';

/** Windows behind an epoch's own in which its pieces can still be asked for. */
const FURTHER_WINDOWS = 2n;

/** Form of the message. @throws StateError (settlement 9) */
export function validateSettlement({ bond }: MsgSettleEpoch): void {
  if (!isBond(bond)) refuseAs('wrong-bond', 'bond must be a denomination and a positive whole number');
}

/** An epoch that adds up. */
export interface SettlementPlan {
  readonly round: Round;
  readonly bond: Coin;
}

/** Charges for the rows. @throws StateError (settlement 3, 5 … 11) */
export function checkSettlement(
  k: SettlementCore,
  context: ReadContext,
  { gateway, roundId, commitment, bond: wire }: MsgSettleEpoch,
): SettlementPlan {
  const { rowsMax, gasPerRow, bondDenom, epochBond } = paramsOf(k, context);
  requireGateway(k, context, gateway);
  const round = requireUnsettled(k, context, { roundId, gateway });
  const bond = bondOf(wire, { denom: bondDenom, amount: epochBond });
  if (typeof bond === 'string') return refuseAs('wrong-bond', bond);
  const { rows } = commitment;
  if (rows.length > rowsMax)
    refuseAs('too-many-rows', `${rows.length} rows, at most ${rowsMax}; put the others under entitlements`);
  // For now and for when they are paid, at the end of a block.
  context.gas.consume(workOfRows(rows) * gasPerRow, 'settlement rows');
  try {
    checkEpoch(commitment, BigInt(round.claimed));
  } catch (error) {
    if (error instanceof DecodeError) refuseAs('does-not-add-up', error.message);
    throw error;
  }
  for (const [i, { place }] of rows.entries())
    if (!placeExists(k, context, place, gateway)) refuseAs('unknown-place', `row ${i} names nobody`);
  return { round, bond };
}

/** True for a model, a contribution to a Datanet, or as many as its log has. */
export function placeExists(
  k: SettlementCore,
  context: ReadContext,
  { kind, id, level, index }: Place,
  gateway: string,
): boolean {
  if (kind === PlaceKind.PLACE_KIND_MODEL)
    return k.models.terms(context, { modelId: id, gateway }) !== undefined;
  const last = level > 0 ? index - 1 : index;
  return k.datanets.contributionAt(context, id, BigInt(last)) !== undefined;
}

/** Takes the bond, closes the round, opens the window. */
export function settleEpoch(
  k: SettlementCore,
  context: Context,
  { commitment }: Pick<MsgSettleEpoch, 'commitment'>,
  { round, bond }: SettlementPlan,
): Epoch {
  const { gateway, denom } = round;
  const { windowBlocks, rewardBps, requestBlocks } = paramsOf(k, context);
  k.bank.sendToModule(context, { from: k.addresses.toBytes(gateway), module: STORE_NAME, coins: [bond] });
  const { height } = context.block;
  const finalHeight = height + BigInt(windowBlocks);
  const epoch: Epoch = {
    id: k.state.epochSequence.next(context) + 1n,
    gateway,
    denom,
    roundId: round.id,
    commitment,
    state: EpochState.EPOCH_STATE_PENDING,
    bond: coinToWire(bond),
    height,
    finalHeight,
    rewardBps,
    paidRows: 0,
    unclaimed: (commitment.entitlements.sums[0] ?? 0n).toString(),
    requestBlocks,
    requestHeight: finalHeight + FURTHER_WINDOWS * BigInt(windowBlocks),
    openRequests: 0,
  };
  closeRound(k, context, round, epoch.id);
  insertEpoch(k, context, epoch);
  context.emit(epochSettled(epoch, round));
  return epoch;
}

/** Writes an epoch and queues it. */
export function insertEpoch(k: SettlementCore, context: Context, epoch: Epoch): void {
  k.state.epochs.set(context, epoch.id, epoch);
  if (epoch.state !== EpochState.EPOCH_STATE_FINAL) k.state.due.add(context, [epoch.finalHeight, epoch.id]);
}

/** @throws StateError (settlement 12) */
export function requireEpoch(k: SettlementCore, context: ReadContext, id: bigint): Epoch {
  return (
    k.state.epochs.get(context, id) ??
    refuseAs('unknown-epoch', `there is no epoch ${id}; a convicted one is gone`)
  );
}

/** The bond is lost, the epoch is gone, its round waits for a right one. The reward. */
export function convictEpoch(k: SettlementCore, context: Context, epoch: Epoch, challenger: string): Coin {
  const reward = divideBond(k, context, {
    bond: parseCoin(epoch.bond),
    to: challenger,
    bps: epoch.rewardBps,
  });
  k.state.due.remove(context, [epoch.finalHeight, epoch.id]);
  k.state.epochs.remove(context, epoch.id);
  const round = k.state.rounds.require(context, epoch.roundId);
  k.state.rounds.set(context, round.id, { ...round, epochId: 0n });
  context.emit(epochConvicted(epoch, challenger, reward));
  return reward;
}

/** A bond of this module's account of which a part goes to somebody and the rest to the community pool. The part. */
export function divideBond(
  k: SettlementCore,
  context: Context,
  { bond, to, bps }: { readonly bond: Coin; readonly to: string; readonly bps: number },
): Coin {
  const { account: from } = k;
  const { part, rest } = splitBond(bond, bps);
  if (part.amount > 0n) k.bank.send(context, { from, to: k.addresses.toBytes(to), coins: [part] });
  if (rest.amount > 0n) k.communityPool.fundCommunityPool(context, { from, coins: [rest] });
  return part;
}

/** A row of an epoch and its number; entitlements count on behind the rows that are listed. */
export interface NumberedRow {
  readonly row: DeltaRow;
  readonly number: number;
}

/** Pays rows to the pools of their places, in one transfer. */
export function payRows(
  k: SettlementCore,
  context: Context,
  { id, denom }: Pick<Epoch, 'id' | 'denom'>,
  rows: readonly NumberedRow[],
): void {
  k.pools.pay(context, {
    from: k.account,
    denom,
    rows: rows.map(({ row: { place, amount }, number }) => ({
      place: poolPlaceOf(place),
      amount,
      source: { epochId: id, epochRow: number },
    })),
  });
}

function poolPlaceOf({ kind, id, level, index }: Place): PoolPlace {
  if (kind === PlaceKind.PLACE_KIND_MODEL) return { modelId: id };
  const count = BigInt(index);
  return level > 0 ? { datanetId: id, positions: count } : { datanetId: id, position: count };
}
