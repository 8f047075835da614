/** What no proof is of is told in a sentence each, never left out. */
import { expect, test } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import { toBech32 } from '../../core/bech32.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { MsgHoldPayment, MsgRefundPayment, MsgVoidHold } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { authorizationOf, signedRelay } from '../../test/support/authorizations.ts';
import { LOOP_GAS } from '../../test/support/economic-loop.ts';
import { anyOf, type TestAccount } from '../../test/support/test-chain.ts';
import { receivedByTx, receivedText } from './received.ts';
import { explain, runExplain } from './run.ts';
import { playEpoch } from './testing/epoch-scene.ts';
import { bothQuotes, claim, pay, playScene, type Scene } from './testing/scenes.ts';

const accountOf = (name: string): string => toBech32('open', moduleAddress(name));

/** Sends a message; what its transaction is said to have paid. */
async function told({ chain }: Pick<Scene, 'chain'>, signer: TestAccount, message: Any): Promise<string> {
  const tx = chain.sign(signer, [message], { gas: LOOP_GAS });
  const { code, log } = chain.deliver(tx);
  if (code !== 0) throw new RangeError(log);
  const hash = toUpperHex(sha256(tx));
  const { received } = await explain(chain, { subject: { kind: 'tx', hash }, receiptsMax: 1 }, undefined);
  return received
    .map((each) => receivedText(each).replace(` (block ${each.height}, tx ${hash})`, ''))
    .join('\n');
}

test('transfers, holds and refunds are told with their sender and reason', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  const { payer, first, seller, second } = loop;
  const sent = chain.send(payer, first.address, '5uopen', { gas: LOOP_GAS });
  expect(chain.deliver(sent).code).toBe(0);
  const subject = { kind: 'tx', hash: toUpperHex(sha256(sent)) } as const;
  const { explained, received } = await explain(chain, { subject, receiptsMax: 1 }, undefined);
  expect(explained).toEqual([]);
  expect(received).toEqual([
    {
      ...{ height: chain.height, tx: subject.hash, amount: '5uopen', by: 'by MsgSend', reason: '' },
      ...{ receiver: first.address, sender: payer.address },
    },
  ]);
  const authorization = authorizationOf(payer, first);
  expect(await told(scene, second, signedRelay(second, payer, authorization))).toMatch(
    new RegExp(
      `^${first.address} received 1000uopen from ${payer.address} by MsgTransferWithAuthorization: ` +
        `transfer authorised by ${payer.address}, nonce [0-9a-f]{64}, relayed by ${second.address}$`,
    ),
  );
  pay(scene, bothQuotes(scene));
  const refund = { sender: seller.address, receiptId: 1n, amount: { denom: 'uopen', amount: '26' } };
  expect(await told(scene, seller, anyOf(MsgRefundPayment, refund))).toBe(
    `${payer.address} received 26uopen from ${seller.address} by MsgRefundPayment: ` +
      `refund of receipt 1 by ${seller.address}`,
  );
  const hold = {
    ...{ payer: payer.address, payee: seller.address, modelId: 1n, requestHash: sha256(Uint8Array.of(200)) },
    ...{ amount: { denom: 'uopen', amount: '5000' }, expires: 1_700_003_000n },
  };
  const account = accountOf('payments');
  expect(await told(scene, payer, anyOf(MsgHoldPayment, hold))).toContain(
    `${account} (payments) received 5000uopen from ${payer.address} by MsgHoldPayment: hold_payment (hold_id 1,`,
  );
  expect(await told(scene, seller, anyOf(MsgVoidHold, { payee: seller.address, holdId: 1n }))).toBe(
    `${payer.address} received 5000uopen from ${account} (payments) by MsgVoidHold: hold 1 voided, back to its payer`,
  );
});

test('a claim and a payment are proved: neither is told a second time', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  pay(scene, bothQuotes(scene));
  const [paid] = await chain.txs(`pay_inference.receipt_id='1'`);
  const hash = claim(chain, loop.first, { slots: [0n] });
  for (const one of [hash, paid?.hash ?? '']) {
    const { explained, received } = await explain(
      chain,
      { subject: { kind: 'tx', hash: one }, receiptsMax: 1 },
      undefined,
    );
    expect([explained.length, received]).toEqual([1, []]);
  }
});

