/** Messages of pools, on trees of 20 levels, of which one slot is taken. */
import { moduleAddress } from '../../../framework/address.ts';
import { applyChanges, orderSlot } from '../../../modules/pools/changes.ts';
import { pay } from '../../../modules/pools/credits.ts';
import { DEFAULT_PARAMS } from '../../../modules/pools/params.ts';
import type { PoolsCore } from '../../../modules/pools/ports.ts';
import { poolKey, poolState, STORE_NAME } from '../../../modules/pools/state.ts';
import { creditSource } from '../../../modules/pools/places.ts';
import { Pool, type PoolId, Slot } from '../../../proto/gen/openledger/pools/v1/pools.ts';
import { MsgClaim, MsgClosePool, MsgSetAutoClaim } from '../../../proto/gen/openledger/pools/v1/tx.ts';
import type { TestAccount } from '../../support/test-chain.ts';
import { caseOf, coin, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

const LEVELS = 20;
const SLOT = 77_777n;
const PAID = 1_000_000n;
const STATE = poolState();

let pools = 0n;

/** A pool of a million slots; one of them weighs something and is owed a payment. */
function stocked(world: MessageWorld): { readonly owner: TestAccount; readonly pool: PoolId } {
  const { addresses, bank, distribution } = world.composition;
  const core: PoolsCore = {
    addresses,
    bank,
    communityPool: distribution,
    withdrawAddresses: distribution,
    state: STATE,
    account: moduleAddress(STORE_NAME),
  };
  const { context } = world;
  const pool = { kind: 1, subject: 1_000_000n + pools++ };
  const owner = world.takeAccount().account;
  const slots = 1n << BigInt(LEVELS);
  STATE.params.set(context, { ...DEFAULT_PARAMS, epochBlocks: 1 });
  STATE.pools.set(context, poolKey(pool), Pool.create({ id: pool, slots, height: LEVELS }));
  STATE.slots.set(context, [poolKey(pool), SLOT], Slot.create({ owner: owner.address }));
  orderSlot(core, context, { pool, slot: SLOT, weight: 1000n, owner: owner.pubKey.address });
  applyChanges(core, context);
  const from = world.takeAccount().account.pubKey.address;
  pay(core, context, {
    from,
    denom: 'uopen',
    rows: [{ pool, amount: PAID, source: creditSource({ receiptId: 1n }) }],
  });
  return { owner, pool };
}

/** See the file comment. */
export const POOL_CASES: MessageCases = {
  ...caseOf(MsgClaim, (world) => {
    const { owner, pool } = stocked(world);
    return { owner: owner.address, pools: [{ pool, slots: [SLOT] }] };
  }),
  ...caseOf(MsgSetAutoClaim, (world) => {
    const { owner, pool } = stocked(world);
    const pools_ = [{ pool, slots: [SLOT] }];
    return { owner: owner.address, pools: pools_, minimum: coin(1), intervalBlocks: 100, times: 10 };
  }),
  ...caseOf(MsgClosePool, (world) => ({ authority: world.authority, pool: stocked(world).pool })),
};
