import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import type { ChannelConfig } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as queries from '../../proto/gen/openledger/channels/v1/query.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { responseOf } from '../../test/support/attribution-world.ts';
import {
  accountSigner,
  configOf,
  consentOf,
  rowFor,
  type RowOptions,
  sessionSigner,
  voucherFor,
} from '../../test/support/channels.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { anyOf, type TestAccount, TestChain } from '../../test/support/test-chain.ts';

import { channelErrors } from './errors.ts';
import { FORGOTTEN_PER_BLOCK } from './end-block.ts';
import { channelId } from './format/configuration.ts';
import { hashChainOf } from './format/hash-chain.ts';
import { LANES, type VoucherContent } from './format/voucher.ts';

const GAS = 400_000n;
const { CLAIM_OUTCOME_PAID: PAID, CLAIM_OUTCOME_PAID_IN_PART: IN_PART } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_NO_CHANNEL: NO_CHANNEL, CLAIM_OUTCOME_KEY_RETIRED: RETIRED } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_NOTHING_NEW: NOTHING_NEW, CLAIM_OUTCOME_DEPOSIT_EMPTY: EMPTY } = wire.ClaimOutcome;

/** A chain with a payer, a receiver, and somebody else. */
class World {
  readonly chain = new TestChain({ accounts: 4 });
  readonly payer: TestAccount = this.chain.account(0);
  readonly receiver: TestAccount = this.chain.account(1);
  readonly other: TestAccount = this.chain.account(2);
  readonly session = sessionSigner(this.payer.address);

  constructor() {
    this.chain.block();
  }

  send(signer: TestAccount, message: Any, gas = GAS): ExecTxResult {
    return this.chain.deliver(this.chain.sign(signer, [message], { gas, fee: '' }));
  }

  sendOk(signer: TestAccount, message: Any, gas = GAS): ExecTxResult {
    const result = this.send(signer, message, gas);
    expect(result.code, result.log).toBe(0);
    return result;
  }

  refused(signer: TestAccount, message: Any, kind: ErrorKind): string {
    const { chain } = this;
    const accounts = chain.accounts.map(({ address }) => chain.balance(address));
    const result = this.send(signer, message);
    expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
    expect(chain.accounts.map(({ address }) => chain.balance(address))).toEqual(accounts);
    return result.log;
  }

  config(change: Partial<ChannelConfig> = {}): ChannelConfig {
    return configOf({ payer: this.payer, receiver: this.receiver, now: this.chain.time }, change);
  }

  open(config: ChannelConfig, deposit = 1000n): Uint8Array {
    this.sendOk(this.payer, opening(config, deposit));
    return channelId(this.chain.chainId, config);
  }

  /** A row by the payer's session key. */
  row(voucher: VoucherContent, options: Partial<RowOptions> = {}): wire.ClaimRow {
    return rowFor(voucher, { signer: this.session, ...options });
  }

  claimOf(...rows: readonly wire.ClaimRow[]): Any {
    return anyOf(wire.MsgClaimVouchers, { claimer: this.receiver.address, rows });
  }

  /** Outcome and money of each row. */
  claim(...rows: readonly wire.ClaimRow[]): readonly (readonly [number, string])[] {
    const result = this.sendOk(this.receiver, this.claimOf(...rows), GAS * BigInt(rows.length));
    const { results } = responseOf(wire.MsgClaimVouchersResponse, result);
    return results.map(({ outcome, paid }) => [outcome, paid]);
  }

  held(): bigint {
    return this.chain.balance(this.chain.app.composition.addresses.toText(moduleAddress('channels')));
  }

  payerMessage(type: 'initiate' | 'finalize', id: Uint8Array): Any {
    const message = { payer: this.payer.address, channelId: id };
    return type === 'initiate'
      ? anyOf(wire.MsgInitiateWithdrawal, message)
      : anyOf(wire.MsgFinalizeWithdrawal, message);
  }

  /** Blocks and time until a withdrawal or a rotation of now is over. */
  waitDelay(): void {
    this.chain.skip(900);
    for (let i = 0; i < 101; i++) this.chain.block();
  }

  sound(): void {
    expect(this.chain.app.brokenInvariants()).toEqual([]);
  }
}

function opening(config: ChannelConfig, deposit: bigint): Any {
  return anyOf(wire.MsgOpenChannel, { config, deposit: `${deposit}` });
}