test('of an account both are told, and of a gateway what channels and epochs paid it', async () => {
  const { chain, world } = playEpoch(100);
  const of = (address: string) => {
    const subject = { kind: 'account', address, since: 1n } as const;
    return explain(chain, { subject, receiptsMax: 1 }, undefined);
  };
  const lines = (await of(world.gateway.address)).received.map(receivedText).join('\n');
  expect(lines).toMatch(
    /from open1\w+ \(settlement\) at the end of the block: epoch 1 of open1\w+ is final: its bond, back/,
  );
  claim(chain, world.loop.first, { slots: [0n] });
  chain.deliver(chain.send(world.watcher, world.loop.first.address, '7uopen', { gas: LOOP_GAS }));
  const both = await of(world.loop.first.address);
  expect(both.explained).toHaveLength(1);
  expect(both.received.map(({ amount }) => amount)).toEqual(['7uopen']);
  const printed: string[] = [];
  const subject = { kind: 'account', address: world.loop.first.address, since: 1n } as const;
  const settings = { subject, node: '', gateway: undefined, receiptsMax: 1, proofs: undefined, json: true };
  await runExplain(settings, { out: (text) => void printed.push(text), note: () => undefined }, chain);
  expect(JSON.parse(printed.join(''))).toMatchObject({
    received: [{ amount: '7uopen', sender: world.watcher.address, by: 'by MsgSend' }],
    basis: { received: expect.stringContaining('no proofs') },
  });
});

test('there is no bundle of what only events tell', async () => {
  const { chain, loop } = playScene();
  const sent = chain.send(loop.payer, loop.first.address, '5uopen', { gas: LOOP_GAS });
  chain.deliver(sent);
  const subject = { kind: 'tx', hash: toUpperHex(sha256(sent)) } as const;
  const settings = { subject, node: '', gateway: undefined, receiptsMax: 1, proofs: '/none', json: true };
  const run = runExplain(settings, { out: () => undefined, note: () => undefined }, chain);
  await expect(run).rejects.toMatchObject({ code: 'explain.no_proofs' });
});

const at = { height: 9n, tx: 'AB' };
const [ANNA, BERT] = [toBech32('open', moduleAddress('anna')), toBech32('open', moduleAddress('bert'))];

/** A transfer as bank tells of it, and what its module says, of one message. */
function eventsOf(from: string, amount: string, type: string, said: Readonly<Record<string, string>>) {
  const event = (name: string, pairs: Readonly<Record<string, string>>) => ({
    type: name,
    attributes: Object.entries({ ...pairs, msg_index: '0' }).map(([key, value]) => ({
      key,
      value,
      index: true,
    })),
  });
  return [
    event('message', { action: '/some.v1.MsgDo' }),
    event('coin_spent', { spender: from, amount }),
    event('coin_received', { receiver: ANNA, amount }),
    event('transfer', { recipient: ANNA, sender: from, amount }),
    event('other_thing', { of: BERT, amount: '1uopen' }),
    event(type, said),
  ];
}

test.each([
  [
    'withdraw_rewards',
    { amount: '9uopen', validator: 'v', delegator: ANNA },
    'staking rewards of validator v',
  ],
  ['withdraw_commission', { amount: '9uopen' }, 'commission of a validator'],
  ['complete_unbonding', { amount: '9uopen', validator: 'v', delegator: ANNA }, 'unbonded from validator v'],
  [
    'claim_voucher',
    { channel_id: 'aa', lane: '3', paid: '9', claimed: '12' },
    'voucher of channel aa, lane 3',
  ],
  [
    'close_channel',
    { channel_id: 'aa', payer: ANNA, receiver: BERT, paid: '4uopen', returned: '9uopen' },
    `channel aa closed: 4uopen to ${BERT}, 9uopen back to ${ANNA}`,
  ],
  [
    'release_shard',
    { shard_id: '4', publisher: ANNA, bond: '9uopen' },
    `release_shard (shard_id 4, publisher ${ANNA}, bond 9uopen)`,
  ],
  [
    'expire_epoch_request',
    { request_id: '2', epoch_id: '1', requester: ANNA, bond: '9uopen' },
    'bond of request 2 to epoch 1, which was not answered',
  ],
])('%s', (type, said, reason) => {
  const [one, ...more] = receivedByTx(eventsOf(BERT, '9uopen', type, said), at);
  expect([one, more]).toEqual([
    { ...at, receiver: ANNA, sender: BERT, amount: '9uopen', by: 'by MsgDo', reason },
    [],
  ]);
});

test('the reason is of the same message, and rather of the amount than of whom it names', () => {
  const said = { hold_id: '1', payer: ANNA, amount: '9uopen', reason: 'expired' };
  const events = eventsOf(BERT, '9uopen', 'return_hold', said);
  const near = { key: 'of', value: ANNA, index: true };
  const index = (value: string) => ({ key: 'msg_index', value, index: true });
  const amount = { key: 'amount', value: '9uopen', index: true };
  const others = [
    { type: 'only_named', attributes: [near, index('0')] },
    { type: 'another_message', attributes: [near, amount, index('1')] },
  ];
  const bare = { ...said, payer: BERT };
  for (const told of [events, eventsOf(BERT, '9uopen', 'return_hold', bare)]) {
    const [one] = receivedByTx(told.toSpliced(4, 0, ...others), at);
    expect(one?.reason).toBe('hold 1 expired, back to its payer');
  }
});
