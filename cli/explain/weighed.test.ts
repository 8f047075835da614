/** Between which credits a slot weighs something: who has come later or left earlier has no part by weight. */
import { expect, test } from 'vitest';
import { verifyBundle } from '../../client/verifier/verify-payout.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { moduleAddress } from '../../framework/address.ts';
import { provableContent } from '../../modules/attribution/verify.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { QueryPoolRequest, QueryPoolResponse } from '../../proto/gen/openledger/pools/v1/query.ts';
import { MsgClaim, MsgClosePool } from '../../proto/gen/openledger/pools/v1/tx.ts';
import {
  contribute,
  createDatanet,
  deliverOk,
  documentText,
  LOOP_GAS,
  payInference,
  paymentOf,
  playLoop,
  publishSnapshot,
  type Quote,
  registerModel,
  SHORT_EPOCHS,
  withdraw,
} from '../../test/support/economic-loop.ts';
import { governed, propose } from '../../test/support/governed-chain.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { collect } from './collect.ts';
import { targetOf } from './credits.ts';
import { RecordedChain } from './testing/recorded-chain.ts';
import { claim, explainOne, playScene } from './testing/scenes.ts';

const DATANET = { kind: PoolKind.POOL_KIND_DATANET, subject: 1n };

/** The credits of a slot's claim in the last block but one, as they are and as somebody else would have them. */
async function claimedBy(chain: RecordedChain, slot: bigint) {
  const height = chain.height - 1n;
  const { target } = await targetOf(chain, { pool: 'datanet/1', slot, denom: 'uopen', height });
  const question = { height, epochs: [], attributions: [] };
  const verified = async (credits: readonly string[]) => {
    const { text, trusted } = await collect(chain, { ...question, targets: [{ ...target, credits }] });
    return verifyBundle(text, trusted);
  };
  return { credits: target.credits, verified };
}

test('what came after a slot was withdrawn is not what it was paid of, also when it would fit', async () => {
  const { chain, loop } = playScene();
  const pay = (n: number, tokensIn: bigint): void => {
    const of = { requestHash: sha256(Uint8Array.of(n)), tokensIn, tokensOut: 10n };
    deliverOk(chain, loop.payer, paymentOf(payInference(loop.payer, [], of)));
  };
  // A unit for each unit of weight, twice: of 1,700, and of the 700 that are left.
  pay(1, 23_970n);
  deliverOk(chain, loop.first, withdraw(loop.first, 1n));
  chain.block();
  pay(2, 3_970n);
  claim(chain, loop.first, { slots: [0n] });
  const { credits, verified } = await claimedBy(chain, 0n);
  expect(credits).toEqual(['2']);
  expect(await verified(['2'])).toMatchObject([{ kind: 'claim', amount: 1000n }]);
  await expect(verified(['4'])).rejects.toThrow('the slot weighed nothing when credit 4 came');
});

test('nor is the very next credit of its pool', async () => {
  const { chain, loop } = playScene();
  const { first, seller, payer } = loop;
  const price = { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '4' };
  deliverOk(chain, seller, registerModel(seller, { name: 'cheap', price }));
  const pay = (modelId: bigint): void => {
    const of = { requestHash: sha256(Uint8Array.of(Number(modelId))), modelId };
    deliverOk(chain, payer, paymentOf(payInference(payer, [], of)));
  };
  pay(1n);
  deliverOk(chain, first, withdraw(first, 1n));
  chain.block();
  // The owner's part of so little is nothing.
  pay(2n);
  claim(chain, first, { slots: [0n] });
  const { credits, verified } = await claimedBy(chain, 0n);
  expect(credits).toEqual(['2']);
  await expect(verified(['2', '3'])).rejects.toThrow('the slot weighed nothing when credit 3 came');
});

test('a claim in the block of the first payment of all is explained', async () => {
  const { chain, loop } = playScene();
  const { payer, first } = loop;
  const slots = [{ pool: DATANET, slots: [0n] }];
  const paid = chain.sign(payer, [paymentOf(payInference(payer, []))], { gas: LOOP_GAS });
  const claimed = chain.sign(first, [anyOf(MsgClaim, { owner: first.address, pools: slots })], {
    gas: LOOP_GAS,
  });
  const { txResults } = chain.blockOf({ txs: [paid, claimed] });
  expect(txResults.map(({ code }) => code)).toEqual([0, 0]);
  chain.block();
  const { derived } = await explainOne(chain, { kind: 'tx', hash: toUpperHex(sha256(claimed)) });
  expect(derived).toMatchObject([{ kind: 'claim', credits: [{ receipt: { id: 1n } }] }]);
});

test('a model that is registered, paid and claimed of in one block is explained', async () => {
  const { chain, loop } = playScene();
  const { payer } = loop;
  const slots = [{ pool: { kind: PoolKind.POOL_KIND_MODEL, subject: 2n }, slots: [0n] }];
  const messages = [
    // Of two, so that what it is paid is divided by weights.
    registerModel(payer, { name: 'child', parentIds: [1n] }),
    paymentOf(payInference(payer, [], { modelId: 2n })),
    anyOf(MsgClaim, { owner: payer.address, pools: slots }),
  ];
  const tx = chain.sign(payer, messages, { gas: 3n * LOOP_GAS });
  expect(chain.deliver(tx)).toMatchObject({ code: 0 });
  chain.block();
  const { derived } = await explainOne(chain, { kind: 'tx', hash: toUpperHex(sha256(tx)) });
  expect(derived).toContainEqual(expect.objectContaining({ kind: 'claim', pool: 'model/2', slot: 0n }));
});

