/** Arithmetic of bonds: what stands behind a statement, and behind a question about one. docs/adr/0024. */
import { type Coin, coinToString, isDenom, parseCoin, type WireCoin } from './coins.ts';

const BPS_WHOLE = 10_000n;
const AMOUNT = /^[1-9][0-9]{0,76}$/;

/** True for a denomination with a positive whole number. */
export function isBond({ denom, amount }: WireCoin): boolean {
  return isDenom(denom) && AMOUNT.test(amount);
}

/** What a bond has to be at least. */
export interface LeastBond {
  readonly denom: string;
  readonly amount: bigint;
}

/** The bond; or, when it is in another denomination or too little, a sentence that says so. */
export function bondOf(wire: WireCoin, { denom, amount }: LeastBond): Coin | string {
  const bond = parseCoin(wire);
  const isEnough = bond.denom === denom && bond.amount >= amount;
  return isEnough ? bond : `the bond is ${coinToString(bond)}, must be at least ${amount}${denom}`;
}

/**
 * Least bond of a request about what has so many open ones: each costs more than the one before, n of them as
 * n². To keep others from asking by asking oneself grows dear.
 */
export function leastRequestBond(first: bigint, open: number): bigint {
  return first * BigInt(1 + open);
}

/** A part of a bond in basis points, rounded down, and the rest. */
export function splitBond(
  { denom, amount }: Coin,
  bps: number,
): { readonly part: Coin; readonly rest: Coin } {
  const part = (amount * BigInt(bps)) / BPS_WHOLE;
  return { part: { denom, amount: part }, rest: { denom, amount: amount - part } };
}
