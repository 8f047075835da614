import { type Coin, type Coins, coinsToString, isDenom } from './coins.ts';
import type { ReadContext } from './context.ts';
import { StateError, sdkErrors } from './errors.ts';
import type { DecodedTx } from './tx/decode.ts';

/** Digits behind the decimal point that prices keep. */
const PRICE_DIGITS = 18;
const SCALE = 10n ** BigInt(PRICE_DIGITS);
const PRICE_PATTERN = /^([0-9]{1,60})(?:\.([0-9]{1,18}))?([a-zA-Z][a-zA-Z0-9/:._-]{2,127})$/;

/** What a node wants for a unit of gas: `scaled` is the price times 10^18. */
export interface GasPrice {
  readonly denom: string;
  readonly scaled: bigint;
}

/**
 * Prices of text such as `0.025uopen,0.01uusd`, by denomination as the SDK's `ParseDecCoins`; none for empty
 * text.
 * @throws StateError (sdk 18) when it is malformed, or names a denomination twice
 */
export function parseGasPrices(text: string): readonly GasPrice[] {
  if (text.trim() === '') return [];
  const prices = text.split(',').map((part) => {
    const match = PRICE_PATTERN.exec(part.trim());
    const denom = match?.[3] ?? '';
    if (match === null || !isDenom(denom))
      throw new StateError(
        sdkErrors.invalidRequest,
        `invalid gas price: ${part} (expected such as 0.025uopen)`,
      );
    const fraction = (match[2] ?? '').padEnd(PRICE_DIGITS, '0');
    return { denom, scaled: BigInt(match[1] ?? '0') * SCALE + BigInt(fraction) };
  });
  const sorted = prices.sort((a, b) => (a.denom < b.denom ? -1 : a.denom > b.denom ? 1 : 0));
  for (const [i, { denom }] of sorted.entries())
    if (denom === sorted[i + 1]?.denom)
      throw new StateError(sdkErrors.invalidRequest, `invalid gas prices: ${denom} has two prices`);
  return sorted;
}

/**
 * Decides whether a transaction pays enough: the place of a fee market (SDK `TxFeeChecker`). Asked before the fee
 * is taken, in CheckTx and in blocks, not in simulation. What it decides in blocks is a rule of consensus.
 * @returns what is taken
 * @throws StateError (sdk 13) when it is too little
 */
export type FeeChecker = (context: ReadContext, tx: Pick<DecodedTx, 'fee'>) => readonly Coin[];

/** What is offered, if it reaches one of this node's prices: looked at in CheckTx only. */
export function minGasPriceChecker(prices: readonly GasPrice[]): FeeChecker {
  return ({ mode }, { fee }) => {
    if (mode === 'check' || mode === 'recheck') checkGasPrices(fee.coins, fee.gasLimit, prices);
    return fee.coins;
  };
}

/**
 * Refuses a fee that does not reach any of the prices.
 * @throws StateError (sdk 13) naming what was given and what is required
 */
export function checkGasPrices(fee: Coins, gasLimit: bigint, prices: readonly GasPrice[]): void {
  const asked = prices.filter((price) => price.scaled > 0n);
  if (asked.length === 0) return;
  const required = asked.map(
    ({ denom, scaled }): Coin => ({ denom, amount: (scaled * gasLimit + SCALE - 1n) / SCALE }),
  );
  const enough = required.some((need) =>
    fee.some((coin) => coin.denom === need.denom && coin.amount >= need.amount),
  );
  if (!enough)
    throw new StateError(
      sdkErrors.insufficientFee,
      `insufficient fees; got: ${coinsToString(fee)} required: ${coinsToString(required)}`,
    );
}
