import { moduleAddress } from '../../framework/address.ts';
import { isDenom, parseCoin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import { invalidAuthority, StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import * as wire from '../../proto/gen/openledger/pools/v1/tx.ts';
import { setAutoClaims } from './auto-claims.ts';
import { payOut, planClaim, requireOwned, type SettledSlot } from './claims.ts';
import { coinsToWire } from '../../framework/coins.ts';
import { closePool } from './closing.ts';
import { poolErrors } from './errors.ts';
import { poolText } from './events.ts';
import { validateParams } from './params.ts';
import { paramsOf, requirePool } from './pools.ts';
import type { PoolsCore } from './ports.ts';

/** `openledger.pools.v1.Msg`. */
export function poolMessages(k: PoolsCore): readonly MessageRoute[] {
  return [
    messageRoute(claim(k)),
    messageRoute(setAutoClaim(k)),
    messageRoute(close(k)),
    paramsMessage(wire, {
      addresses: k.addresses,
      validate: validateParams,
      set: (context, params) => k.state.params.set(context, params),
    }),
  ];
}

function claim(k: PoolsCore): MessageHandler<wire.MsgClaim, wire.MsgClaimResponse, readonly SettledSlot[]> {
  return {
    type: wire.MsgClaim,
    response: wire.MsgClaimResponse,
    signers: (message) => [message.owner],
    validate: ({ pools }) => validateSlots(pools),
    check(context, message) {
      checkSlotCount(k, context, message.pools);
      return planClaim(k, context, message);
    },
    execute(context, { owner }, slots) {
      const coins = payOut(k, context, { owner: k.addresses.toBytes(owner), slots });
      return { amount: coinsToWire(coins) };
    },
  };
}

function setAutoClaim(
  k: PoolsCore,
): MessageHandler<wire.MsgSetAutoClaim, wire.MsgSetAutoClaimResponse, readonly Pool[]> {
  return {
    type: wire.MsgSetAutoClaim,
    response: wire.MsgSetAutoClaimResponse,
    signers: (message) => [message.owner],
    validate({ pools, minimum, times }) {
      validateSlots(pools);
      if (times > 0 && (!isDenom(minimum.denom) || parseCoin(minimum).amount <= 0n))
        throw new StateError(
          poolErrors.invalidAutoClaim,
          'minimum must be a denomination and an amount above 0',
        );
    },
    check(context, message) {
      checkSlotCount(k, context, message.pools);
      if (message.times > 0) checkTimes(k, context, message);
      const { owner } = message;
      return message.pools.map(({ pool: id, slots }) => {
        const pool = requirePool(k, context, id);
        for (const slot of slots) requireOwned(k, context, { pool, slot, owner });
        return pool;
      });
    },
    execute(context, message, pools) {
      setAutoClaims(k, context, message, pools);
      return {};
    },
  };
}

function checkTimes(
  k: PoolsCore,
  context: ReadContext,
  { times, intervalBlocks }: wire.MsgSetAutoClaim,
): void {
  const { autoClaimBlocksMin, autoClaimTimesMax } = paramsOf(k, context);
  if (intervalBlocks < autoClaimBlocksMin)
    throw new StateError(
      poolErrors.invalidAutoClaim,
      `interval_blocks is ${intervalBlocks}, at least ${autoClaimBlocksMin} are allowed`,
    );
  if (times > autoClaimTimesMax)
    throw new StateError(
      poolErrors.invalidAutoClaim,
      `times is ${times}, at most ${autoClaimTimesMax} are allowed; renew it before they are over`,
    );
}

function close(k: PoolsCore): MessageHandler<wire.MsgClosePool, wire.MsgClosePoolResponse, Pool> {
  return {
    type: wire.MsgClosePool,
    response: wire.MsgClosePoolResponse,
    signers: (message) => [message.authority],
    validate() {},
    check(context, { authority, pool: id }) {
      const expected = k.addresses.toText(moduleAddress('gov'));
      if (authority !== expected)
        throw new StateError(invalidAuthority, `invalid authority; expected ${expected}, got ${authority}`);
      const pool = requirePool(k, context, id);
      if (pool.closed) throw new StateError(poolErrors.poolClosed, `pool ${poolText(id)} was closed before`);
      return pool;
    },
    execute(context, _, pool) {
      closePool(k, context, pool);
      return {};
    },
  };
}

/** Each slot once: what is named twice would be paid twice. */
function validateSlots(rows: readonly wire.PoolSlots[]): void {
  if (rows.length === 0) throw new StateError(poolErrors.invalidSlots, 'name at least one pool');
  const pools = new Set<string>();
  for (const { pool, slots } of rows) {
    const text = poolText(pool);
    if (pools.has(text)) throw new StateError(poolErrors.invalidSlots, `pool ${text} is named twice`);
    pools.add(text);
    if (slots.length === 0) throw new StateError(poolErrors.invalidSlots, `name a slot of pool ${text}`);
    for (const [i, slot] of slots.entries())
      if (i > 0 && slot <= (slots[i - 1] ?? 0n))
        throw new StateError(
          poolErrors.invalidSlots,
          `slots must ascend, ${slot} follows ${slots[i - 1]} in pool ${text}`,
        );
  }
}

function checkSlotCount(k: PoolsCore, context: ReadContext, rows: readonly wire.PoolSlots[]): void {
  const count = rows.reduce((sum, { slots }) => sum + slots.length, 0);
  const { slotsMax } = paramsOf(k, context);
  if (count > slotsMax)
    throw new StateError(
      poolErrors.tooManySlots,
      `${count} slots in one message, at most ${slotsMax} are allowed; send several messages`,
    );
}