test('a channel pays what is claimed and gives the rest back, to the unit', () => {
  const world = new World();
  const { chain, payer, receiver } = world;
  const [had, got] = [chain.balance(payer.address), chain.balance(receiver.address)];
  const id = world.open(world.config());
  expect([chain.balance(payer.address), world.held()]).toEqual([had - 1000n, 1000n]);
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uopen', amount: '500' } };
  world.sendOk(payer, anyOf(wire.MsgTopUpChannel, topUp));
  expect(world.claim(world.row(voucherFor(id)))).toEqual([[PAID, '100']]);
  expect(world.claim(world.row(voucherFor(id, { cumulative: 350n }), { total: 320n }))).toEqual([
    [PAID, '220'],
  ]);
  expect(world.claim(world.row(voucherFor(id, { lane: 7, cumulative: 40n, ceiling: 5n })))).toEqual([
    [PAID, '40'],
  ]);
  world.sound();
  world.sendOk(payer, world.payerMessage('initiate', id));
  world.waitDelay();
  expect(world.claim(world.row(voucherFor(id, { cumulative: 350n })))).toEqual([[PAID, '30']]);
  world.sendOk(payer, world.payerMessage('finalize', id));
  expect([chain.balance(payer.address), chain.balance(receiver.address)]).toEqual([had - 390n, got + 390n]);
  expect(world.held()).toBe(0n);
  world.sound();
});

test('the id is known before the channel is there, and binds chain and configuration', () => {
  const world = new World();
  const config = world.config();
  const id = world.open(config);
  const types = { request: queries.QueryChannelRequest, response: queries.QueryChannelResponse };
  const { channel } = world.chain.query('/openledger.channels.v1.Query/Channel', types, { channelId: id });
  expect(channel.channel.config).toEqual(config);
  expect(channel.balance).toEqual({ deposited: '1000', claimed: '0' });
  const others = [
    channelId('test-chain-2', config),
    channelId('test-chain-1', { ...config, payer: config.receiver }),
    channelId('test-chain-1', { ...config, payerAuthorizer: config.receiverAuthorizer }),
    channelId('test-chain-1', { ...config, receiver: config.payer }),
    channelId('test-chain-1', { ...config, receiverKind: 2 }),
    channelId('test-chain-1', { ...config, receiverAuthorizer: config.payerAuthorizer }),
    channelId('test-chain-1', { ...config, denom: 'uusd' }),
    channelId('test-chain-1', { ...config, withdrawDelay: 901 }),
    channelId('test-chain-1', { ...config, openBefore: config.openBefore + 1n }),
    channelId('test-chain-1', { ...config, salt: sha256(config.salt) }),
  ];
  expect(new Set([id, ...others].map(toHex)).size).toBe(11);
});

test('configurations that could not work are refused, each with its number', () => {
  const world = new World();
  const { payer } = world;
  const cases: readonly (readonly [Partial<ChannelConfig>, ErrorKind])[] = [
    [{ receiverKind: 0 }, channelErrors.invalidChannel],
    [{ receiverKind: 2 }, channelErrors.noRouter],
    [{ payerAuthorizer: { kind: 1, key: new Uint8Array(33) } }, channelErrors.invalidChannel],
    [{ receiverAuthorizer: { kind: 2, key: new Uint8Array(32) } }, channelErrors.invalidChannel],
    [{ receiverAuthorizer: { kind: 0, key: new Uint8Array(32) } }, channelErrors.invalidChannel],
    [{ denom: '!' }, channelErrors.invalidChannel],
    [{ salt: new Uint8Array(31) }, channelErrors.invalidChannel],
    [{ withdrawDelay: 899 }, channelErrors.invalidChannel],
    [{ withdrawDelay: 2_592_001 }, channelErrors.invalidChannel],
    [{ openBefore: world.chain.time }, channelErrors.invalidChannel],
    [{ openBefore: world.chain.time + 90_000n }, channelErrors.invalidChannel],
    [
      { receiver: world.chain.app.composition.addresses.toText(moduleAddress('payments')) },
      channelErrors.invalidChannel,
    ],
  ];
  for (const [change, kind] of cases) world.refused(payer, opening(world.config(change), 5n), kind);
  world.refused(payer, opening(world.config(), 0n), channelErrors.invalidChannel);
  world.refused(payer, opening(world.config(), 1n << 128n), channelErrors.invalidChannel);
  const id = world.open(world.config(), 5n);
  world.refused(
    payer,
    opening(world.config({ openBefore: world.chain.time + 3599n }), 5n),
    channelErrors.idUsed,
  );
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uother', amount: '5' } };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, topUp), channelErrors.invalidChannel);
  const unknown = { ...topUp, channelId: sha256(id) };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, unknown), channelErrors.unknownChannel);
});

