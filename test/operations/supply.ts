/** Coins come from nowhere and go nowhere: each change of the supply is an event of minting or burning. */
import {
  addCoins,
  type Coins,
  coinsFromString,
  coinsToString,
  equalCoins,
  NO_COINS,
} from '../../framework/coins.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';

/** Denominations that a block minted: governance may name any. */
export function mintedDenoms({
  events,
  txResults,
}: Pick<ResponseFinalizeBlock, 'events' | 'txResults'>): readonly string[] {
  return [...events, ...txResults.flatMap((result) => result.events)]
    .filter(({ type }) => type === 'coinbase')
    .flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'amount'))
    .flatMap(({ value }) => coinsFromString(value).map(({ denom }) => denom));
}

/** What is wrong with the supply after a block; undefined when it follows from that before and the events. */
export function problemOfSupply(
  before: Coins,
  after: Coins,
  { events, txResults }: Pick<ResponseFinalizeBlock, 'events' | 'txResults'>,
): string | undefined {
  let minted: Coins = NO_COINS;
  let burned: Coins = NO_COINS;
  for (const { type, attributes } of [...events, ...txResults.flatMap((result) => result.events)]) {
    if (type !== 'coinbase' && type !== 'burn') continue;
    const amount = coinsFromString(attributes.find(({ key }) => key === 'amount')?.value ?? '');
    if (type === 'coinbase') minted = addCoins(minted, amount);
    else burned = addCoins(burned, amount);
  }
  if (equalCoins(addCoins(before, minted), addCoins(after, burned))) return undefined;
  return (
    `the supply was ${coinsToString(before)}, ${coinsToString(minted)} were minted and ` +
    `${coinsToString(burned)} burned, it is ${coinsToString(after)}`
  );
}
