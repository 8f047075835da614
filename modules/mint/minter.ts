/** How many coins a block makes: pure. After x/mint `types/minter.go`. */
import { Decimal } from '../../core/decimal.ts';
import type { Minter, MintParams } from './types.ts';

/** The SDK's first minter: 13 % a year. */
export const INITIAL_MINTER: Minter = {
  inflation: Decimal.ofText('0.13'),
  annualProvisions: Decimal.ZERO,
};

/**
 * Inflation for the next block: it moves by (1 − bonded / goal) × the largest change a year, a block's part of
 * it, and stays within its bounds.
 */
export function nextInflation({ inflation }: Minter, params: MintParams, bondedRatio: Decimal): Decimal {
  const changePerYear = Decimal.ONE.subtract(bondedRatio.divide(params.goalBonded)).multiply(
    params.inflationRateChange,
  );
  const change = changePerYear.divide(Decimal.ofInteger(params.blocksPerYear));
  const next = Decimal.min(inflation.add(change), params.inflationMax);
  return Decimal.max(next, params.inflationMin);
}

/** What a block makes of a year's provisions, rounded down. */
export function blockProvision({ annualProvisions }: Minter, { blocksPerYear }: MintParams): bigint {
  return annualProvisions.divideInteger(blocksPerYear).truncate();
}
