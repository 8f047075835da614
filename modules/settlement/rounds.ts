/** What gateways have claimed, by rounds: each is stated by one epoch. */
import { concatBytes } from '../../core/bytes.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { LaneRecord, Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { SettlementCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { revenueCollected } from './events.ts';
import type { ClaimedInterval, Revenue } from './types.ts';

const U64_MAX: bigint = (1n << 64n) - 1n;

/** Second part of the key of a lane: the order of receipts. */
export function laneId(channelId: Uint8Array, lane: number): Uint8Array {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, lane);
  return concatBytes(channelId, number);
}

/** Notes what was claimed in the open round, which is made when there is none. */
export function collect(k: SettlementCore, context: Context, { gateway, denom, lanes }: Revenue): void {
  const round = openRound(k, context, { gateway, denom });
  let claimed = BigInt(round.claimed);
  for (const interval of lanes) claimed += noteLane(k, context, round.id, interval);
  if (claimed > U64_MAX) refuseAs('too-much', `round ${round.id} would hold ${claimed}${denom}; settle it`);
  const grown = { ...round, claimed: claimed.toString() };
  k.state.rounds.set(context, round.id, grown);
  context.emit(revenueCollected(grown, claimed - BigInt(round.claimed)));
}

function openRound(
  k: SettlementCore,
  context: Context,
  { gateway, denom }: Pick<Revenue, 'gateway' | 'denom'>,
): Round {
  const open = k.state.openRounds.get(context, [gateway, denom]);
  if (open !== undefined) return k.state.rounds.require(context, open);
  const id = k.state.roundSequence.next(context) + 1n;
  const text = k.addresses.toText(gateway);
  const round = { id, gateway: text, denom, claimed: '0', closed: false, epochId: 0n };
  insertRound(k, context, round);
  return round;
}

/** Writes a round and what finds it. */
export function insertRound(k: SettlementCore, context: Context, round: Round): void {
  const gateway = k.addresses.toBytes(round.gateway);
  k.state.rounds.set(context, round.id, round);
  k.state.roundsOf.add(context, [gateway, round.id]);
  if (!round.closed) k.state.openRounds.set(context, [gateway, round.denom], round.id);
}

/** The interval of a lane grows at its end. The amount. */
function noteLane(
  k: SettlementCore,
  context: Context,
  roundId: bigint,
  { channelId, lane, from, to }: ClaimedInterval,
): bigint {
  if (to > U64_MAX) refuseAs('too-much', `a lane that was charged ${to} is more than receipts can say`);
  const key = [roundId, laneId(channelId, lane)] as const;
  const known = k.state.lanes.get(context, key);
  const record: LaneRecord = { roundId, channelId, lane, from: known?.from ?? from, to };
  k.state.lanes.set(context, key, record);
  return to - from;
}

/** @throws StateError (settlement 5, 6, 7) when the gateway cannot state this round now */
export function requireUnsettled(
  k: SettlementCore,
  context: ReadContext,
  { roundId, gateway }: { readonly roundId: bigint; readonly gateway: string },
): Round {
  const round =
    k.state.rounds.get(context, roundId) ?? refuseAs('unknown-round', `there is no round ${roundId}`);
  if (k.addresses.toText(k.addresses.toBytes(gateway)) !== round.gateway)
    refuseAs('not-owner', `round ${roundId} is of ${round.gateway}, not of ${gateway}`);
  if (round.epochId > 0n)
    refuseAs('round-settled', `epoch ${round.epochId} states round ${roundId}; wait for its window`);
  return round;
}

/** A round that is stated by an epoch: it takes no further claims. */
export function closeRound(k: SettlementCore, context: Context, round: Round, epochId: bigint): void {
  const gateway = k.addresses.toBytes(round.gateway);
  if (!round.closed) k.state.openRounds.remove(context, [gateway, round.denom]);
  k.state.rounds.set(context, round.id, { ...round, closed: true, epochId });
}