/** A Datanet whose second contribution is in the snapshot of a model, and weighs nothing before block 20. */
function newcomer() {
  const chain = new RecordedChain({ accounts: 6 });
  const [owner, first, second, seller, payer] = [0, 1, 2, 3, 4].map((i) => chain.account(i)) as [
    ReturnType<typeof chain.account>,
    ReturnType<typeof chain.account>,
    ReturnType<typeof chain.account>,
    ReturnType<typeof chain.account>,
    ReturnType<typeof chain.account>,
  ];
  const adams = provableContent(documentText('adams'));
  const jefferson = provableContent(documentText('jefferson', 700));
  deliverOk(chain, owner, createDatanet(owner));
  deliverOk(chain, first, contribute(first, adams));
  while (chain.height < 11n) chain.block();
  deliverOk(chain, second, contribute(second, jefferson));
  deliverOk(chain, owner, publishSnapshot(owner));
  deliverOk(chain, seller, registerModel(seller));
  const pay = (n: number, quotes: readonly Quote[]): void => {
    const of = { requestHash: sha256(Uint8Array.of(n)) };
    deliverOk(chain, payer, paymentOf(payInference(payer, quotes, of)));
  };
  const quote: Quote = { contributionId: 2n, document: jefferson, offset: 10, length: 50 };
  return { chain, second, pay, quote };
}

test('a claim before its slot weighs anything is explained by what quoted it alone', async () => {
  const { chain, second, pay, quote } = newcomer();
  pay(1, []);
  pay(2, [quote]);
  const hash = claim(chain, second, { slots: [1n] });
  expect(chain.height).toBeLessThan(20n);
  const { derived } = await explainOne(chain, { kind: 'tx', hash });
  expect(derived).toMatchObject([{ kind: 'claim', credits: [{ receipt: { id: 2n } }] }]);
});

test('what came before a slot weighed anything is not what it was paid of', async () => {
  const { chain, second, pay } = newcomer();
  pay(1, []);
  while (chain.height < 21n) chain.block();
  pay(2, []);
  claim(chain, second, { slots: [1n] });
  const { credits, verified } = await claimedBy(chain, 1n);
  expect(credits).toEqual(['4']);
  expect(await verified(['4'])).toMatchObject([{ kind: 'claim' }]);
  for (const lie of [['2'], ['2', '4']])
    await expect(verified(lie)).rejects.toThrow('the slot weighed nothing when credit 2 came');
});

test('a claim in front of a payment, in the block of whose end its slot is withdrawn, is explained', async () => {
  const { chain, loop } = playScene();
  const { payer, first } = loop;
  const payment = (n: number) =>
    paymentOf(payInference(payer, [], { requestHash: sha256(Uint8Array.of(n)) }));
  deliverOk(chain, payer, payment(1));
  const message = { owner: first.address, pools: [{ pool: DATANET, slots: [0n] }] };
  const claimed = chain.sign(first, [anyOf(MsgClaim, message), withdraw(first, 1n)], { gas: 2n * LOOP_GAS });
  const paid = chain.sign(payer, [payment(2)], { gas: LOOP_GAS });
  const { txResults } = chain.blockOf({ txs: [claimed, paid] });
  expect(txResults.map(({ code }) => code)).toEqual([0, 0]);
  chain.block();
  const { derived } = await explainOne(chain, { kind: 'tx', hash: toUpperHex(sha256(claimed)) });
  expect(derived).toMatchObject([{ kind: 'claim', amount: 301n, credits: [{ id: 2n }] }]);
  // The fourth credit is in the debt that the claim left, but not in what was claimed.
  const { target } = await targetOf(chain, {
    pool: 'datanet/1',
    slot: 0n,
    denom: 'uopen',
    height: chain.height - 1n,
  });
  expect(target.credits).toEqual(['2', '4']);
});

test('a contribution that is made, quoted, paid and claimed of in one block is explained', async () => {
  const chain = new RecordedChain({ accounts: 3 });
  chain.block();
  const one = chain.account(0);
  const document = provableContent(documentText('adams'));
  const messages = [
    createDatanet(one),
    contribute(one, document),
    publishSnapshot(one),
    registerModel(one),
    paymentOf(payInference(one, [{ contributionId: 1n, document, offset: 200, length: 100 }])),
    anyOf(MsgClaim, { owner: one.address, pools: [{ pool: DATANET, slots: [0n] }] }),
  ];
  const tx = chain.sign(one, messages, { gas: 6n * LOOP_GAS });
  expect(chain.deliver(tx)).toMatchObject({ code: 0 });
  chain.block();
  const { derived } = await explainOne(chain, { kind: 'tx', hash: toUpperHex(sha256(tx)) });
  expect(derived).toContainEqual(
    expect.objectContaining({ kind: 'claim', pool: 'datanet/1', owner: one.address }),
  );
});

test('a claim in the block at whose end governance closes its pool keeps its fraction, and is explained', async () => {
  const chain = new RecordedChain(governed(6, SHORT_EPOCHS));
  const { first, payer } = playLoop(chain);
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  const authority = chain.app.composition.addresses.toText(moduleAddress('gov'));
  const ends = propose(chain, anyOf(MsgClosePool, { authority, pool: DATANET }));
  while (chain.height < ends - 1n) chain.block();
  const hash = claim(chain, first, { slots: [0n] });
  const types = { request: QueryPoolRequest, response: QueryPoolResponse };
  const asked = chain.query('/openledger.pools.v1.Query/Pool', types, DATANET);
  expect(asked.pool.closed).toBe(true);
  const { derived } = await explainOne(chain, { kind: 'tx', hash });
  expect(derived).toMatchObject([{ kind: 'claim', pool: 'datanet/1', height: ends }]);
  const [payout] = derived;
  expect(payout?.kind === 'claim' ? payout.left : 0n).toBeGreaterThan(0n);
});
