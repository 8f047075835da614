/** Events of mint: types, attributes and their order as x/mint has them. */
import type { Decimal } from '../../core/decimal.ts';
import { type Event, event } from '../../framework/events.ts';
import type { Minter } from './types.ts';

/** Coins were made. */
export function minted(block: {
  readonly bondedRatio: Decimal;
  readonly minter: Minter;
  readonly amount: bigint;
}): Event {
  const { bondedRatio, minter, amount } = block;
  return event('mint', {
    bonded_ratio: bondedRatio.toString(),
    inflation: minter.inflation.toString(),
    annual_provisions: minter.annualProvisions.toString(),
    amount: amount.toString(),
  });
}
