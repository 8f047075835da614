/** Which payouts a transaction, slot or account has had: from the events of blocks. */
import { LedgerError } from '../../core/errors.ts';
import { coinsFromString } from '../../framework/coins.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';
import { attributeOf, type ExplainChain, type FoundTx } from './chain.ts';
import type { SlotClaim } from './credits.ts';

/** Payouts of one block. */
export interface Payouts {
  readonly height: bigint;
  readonly claims: readonly SlotClaim[];
  /** Ids. */
  readonly receipts: readonly bigint[];
}

/** Claims and receipts that events tell of. */
export function payoutsIn(events: readonly Event[], height: bigint): Payouts {
  const claims = events
    .filter(({ type }) => type === 'claim_slot')
    .flatMap((event) => claimsOf(event, height));
  const named = new Map(claims.map((claim) => [`${claim.pool}/${claim.slot}/${claim.denom}`, claim]));
  const receipts = events
    .filter(({ type }) => type === 'pay_inference')
    .map((event) => BigInt(attributeOf(event, 'receipt_id')));
  return { height, claims: [...named.values()], receipts };
}

function claimsOf(event: Event, height: bigint): readonly SlotClaim[] {
  const [pool, slot] = [attributeOf(event, 'pool'), BigInt(attributeOf(event, 'slot'))];
  return coinsFromString(attributeOf(event, 'amount')).map(({ denom }) => ({ pool, slot, denom, height }));
}

/** A transaction that was carried out. @throws LedgerError `explain.nothing` */
export async function txOf(chain: ExplainChain, hash: string): Promise<FoundTx> {
  const found = await chain.tx(hash);
  if (found === undefined) throw new LedgerError('explain.nothing', `the node knows no transaction ${hash}`);
  if (found.code !== 0)
    throw new LedgerError('explain.nothing', `transaction ${hash} failed: it paid nobody`);
  return found;
}

/** The claims of a slot in a block, or in the last block in which it was paid. */
export async function payoutsOfSlot(
  chain: ExplainChain,
  {
    pool,
    slot,
    height,
  }: { readonly pool: string; readonly slot: bigint; readonly height: bigint | undefined },
): Promise<Payouts> {
  const query = `claim_slot.pool='${pool}' AND claim_slot.slot='${slot}'`;
  const heights = await claimHeights(chain, query, height === undefined ? '>0' : `=${height}`);
  const at = height ?? heights.at(-1);
  if (at === undefined || !heights.includes(at))
    throw new LedgerError(
      'explain.nothing',
      `slot ${slot} of ${pool} was not paid${at ? ` in block ${at}` : ''}`,
    );
  const { claims } = payoutsIn(await eventsAt(chain, at, query), at);
  return {
    height: at,
    claims: claims.filter((claim) => claim.pool === pool && claim.slot === slot),
    receipts: [],
  };
}

/** Blocks from `since` on in which an account was paid, in rising order. */
export async function heightsOfAccount(
  chain: ExplainChain,
  { address, since }: { readonly address: string; readonly since: bigint },
): Promise<readonly bigint[]> {
  return await claimHeights(chain, ownedBy(address), `>=${since}`);
}

/** The claims of an account in a block. */
export async function payoutsOfAccount(
  chain: ExplainChain,
  { address, height }: { readonly address: string; readonly height: bigint },
): Promise<Payouts> {
  const events = await eventsAt(chain, height, ownedBy(address));
  return payoutsIn(ofOwner(events, address), height);
}

const ownedBy = (address: string): string => `claim.owner='${address}'`;

/** `claim_slot` events stand before the `claim` of their owner. */
function ofOwner(events: readonly Event[], address: string): readonly Event[] {
  const own: Event[] = [];
  let waiting: Event[] = [];
  for (const event of events) {
    if (event.type === 'claim_slot') waiting.push(event);
    if (event.type !== 'claim') continue;
    if (attributeOf(event, 'owner') === address) own.push(...waiting);
    waiting = [];
  }
  return own;
}

/** @param bound on heights: the node looks at no others, and what it finds of these alone has a limit */
async function claimHeights(chain: ExplainChain, query: string, bound: string): Promise<readonly bigint[]> {
  const txs = await chain.txs(`${query} AND tx.height${bound}`);
  const heights = new Set(txs.map(({ height }) => height));
  for (const height of await chain.blocks(`${query} AND block.height${bound}`)) heights.add(height);
  return [...heights].sort((a, b) => (a < b ? -1 : 1));
}

async function eventsAt(chain: ExplainChain, height: bigint, query: string): Promise<readonly Event[]> {
  const txs = await chain.txs(`${query} AND tx.height=${height}`);
  return [...txs.flatMap(({ events }) => events), ...(await chain.blockEvents(height))];
}
