import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/openledger/channels/v1/genesis.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { ChannelWorld, opening } from '../../test/support/channel-world.ts';
import { accountSigner, sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { channelErrors } from './errors.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { hashChainOf } from './format/hash-chain.ts';
import { LANES, type VoucherContent } from './format/voucher.ts';

const { CLAIM_OUTCOME_PAID: PAID } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_NO_CHANNEL: NO_CHANNEL } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_NOTHING_NEW: NOTHING_NEW, CLAIM_OUTCOME_DEPOSIT_EMPTY: EMPTY } = wire.ClaimOutcome;

test('what could never be right fails the message: another chain, channel, lane, amount, request, key, form', () => {
  const world = new ChannelWorld();
  const { receiver } = world;
  const id = world.open(world.config());
  const twin = world.open(world.config({ salt: sha256(utf8('twin')) }));
  const voucher = voucherFor(id);
  const good = world.row(voucher);
  const signedFor = (change: Partial<VoucherContent>): wire.ClaimRow => ({
    ...good,
    signature: world.row({ ...voucher, ...change }).signature,
  });
  const wrong: readonly wire.ClaimRow[] = [
    world.row(voucher, { chainId: 'test-chain-2' }),
    signedFor({ channelId: twin }),
    signedFor({ lane: 1 }),
    signedFor({ cumulative: 99n, ceiling: 99n }),
    signedFor({ ceiling: 99n }),
    signedFor({ resource: sha256(utf8('another request')) }),
    signedFor({ hashChain: { root: sha256(id), unit: 1n, links: 1 } }),
    world.row(voucher, { signer: sessionSigner('another') }),
    { ...good, form: 1 },
  ];
  for (const [i, row] of wrong.entries()) {
    const log = world.refused(
      receiver,
      world.claimOf(world.row(voucherFor(twin)), row),
      channelErrors.wrongSignature,
    );
    expect(log, `case ${i}`).toContain('row 1:');
  }
  const claim = (row: wire.ClaimRow): Any => world.claimOf(row);
  world.refused(receiver, claim({ ...good, total: '101' }), channelErrors.claimAboveVoucher);
  world.refused(receiver, claim({ ...good, total: '-1' }), channelErrors.invalidVoucher);
  world.refused(receiver, claim({ ...good, form: 2 }), channelErrors.invalidVoucher);
  world.refused(receiver, claim({ ...good, signature: new Uint8Array(63) }), channelErrors.invalidVoucher);
  world.refused(receiver, claim(world.row({ ...voucher, keyVersion: 1 })), channelErrors.invalidVoucher);
  world.refused(receiver, world.claimOf(), channelErrors.invalidVoucher);
  for (const change of [
    { lane: LANES },
    { ceiling: '101' },
    { resource: new Uint8Array(0) },
    { cumulative: '' },
  ])
    world.refused(
      receiver,
      claim({ ...good, voucher: { ...good.voucher, ...change } }),
      channelErrors.invalidVoucher,
    );
  const foreign = { claimer: world.other.address, rows: [good] };
  world.refused(world.other, anyOf(wire.MsgClaimVouchers, foreign), channelErrors.notAParty);
  expect(world.claim(good)).toEqual([[PAID, '100']]);
  world.sound();
});

test('people sign with their account’s key by ADR-036, and the text says what is paid', () => {
  const world = new ChannelWorld();
  const { payer } = world;
  const wallet = { address: payer.address, denom: 'uopen' };
  const signer = accountSigner(payer);
  const id = world.open(world.config({ payerAuthorizer: signer.key }));
  const voucher = voucherFor(id, { hashChain: { root: sha256(id), unit: 2n, links: 9 } });
  const other = world.row(voucher, { signer, wallet: { ...wallet, denom: 'uother' } });
  world.refused(world.receiver, world.claimOf(other), channelErrors.wrongSignature);
  expect(world.claim(world.row(voucher, { signer, wallet }))).toEqual([[PAID, '100']]);
  const plain = world.row({ ...voucher, cumulative: 120n }, { signer });
  expect(world.claim(plain)).toEqual([[PAID, '20']]);
});

