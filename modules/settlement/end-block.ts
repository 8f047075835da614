/**
 * Requests that nobody answered convict. Epochs whose window is over are paid, the oldest first, and lanes of
 * paid rounds are forgotten. All in portions: what does not fit into a block goes on in the next one.
 */
import { assert } from '../../core/errors.ts';
import { parseCoin } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import { moduleAddress } from '../../framework/address.ts';
import { type Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { SettlementCore } from './core.ts';
import { payRows } from './epochs.ts';
import { epochFinal, rowPaid } from './events.ts';
import { sumsOfEpoch } from './proof/epoch.ts';
import { expireRequest } from './requests.ts';
import { rowsWithin, workOfRows } from './row-work.ts';
import { laneKey } from './state.ts';

/** Units of work that a block does for epochs. */
export const PAID_WORK_MAX = 2_000;

/** Most requests that one block lets expire: each gives a bond back, and may convict an epoch. */
export const EXPIRED_PER_BLOCK_MAX = 100;

/** Lanes that a block forgets. */
export const FORGOTTEN_PER_BLOCK_MAX = 1_000;

/** Units of work of an epoch besides its rows. */
const EPOCH_WORK = 8;

/** See the file comment. */
export function endBlock(k: SettlementCore, context: Context): void {
  expireRequests(k, context);
  let work = 0;
  while (work < PAID_WORK_MAX) {
    const epoch = nextDue(k, context);
    if (epoch === undefined) break;
    work += payEpoch(k, context, epoch, PAID_WORK_MAX - work);
  }
  forgetLanes(k, context);
}

function expireRequests(k: SettlementCore, context: Context): void {
  const expired: bigint[] = [];
  for (const [deadline, id] of k.state.deadlines.iterate(context)) {
    // An answer is in time in the block of the deadline, whose transactions have run.
    if (deadline > context.block.height || expired.length === EXPIRED_PER_BLOCK_MAX) break;
    expired.push(id);
  }
  for (const id of expired) expireRequest(k, context, k.state.requests.require(context, id));
}

function nextDue(k: SettlementCore, context: Context): Epoch | undefined {
  for (const [height, id] of k.state.due.iterate(context)) {
    // A fraud is in time in the last block of the window, whose transactions have run.
    if (height > context.block.height) return undefined;
    const epoch = k.state.epochs.require(context, id);
    // Its deadlines have passed, but more requests expire than one block lets.
    return epoch.openRequests > 0 ? undefined : epoch;
  }
  return undefined;
}

/** Pays parties and rows until the work is done or too much. The work. */
function payEpoch(k: SettlementCore, context: Context, due: Epoch, most: number): number {
  const { rows } = due.commitment;
  if (due.state === EpochState.EPOCH_STATE_PENDING) payParties(k, context, due);
  const portion = rowsWithin(rows, due.paidRows, most - EPOCH_WORK);
  const paidRows = due.paidRows + portion.length;
  const numbered = portion.map((row, i) => ({ row, number: due.paidRows + i }));
  payRows(k, context, due, numbered);
  for (const row of portion) context.emit(rowPaid(due, row));
  const epoch = { ...due, paidRows, state: EpochState.EPOCH_STATE_PAYING };
  if (paidRows < rows.length) k.state.epochs.set(context, epoch.id, epoch);
  else endEpoch(k, context, epoch);
  return EPOCH_WORK + workOfRows(portion);
}

/** The round's money is the epoch's from now on. */
function payParties(k: SettlementCore, context: Context, { commitment, denom, roundId }: Epoch): void {
  const { platform, stakers } = sumsOfEpoch(commitment);
  const { account: from } = k;
  if (platform > 0n)
    k.communityPool.fundCommunityPool(context, { from, coins: [{ denom, amount: platform }] });
  if (stakers > 0n)
    k.bank.send(context, {
      from,
      to: moduleAddress(k.stakersAccount),
      coins: [{ denom, amount: stakers }],
    });
  const round = k.state.rounds.get(context, roundId);
  assert(round !== undefined, 'an epoch states a round that is not there');
  k.state.rounds.set(context, roundId, { ...round, claimed: '0' });
}

function endEpoch(k: SettlementCore, context: Context, epoch: Epoch): void {
  k.state.due.remove(context, [epoch.finalHeight, epoch.id]);
  k.state.epochs.set(context, epoch.id, { ...epoch, state: EpochState.EPOCH_STATE_FINAL });
  const to = k.addresses.toBytes(epoch.gateway);
  k.bank.send(context, { from: k.account, to, coins: [parseCoin(epoch.bond)] });
  k.state.sweeps.add(context, epoch.roundId);
  context.emit(epochFinal(epoch));
}

/** Lanes of rounds that were paid, then the rounds. */
function forgetLanes(k: SettlementCore, context: Context): void {
  let left = FORGOTTEN_PER_BLOCK_MAX;
  const ended: bigint[] = [];
  const lanes: (readonly [bigint, Uint8Array])[] = [];
  for (const roundId of k.state.sweeps.iterate(context)) {
    const before = lanes.length;
    for (const [key] of k.state.lanes.iterate(context, { prefix: laneKey.prefix(roundId) })) {
      if (lanes.length - before >= left) break;
      lanes.push(key);
    }
    left -= lanes.length - before;
    if (left === 0) break;
    ended.push(roundId);
    left--;
  }
  for (const key of lanes) k.state.lanes.remove(context, key);
  for (const roundId of ended) {
    const { gateway } = k.state.rounds.require(context, roundId);
    k.state.sweeps.remove(context, roundId);
    k.state.rounds.remove(context, roundId);
    k.state.roundsOf.remove(context, [k.addresses.toBytes(gateway), roundId]);
  }
}
