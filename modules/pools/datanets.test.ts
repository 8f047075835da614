import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { JsonObject } from '../../framework/json.ts';
import { MsgWithdrawContribution } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import * as wire from '../../proto/gen/openledger/pools/v1/query.ts';
import { MsgClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import {
  contribute,
  createDatanet,
  deliver,
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
} from '../../test/support/economic-loop.ts';
import { restoreChain, startFrom } from '../../test/support/restore.ts';
import { anyOf, TestChain } from '../../test/support/test-chain.ts';
import { poolErrors } from './errors.ts';
import { poolText } from './events.ts';

const SERVICE = '/openledger.pools.v1.Query';
const POOL = { kind: 1, subject: 1n };

function slotOf({ chain }: Loop, subject: bigint, slot: bigint): wire.QuerySlotResponse {
  const types = { request: wire.QuerySlotRequest, response: wire.QuerySlotResponse };
  return chain.query(`${SERVICE}/Slot`, types, { kind: 1, subject, slot });
}

test('each contribution has a slot at its position, as heavy as its bytes, of its contributor', () => {
  const loop = playLoop();
  const { chain, owner, second, documents } = loop;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'copies' }));
  deliverOk(chain, second, contribute(second, documents[0], { datanetId: 2n }));
  expect(slotOf(loop, 1n, 1n).slot).toMatchObject({ owner: second.address, weight: 700n });
  expect(slotOf(loop, 2n, 0n).slot).toMatchObject({ owner: second.address, weight: 1000n });
  const types = { request: wire.QuerySlotsByOwnerRequest, response: wire.QuerySlotsByOwnerResponse };
  const { slots } = chain.query(`${SERVICE}/SlotsByOwner`, types, { owner: second.address });
  expect(slots.map(({ pool, index }) => [pool.subject, index])).toEqual([
    [1n, 1n],
    [2n, 0n],
  ]);
  const all = { request: wire.QueryPoolsRequest, response: wire.QueryPoolsResponse };
  const { pools } = chain.query(`${SERVICE}/Pools`, all, {});
  expect(pools.map(({ id, slots: count, height }) => [poolText(id), count, height])).toEqual([
    ['datanet/1', 2n, 1],
    ['datanet/2', 1n, 0],
    ['model/1', 1n, 0],
  ]);
});

test('what is withdrawn earns nothing more, and what it has earned stays claimable', () => {
  const loop = playLoop();
  const { chain, payer, second } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  const withdraw = { contributor: second.address, contributionId: 2n };
  deliverOk(chain, second, anyOf(MsgWithdrawContribution, withdraw));
  expect(slotOf(loop, 1n, 1n).slot).toMatchObject({ owner: second.address, weight: 0n });
  const other = payInference(payer, [], { requestHash: sha256(utf8('other')) });
  deliverOk(chain, payer, paymentOf(other));
  const claimable = [0n, 1n].map((slot) => slotOf(loop, 1n, slot).slot.claimable[0]?.amount);
  expect(claimable).toEqual(['814', '211']);
  expect(chain.app.brokenInvariants()).toEqual([]);
  const restored = restoreChain(chain);
  expect(restored.exportState().appState['pools']).toEqual(chain.app.exportState().appState['pools']);
  // Without a section of pools, slots are made of the contributions.
  const { appState, ...rest } = chain.app.exportState();
  const { pools: _, bank, ...others } = appState;
  const bare = startFrom(chain, { ...rest, appState: { ...others, bank: bank ?? {} } });
  const { changes } = bare.exportState().appState['pools'] as { readonly changes: readonly JsonObject[] };
  expect(changes.map(({ slot, weight }) => [slot, weight])).toEqual([
    ['0', '1000'],
    ['1', '0'],
  ]);
});

test('queries say what a claim would pay, and which credits it is made of', () => {
  const loop = playLoop();
  const { chain, payer, second } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  const { slot, debts } = slotOf(loop, 1n, 1n);
  expect(slot.claimable).toEqual([{ denom: 'uopen', amount: '211' }]);
  expect(debts[0]).toMatchObject({ denom: 'uopen', credit: 2n, debt: { paidCredit: 0n } });
  const node = { ...POOL, level: 1, index: 0n };
  const types = { request: wire.QueryCreditsRequest, response: wire.QueryCreditsResponse };
  const { credits } = chain.query(`${SERVICE}/Credits`, types, { ...node, denom: 'uopen' });
  expect(credits.map(({ id, amount, receiptId }) => [id, amount.amount, receiptId])).toEqual([
    [2n, '513', 1n],
  ]);
  expect(700n * BigInt(credits[0]?.perWeight ?? '0')).toBe(BigInt(debts[0]?.debt.owed ?? '0'));
  const about = { request: wire.QueryNodeRequest, response: wire.QueryNodeResponse };
  const { weight, balances } = chain.query(`${SERVICE}/Node`, about, node);
  expect([weight, balances[0]?.balance.acc]).toEqual([1700n, credits[0]?.perWeight]);
  expect(() => chain.query(`${SERVICE}/Node`, about, { ...node, level: 2 })).toThrow('there is no node 2/0');
  expect(() => slotOf(loop, 1n, 2n)).toThrow('there is no slot 2');
  expect(() => slotOf(loop, 3n, 0n)).toThrow('there is no pool datanet/3');
  const claim = anyOf(MsgClaim, { owner: second.address, pools: [{ pool: POOL, slots: [1n] }] });
  const { events } = deliverOk(chain, second, claim);
  const told = events.find(({ type }) => type === 'claim_slot')?.attributes;
  expect(told?.slice(0, 6).map(({ value }) => value)).toEqual([
    'datanet/1',
    '1',
    '211uopen',
    '700',
    '0',
    '2',
  ]);
  expect(slotOf(loop, 1n, 1n).slot.claimable).toEqual([]);
  const again = deliver(chain, second, claim);
  expect([again.codespace, again.code]).toEqual(['pools', poolErrors.nothingOwed.code]);
});

test('what is ordered can be asked for until its epoch is over', () => {
  const loop = playLoop(new TestChain({ accounts: 6 }));
  const types = { request: wire.QueryChangesRequest, response: wire.QueryChangesResponse };
  const waiting = (): readonly (readonly [bigint, bigint, bigint])[] =>
    loop.chain
      .query(`${SERVICE}/Changes`, types, {})
      .changes.map(({ slot, weight, effectiveHeight }) => [slot, weight, effectiveHeight]);
  expect(waiting()).toEqual([
    [0n, 1000n, 10n],
    [1n, 700n, 10n],
  ]);
  while (loop.chain.height < 10n) loop.chain.block();
  expect(waiting()).toEqual([]);
  expect(slotOf(loop, 1n, 1n).slot.weight).toBe(700n);
});
