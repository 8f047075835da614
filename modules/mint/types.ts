import type { Decimal } from '../../core/decimal.ts';

/** How fast coins are made now. */
export interface Minter {
  /** Part of the supply of the staked denomination that is made in a year. */
  readonly inflation: Decimal;
  /** Coins that are made in a year. */
  readonly annualProvisions: Decimal;
}

/** Parameters of mint. */
export interface MintParams {
  readonly mintDenom: string;
  /** Most that inflation moves in a year, 0 to 1. */
  readonly inflationRateChange: Decimal;
  readonly inflationMax: Decimal;
  readonly inflationMin: Decimal;
  /** Part of the supply that should be bonded: inflation rises below it and falls above. */
  readonly goalBonded: Decimal;
  /** Expected; a block makes that part of a year's provisions. */
  readonly blocksPerYear: bigint;
}
