import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { wholeUnits } from '../../../modules/pools/arithmetic.ts';
import { viewOf } from '../../../modules/pools/rows.ts';
import { poolState } from '../../../modules/pools/state.ts';
import { settledDebt } from '../../../modules/pools/tree.ts';
import type { Pool } from '../../../proto/gen/openledger/pools/v1/pools.ts';
import { MsgPayInference } from '../../../proto/gen/openledger/payments/v1/tx.ts';
import * as tx from '../../../proto/gen/openledger/pools/v1/tx.ts';
import { payInference } from '../../support/economic-loop.ts';
import type { Actor } from '../actors.ts';
import {
  actorAt,
  anyone,
  BOND_DENOM,
  coin,
  type Operation,
  operation,
  OTHER_DENOM,
  packed,
  type World,
} from '../world.ts';

const STATE = poolState();
const SLOTS_READ_MAX = 400;

/** A pool that there is; mostly one that was paid and is open. */
export function aPool({ random, context }: World): Pool | undefined {
  const pools = [...STATE.pools.iterate(context)].map(([, pool]) => pool);
  const open = pools.filter(({ closed, denoms }) => !closed && denoms.length > 0);
  return random.some(random.oneIn(6) || open.length === 0 ? pools : open);
}

/** True when a slot could claim something. */
function isOwed({ context }: World, { id, height, denoms }: Pool, slot: bigint): boolean {
  const view = viewOf(STATE, context, id);
  return denoms.some((denom) => wholeUnits(settledDebt(view, { slot, denom, height }).owed) > 0n);
}

interface Owned {
  readonly owner: Actor;
  readonly pools: readonly tx.PoolSlots[];
}

/** Slots of one owner in a pool; sometimes somebody else's. */
function someSlots(world: World): Owned | undefined {
  const { random, context } = world;
  const pool = aPool(world);
  if (pool === undefined) return undefined;
  const owners = new Map<string, bigint[]>();
  let read = 0;
  for (const [[[kind, subject], slot], { owner }] of STATE.slots.iterate(context)) {
    if (kind !== pool.id.kind || subject !== pool.id.subject) continue;
    if (++read > SLOTS_READ_MAX) break;
    if (!random.oneIn(12) && !isOwed(world, pool, slot)) continue;
    owners.set(owner, [...(owners.get(owner) ?? []), slot]);
  }
  const [text, slots] = random.some([...owners]) ?? [];
  if (text === undefined || slots === undefined) return undefined;
  const owner = random.oneIn(20) ? anyone(world) : actorAt(world, text);
  if (owner === undefined) return undefined;
  const chosen = slots.filter(() => !random.oneIn(4));
  return { owner, pools: [{ pool: pool.id, slots: chosen.length === 0 ? slots : chosen }] };
}

/** A payment for an answer that quotes nothing: all of the contributors’ part is a pool’s. */
function anUnattributedPayment({ random, memory }: World, payer: Actor): MsgPayInference | undefined {
  const model = random.some(memory.models.filter(({ message }) => message.snapshotIds.length > 0));
  if (model === undefined) return undefined;
  return payInference(payer, [], {
    modelId: model.id,
    requestHash: sha256(utf8(`pooled ${random.below(100_000)}`)),
    tokensIn: BigInt(random.between(0, 90)),
    tokensOut: BigInt(random.between(1, 90)),
    maxFee: coin(100_000n, model.message.price.denom),
  });
}

/** What fills pools, and what contributors do with their slots. */
export const poolOperations: readonly Operation[] = [
  operation(MsgPayInference, 12, anUnattributedPayment),
  {
    name: tx.MsgClaim.name,
    weight: 12,
    draft(world) {
      const owned = someSlots(world);
      if (owned === undefined) return undefined;
      const { owner, pools } = owned;
      return { signers: [owner], messages: [packed(tx.MsgClaim, { owner: owner.address, pools })] };
    },
  },
  {
    name: tx.MsgSetAutoClaim.name,
    weight: 4,
    draft(world) {
      const owned = someSlots(world);
      if (owned === undefined) return undefined;
      const { random } = world;
      const value = {
        owner: owned.owner.address,
        pools: owned.pools,
        minimum: coin(BigInt(random.between(1, 50)), random.oneIn(3) ? OTHER_DENOM : BOND_DENOM),
        intervalBlocks: random.between(1, 20),
        times: random.between(0, 6),
      };
      return { signers: [owned.owner], messages: [packed(tx.MsgSetAutoClaim, value)] };
    },
  },
];