test('lanes are independent, order does not matter, and together they never claim more than the deposit', () => {
  const world = new World();
  const id = world.open(world.config(), 250n);
  const first = world.row(voucherFor(id, { lane: 1, cumulative: 100n }));
  const later = world.row(voucherFor(id, { lane: 1, cumulative: 160n }));
  const other = world.row(voucherFor(id, { lane: 1023, cumulative: 120n }));
  expect(world.claim(later, first, other)).toEqual([
    [PAID, '160'],
    [NOTHING_NEW, '0'],
    [IN_PART, '90'],
  ]);
  expect(world.claim(other)).toEqual([[EMPTY, '0']]);
  const topUp = { sender: world.other.address, channelId: id, amount: { denom: 'uopen', amount: '500' } };
  world.sendOk(world.other, anyOf(wire.MsgTopUpChannel, topUp));
  expect(world.claim(other, other)).toEqual([
    [PAID, '30'],
    [NOTHING_NEW, '0'],
  ]);
  const types = { request: queries.QueryLanesRequest, response: queries.QueryLanesResponse };
  const { lanes } = world.chain.query('/openledger.channels.v1.Query/Lanes', types, { channelId: id });
  expect(lanes.map(({ lane, claimed }) => [lane, claimed])).toEqual([
    [1, '160'],
    [1023, '120'],
  ]);
  world.sound();
});

