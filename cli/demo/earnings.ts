/** What contributors have earned: their slots of pools are owed it until they claim it. */
import { claimFromPools, responsesOf } from '../../client/index.ts';
import type { SlotView } from '../../proto/gen/openledger/pools/v1/query.ts';
import { MsgClaim, MsgClaimResponse, type PoolSlots } from '../../proto/gen/openledger/pools/v1/tx.ts';
import { type DemoChain, type Party, send } from './party.ts';

/** More slots than a contributor of the demo has in a hundred runs. */
const SLOTS_MAX = 256n;

/** Base units of the chain's denom that each could claim. */
export async function owedTo(
  chain: DemoChain,
  contributors: readonly Party[],
): Promise<ReadonlyMap<string, bigint>> {
  const slots = await Promise.all(contributors.map((contributor) => slotsOf(chain, contributor)));
  return new Map(contributors.map(({ address }, i) => [address, sumOf(chain, slots[i] ?? [])]));
}

/** Everybody claims at once. @returns base units that came of it, by address */
export async function claimAll(
  chain: DemoChain,
  contributors: readonly Party[],
): Promise<ReadonlyMap<string, bigint>> {
  const claims = contributors.map(async (contributor) => {
    const owed = (await slotsOf(chain, contributor)).filter(({ claimable }) => claimable.length > 0);
    return [contributor.address, owed.length === 0 ? 0n : await claim(chain, contributor, owed)] as const;
  });
  return new Map(await Promise.all(claims));
}

async function claim(chain: DemoChain, owner: Party, owed: readonly SlotView[]): Promise<bigint> {
  const message = MsgClaim.create({ owner: owner.address, pools: byPool(owed) });
  const { msgResponses } = await send(owner, [claimFromPools(message)]);
  return responsesOf(MsgClaimResponse, msgResponses)
    .flatMap(({ amount }) => amount)
    .filter(({ denom }) => denom === chain.denom)
    .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** Slots come ascending, pool by pool. */
function byPool(owed: readonly SlotView[]): readonly PoolSlots[] {
  const pools: { pool: PoolSlots['pool']; slots: bigint[] }[] = [];
  for (const { pool, index } of owed) {
    const last = pools.at(-1);
    if (last?.pool.kind === pool.kind && last.pool.subject === pool.subject) last.slots.push(index);
    else pools.push({ pool, slots: [index] });
  }
  return pools;
}

async function slotsOf({ connection }: DemoChain, { address: owner }: Party): Promise<readonly SlotView[]> {
  const pagination = {
    key: new Uint8Array(0),
    offset: 0n,
    limit: SLOTS_MAX,
    countTotal: false,
    reverse: false,
  };
  return (await connection.queries.openledger.pools.slotsByOwner({ owner, pagination })).slots;
}

function sumOf({ denom }: DemoChain, slots: readonly SlotView[]): bigint {
  return slots
    .flatMap(({ claimable }) => claimable)
    .filter((coin) => coin.denom === denom)
    .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}