test('each link of a hash chain pays a unit more: a payer that vanishes in the middle has paid for what was served', () => {
  const world = new ChannelWorld();
  const { receiver } = world;
  const id = world.open(world.config());
  const chain = hashChainOf(sha256(utf8('seed')), 50);
  const hashChain = { root: chain[0] ?? new Uint8Array(0), unit: 3n, links: 50 };
  const voucher = voucherFor(id, { cumulative: 10n, ceiling: 150n, hashChain });
  const link = (index: number, total: bigint, preimage = chain[index]): wire.ClaimRow =>
    world.row(voucher, { preimage: preimage ?? new Uint8Array(32), preimageIndex: index, total });
  world.refused(receiver, world.claimOf(link(7, 32n)), channelErrors.claimAboveVoucher);
  world.refused(receiver, world.claimOf(link(7, 31n, chain[6])), channelErrors.wrongPreimage);
  world.refused(receiver, world.claimOf(link(51, 31n)), channelErrors.invalidVoucher);
  world.refused(receiver, world.claimOf(link(7, 31n, new Uint8Array(31))), channelErrors.invalidVoucher);
  const bare = { ...link(7, 31n), voucher: { ...link(7, 31n).voucher, hashChain: undefined } };
  world.refused(receiver, world.claimOf(bare), channelErrors.invalidVoucher);
  expect(world.claim(world.row(voucher), link(7, 31n), link(50, 160n))).toEqual([
    [PAID, '10'],
    [PAID, '21'],
    [PAID, '129'],
  ]);
  const used = [7, 50].map((index) =>
    Number(world.sendOk(receiver, world.claimOf(link(index, 31n))).gasUsed),
  );
  // 30 for each link; two bytes for the index in between may cost the transaction's size.
  expect((used[1] ?? 0) - (used[0] ?? 0)).toBe(43 * 30);
});

test('no payer spoils the rows of others: what is gone, retired, claimed or empty only brings nothing', () => {
  const world = new ChannelWorld();
  const good = world.open(world.config());
  const closed = world.open(world.config({ salt: sha256(utf8('closed')) }));
  const empty = world.open(world.config({ salt: sha256(utf8('empty')) }), 1n);
  world.sendOk(world.payer, world.payerMessage('initiate', closed));
  world.waitDelay();
  world.sendOk(world.payer, world.payerMessage('finalize', closed));
  expect(
    world.claim(
      world.row(voucherFor(closed)),
      world.row(voucherFor(empty, { cumulative: 1n, ceiling: 0n })),
      world.row(voucherFor(good)),
      world.row(voucherFor(empty)),
      world.row(voucherFor(sha256(good))),
      world.row(voucherFor(good, { cumulative: 0n, ceiling: 0n })),
    ),
  ).toEqual([
    [NO_CHANNEL, '0'],
    [PAID, '1'],
    [PAID, '100'],
    [EMPTY, '0'],
    [NO_CHANNEL, '0'],
    [NOTHING_NEW, '0'],
  ]);
  world.sound();
});

test('an id is used once: a channel that was closed is not opened again, and its vouchers never pay', () => {
  const world = new ChannelWorld();
  const { chain, payer, receiver } = world;
  const config = world.config();
  const id = world.open(config);
  const voucher = world.row(voucherFor(id));
  world.claim(voucher);
  const giveUp = { sender: receiver.address, channelId: id, total: '100', consent: undefined };
  world.sendOk(receiver, anyOf(wire.MsgCloseChannel, { ...giveUp, closeBefore: chain.time + 60n }));
  world.refused(payer, opening(config, 1000n), channelErrors.idUsed);
  expect(world.claim(voucher)).toEqual([[NO_CHANNEL, '0']]);
  chain.skip(3600);
  chain.block();
  world.refused(payer, opening(config, 1000n), channelErrors.invalidChannel);
  expect(chain.app.exportState().appState['channels']).toMatchObject({ channels: [], lanes: [], closed: [] });
});

test('rows of several denominations in one message are each paid in their own', () => {
  const world = new ChannelWorld({ coins: '1000000000uopen,1000uusd' });
  const { chain, receiver } = world;
  const open = world.open(world.config());
  const usd = world.open(world.config({ denom: 'uusd' }));
  const had = ['uopen', 'uusd'].map((denom) => chain.balance(receiver.address, denom));
  const rows = [
    world.row(voucherFor(usd, { cumulative: 7n, ceiling: 0n })),
    world.row(voucherFor(open)),
    world.row(voucherFor(usd, { lane: 1, cumulative: 11n, ceiling: 0n })),
  ];
  expect(world.claim(...rows)).toEqual([
    [PAID, '7'],
    [PAID, '100'],
    [PAID, '11'],
  ]);
  const has = ['uopen', 'uusd'].map((denom) => chain.balance(receiver.address, denom));
  expect(has.map((amount, i) => amount - (had[i] ?? 0n))).toEqual([100n, 18n]);
  world.sound();
});

test('a message has as many rows as the parameters say, and not one more', () => {
  const params = { ...DEFAULT_PARAMS, rowsMax: 2 };
  const sections = { channels: messageToJson(GenesisState, GenesisState.create({ params })) };
  const world = new ChannelWorld({ genesis: { sections } });
  const id = world.open(world.config());
  const rows = [0, 1, 2].map((lane) => world.row(voucherFor(id, { lane })));
  world.refused(world.receiver, world.claimOf(...rows), channelErrors.tooManyRows);
  expect(world.claim(...rows.slice(1)).length).toBe(2);
});