test('what could never be right fails the message: another chain, channel, lane, amount, request, key, form', () => {
  const world = new World();
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
  const world = new World();
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
  const world = new World();
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
  const world = new World();
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

test('vouchers of a key that was rotated are good for the delay, in time and in blocks; rotations do not overlap', () => {
  const world = new World();
  const { payer, receiver } = world;
  const id = world.open(world.config());
  const next = sessionSigner('next');
  const rotation = (signer = next): Any =>
    anyOf(wire.MsgRotateKey, { payer: payer.address, channelId: id, payerAuthorizer: signer.key });
  world.refused(
    receiver,
    anyOf(wire.MsgRotateKey, { payer: receiver.address, channelId: id, payerAuthorizer: next.key }),
    channelErrors.notAParty,
  );
  world.sendOk(payer, rotation());
  const old = (cumulative: bigint): wire.ClaimRow => world.row(voucherFor(id, { cumulative }));
  const young = voucherFor(id, { keyVersion: 1, cumulative: 200n });
  world.refused(receiver, world.claimOf(world.row(young)), channelErrors.wrongSignature);
  world.refused(
    receiver,
    world.claimOf(world.row(voucherFor(id), { signer: next })),
    channelErrors.wrongSignature,
  );
  expect(world.claim(old(100n), world.row(young, { signer: next }))).toEqual([
    [PAID, '100'],
    [PAID, '100'],
  ]);
  world.refused(payer, rotation(sessionSigner('third')), channelErrors.rotationUnderWay);
  world.chain.skip(1000);
  expect(world.claim(old(210n))).toEqual([[PAID, '10']]);
  for (let i = 0; i < 100; i++) world.chain.block();
  expect(world.claim(old(220n))).toEqual([[RETIRED, '0']]);
  world.sendOk(payer, rotation(sessionSigner('third')));
  expect(world.claim(old(220n), world.row({ ...young, cumulative: 230n }, { signer: next }))).toEqual([
    [RETIRED, '0'],
    [PAID, '20'],
  ]);
});

test('a withdrawal takes its delay in time and in blocks, and takes no deposits and no keys', () => {
  const world = new World();
  const { chain, payer, other } = world;
  const id = world.open(world.config());
  const initiate = world.payerMessage('initiate', id);
  const finalize = world.payerMessage('finalize', id);
  world.refused(payer, finalize, channelErrors.withdrawalNotDue);
  const theirs = anyOf(wire.MsgInitiateWithdrawal, { payer: other.address, channelId: id });
  world.refused(other, theirs, channelErrors.notAParty);
  world.sendOk(payer, initiate);
  world.refused(payer, initiate, channelErrors.beingWithdrawn);
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uopen', amount: '5' } };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, topUp), channelErrors.beingWithdrawn);
  const rotation = { payer: payer.address, channelId: id, payerAuthorizer: sessionSigner('next').key };
  world.refused(payer, anyOf(wire.MsgRotateKey, rotation), channelErrors.beingWithdrawn);
  chain.skip(900);
  world.refused(payer, finalize, channelErrors.withdrawalNotDue);
  for (let i = 0; i < 100; i++) chain.block();
  world.refused(
    other,
    anyOf(wire.MsgFinalizeWithdrawal, { payer: other.address, channelId: id }),
    channelErrors.notAParty,
  );
  world.sendOk(payer, finalize);
  world.refused(payer, finalize, channelErrors.unknownChannel);
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  world.sendOk(payer, world.payerMessage('initiate', second));
  for (let i = 0; i < 120; i++) chain.block();
  world.refused(payer, world.payerMessage('finalize', second), channelErrors.withdrawalNotDue);
});

test('both parties close at once by what they agree on; the receiver alone may give up the rest', () => {
  const world = new World();
  const { chain, payer, receiver, other } = world;
  const id = world.open(world.config());
  world.claim(world.row(voucherFor(id)));
  const closeBefore = chain.time + 600n;
  const agreement = { channelId: id, keyVersion: 0, total: 140n, closeBefore };
  const consents = {
    payer: consentOf(agreement, world.session),
    receiver: consentOf(agreement, accountSigner(receiver)),
  };
  const close = (sender: TestAccount, change: Partial<wire.MsgCloseChannel> = {}): Any =>
    anyOf(wire.MsgCloseChannel, {
      sender: sender.address,
      channelId: id,
      total: '140',
      closeBefore,
      consent: sender === payer ? consents.receiver : consents.payer,
      ...change,
    });
  const { notAParty, invalidAgreement, wrongSignature, invalidVoucher } = channelErrors;
  world.refused(other, close(other), notAParty);
  world.refused(payer, close(payer, { consent: undefined }), invalidAgreement);
  world.refused(payer, close(payer, { consent: undefined, total: '100' }), invalidAgreement);
  world.refused(receiver, close(receiver, { consent: undefined }), invalidAgreement);
  world.refused(payer, close(payer, { total: '99' }), invalidAgreement);
  world.refused(payer, close(payer, { total: '1001' }), invalidAgreement);
  world.refused(payer, close(payer, { total: '139' }), wrongSignature);
  world.refused(payer, close(payer, { closeBefore: closeBefore + 1n }), wrongSignature);
  world.refused(payer, close(payer, { consent: consents.payer }), wrongSignature);
  world.refused(receiver, close(receiver, { consent: consents.receiver }), wrongSignature);
  world.refused(payer, close(payer, { consent: { ...consents.receiver, form: 3 } }), invalidVoucher);
  chain.skip(600);
  world.refused(payer, close(payer), invalidAgreement);
  const late = { ...agreement, closeBefore: chain.time + 60n };
  const [had, got] = [chain.balance(payer.address), chain.balance(receiver.address)];
  const consent = consentOf(late, accountSigner(receiver));
  world.sendOk(payer, close(payer, { closeBefore: late.closeBefore, consent }));
  expect([chain.balance(payer.address) - had, chain.balance(receiver.address) - got]).toEqual([860n, 40n]);
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  world.sendOk(
    receiver,
    close(receiver, { channelId: second, total: '0', closeBefore: chain.time + 9n, consent: undefined }),
  );
  expect(chain.balance(payer.address) - had).toBe(860n);
  expect(world.held()).toBe(0n);
  world.sound();
});

test('an id is used once: a channel that was closed is not opened again, and its vouchers never pay', () => {
  const world = new World();
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

test('ids of closed channels are forgotten when nobody could open them, some in each block', () => {
  const world = new World();
  const { chain, payer, receiver } = world;
  const count = FORGOTTEN_PER_BLOCK + 5;
  const openBefore = chain.time + 3600n;
  const configs = Array.from({ length: count }, (_, i) =>
    world.config({ openBefore, salt: sha256(utf8(`salt ${i}`)) }),
  );
  const opened = configs.map((config) => opening(config, 1n));
  const closed = configs.map((config) =>
    anyOf(wire.MsgCloseChannel, {
      sender: receiver.address,
      channelId: channelId(chain.chainId, config),
      total: '0',
      closeBefore: openBefore,
      consent: undefined,
    }),
  );
  const big = { gas: 100_000_000n, fee: '' };
  expect(chain.deliver(chain.sign(payer, opened, big)).code).toBe(0);
  expect(chain.deliver(chain.sign(receiver, closed, big)).code).toBe(0);
  const left = (): number => {
    const { closed: rows } = chain.app.exportState().appState['channels'] as { closed: readonly unknown[] };
    return rows.length;
  };
  expect(left()).toBe(count);
  chain.skip(3600);
  chain.block();
  expect(left()).toBe(5);
  chain.block();
  expect(left()).toBe(0);
});

test('a thousand rows of a thousand channels fit into one transaction', () => {
  const world = new World();
  const { chain, payer, receiver } = world;
  const count = 1000;
  const configs = Array.from({ length: count }, (_, i) => world.config({ salt: sha256(utf8(`salt ${i}`)) }));
  const big = { gas: 200_000_000n, fee: '' };
  const opened = chain.sign(
    payer,
    configs.map((config) => opening(config, 500n)),
    big,
  );
  expect(chain.deliver(opened).code).toBe(0);
  const rows = configs.map((config) => world.row(voucherFor(channelId(chain.chainId, config))));
  const tx = chain.sign(receiver, [world.claimOf(...rows)], big);
  expect(tx.length).toBeLessThan(1_048_576);
  const got = chain.balance(receiver.address);
  const result = chain.deliver(tx);
  expect(result.code, result.log).toBe(0);
  expect(chain.balance(receiver.address) - got).toBe(100n * BigInt(count));
  console.log('GAS', Number(result.gasUsed) / count, tx.length / count);
  expect(Number(result.gasUsed) / count).toBeLessThan(16_000);
  expect(tx.length / count).toBeLessThan(190);
  world.sound();
});

test('the state that is exported is the state that its genesis restores', () => {
  const world = new World();
  const { chain, payer } = world;
  const id = world.open(world.config());
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  const closed = world.open(world.config({ salt: sha256(utf8('closed')) }));
  world.claim(world.row(voucherFor(id, { lane: 3 })), world.row(voucherFor(id, { lane: 900 })));
  world.sendOk(payer, world.payerMessage('initiate', id));
  const rotation = { payer: payer.address, channelId: second, payerAuthorizer: sessionSigner('next').key };
  world.sendOk(payer, anyOf(wire.MsgRotateKey, rotation));
  const giveUp = { sender: world.receiver.address, channelId: closed, total: '0', consent: undefined };
  world.sendOk(world.receiver, anyOf(wire.MsgCloseChannel, { ...giveUp, closeBefore: chain.time + 60n }));
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const { channels, bank } = chain.app.exportState().appState;
  // The restored chain begins a hundred million seconds later: what was closed is forgotten.
  const expected = { ...(channels as object), closed: [] };
  expect(restored.exportState().appState).toMatchObject({ bank, channels: expected });
});

test('channels are found by payer and by receiver', () => {
  const world = new World();
  const ids = ['a', 'b', 'c'].map((salt) => toHex(world.open(world.config({ salt: sha256(utf8(salt)) }))));
  const byPayer = world.chain.query(
    '/openledger.channels.v1.Query/ChannelsByPayer',
    { request: queries.QueryChannelsByPayerRequest, response: queries.QueryChannelsByPayerResponse },
    { payer: world.payer.address },
  );
  const byReceiver = world.chain.query(
    '/openledger.channels.v1.Query/ChannelsByReceiver',
    { request: queries.QueryChannelsByReceiverRequest, response: queries.QueryChannelsByReceiverResponse },
    { receiver: world.receiver.address },
  );
  for (const { channels } of [byPayer, byReceiver])
    expect(channels.map(({ id }) => toHex(id))).toEqual(ids.toSorted());
  const missing = world.chain.rawQuery(
    '/openledger.channels.v1.Query/Channel',
    queries.QueryChannelRequest.encode({ channelId: sha256(utf8('none')) }),
  );
  expect(missing.log).toContain('there is no channel');
});
