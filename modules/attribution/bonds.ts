/** Money behind statements. All of it lies in the account of this module. */
import type { Address } from '../../framework/address.ts';
import { bondOf, isBond, splitBond } from '../../framework/bonds.ts';
import { type Coin, coinToWire, parseCoin, type WireCoin } from '../../framework/coins.ts';
import type { Context } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { AttributionCore } from './core.ts';
import { attributionErrors } from './errors.ts';
import { STORE_NAME } from './state.ts';

/** A bond as a message names it. @throws StateError (attribution 21) when it is no coin */
export function validateBond(bond: WireCoin): void {
  if (!isBond(bond))
    throw new StateError(
      attributionErrors['wrong-bond'],
      'bond must be a denomination and a positive whole number',
    );
}

/** @throws StateError (attribution 21) when it is in another denomination or less than the least */
export function checkBond(wire: WireCoin, least: bigint, { bondDenom }: Params): Coin {
  const bond = bondOf(wire, { denom: bondDenom, amount: least });
  if (typeof bond !== 'string') return bond;
  throw new StateError(attributionErrors['wrong-bond'], bond);
}

/** Takes bonds. @throws StateError (sdk 5) when there is too little */
export function lockBond(k: AttributionCore, context: Context, from: Address, bond: Coin): void {
  k.bank.sendToModule(context, { from, module: STORE_NAME, coins: [bond] });
}

/** Gives money of this module's account away: bonds back, and to whom they are lost. */
export function payBond(k: AttributionCore, context: Context, to: string, bond: WireCoin): void {
  const coin = parseCoin(bond);
  if (coin.amount === 0n) return;
  k.bank.send(context, { from: k.account, to: k.addresses.toBytes(to), coins: [coin] });
}

/** A bond that is lost: a part goes to whoever showed why, the rest to the community pool. The reward. */
export function forfeitBond(
  k: AttributionCore,
  context: Context,
  lost: { readonly bond: WireCoin; readonly challenger: string; readonly params: Params },
): WireCoin {
  return divideBond(k, context, { bond: lost.bond, to: lost.challenger, bps: lost.params.rewardBps });
}

/** A bond of which a part goes to somebody and the rest to the community pool. The part. */
export function divideBond(
  k: AttributionCore,
  context: Context,
  { bond, to, bps }: { readonly bond: WireCoin; readonly to: string; readonly bps: number },
): WireCoin {
  const { part, rest } = splitBond(parseCoin(bond), bps);
  const wire = coinToWire(part);
  payBond(k, context, to, wire);
  if (rest.amount > 0n) k.communityPool.fundCommunityPool(context, { from: k.account, coins: [rest] });
  return wire;
}
