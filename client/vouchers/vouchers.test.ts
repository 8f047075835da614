import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { largestClaim } from '../../modules/channels/format/voucher.ts';
import { librarySigner } from '../../test/channels/parties.ts';
import { accountSigner } from '../../test/support/channels.ts';
import { adr036SignBytes } from '../../core/adr036.ts';
import { type Offer, Payee } from './payee.ts';
import {
  emptyJournal,
  offerOf,
  payerAccount,
  resource,
  session,
  verify,
  voucherWorld,
} from '../../test/support/voucher-world.ts';
import { Payer } from './payer.ts';
import type { SignedVoucher, VoucherSigner } from './signatures.ts';

test('a request costs what it costs, below its ceiling, and one claim settles all of them', async () => {
  const { payer, payee, id, claim } = await voucherWorld();
  for (const [name, charge] of [
    ['a', 7n],
    ['b', 0n],
    ['c', 30n],
  ] as const) {
    const lane = payer.takeLane() ?? -1;
    const signed = await payer.sign(lane, { resource: resource(name), ceiling: 30n });
    expect(await payee.accept(signed, offerOf(signed))).toEqual({
      kind: 'serve',
      again: false,
      linkIndex: 0,
    });
    const { charged } = await payee.settle(id, lane, charge);
    await payer.answered(signed, charged);
    payer.releaseLane(lane);
  }
  expect([payer.charged, payer.pending()]).toEqual([37n, []]);
  expect(claim()).toEqual(['37']);
  expect(payee.claims()).toEqual([]);
});

test('a voucher that failed pays for no dearer request than before; one that was charged is answered', async () => {
  const { payer, payee, id } = await voucherWorld();
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  const dearer = { ...offerOf(signed), ceilingMin: 31n };
  expect(await payee.accept(signed, offerOf(signed))).toMatchObject({ kind: 'serve', again: false });
  payee.abandon(id, 0);
  expect(await payee.accept(signed, dearer)).toEqual({ kind: 'refused', reason: 'ceiling_too_low' });
  expect(await payee.accept(signed, offerOf(signed))).toMatchObject({ kind: 'serve', again: true });
  await payee.settle(id, 0, 7n);
  expect(await payee.accept(signed, dearer)).toEqual({ kind: 'settled', charged: 7n });
});

test('lanes are served at the same time; a busy lane and a used-up deposit say so', async () => {
  const { payer, payee } = await voucherWorld({ deposit: 100n });
  const signed = await Promise.all(
    [0, 1, 2].map((lane) => payer.sign(lane, { resource: resource(`${lane}`), ceiling: 30n })),
  );
  await expect(payer.sign(3, { resource: resource('3'), ceiling: 30n })).rejects.toMatchObject({
    code: 'vouchers.deposit',
  });
  const accepted = await Promise.all(signed.map((one) => payee.accept(one, offerOf(one))));
  expect(accepted.map(({ kind }) => kind)).toEqual(['serve', 'serve', 'serve']);
  const [first] = signed;
  if (first === undefined) throw new RangeError('nothing was signed');
  expect(await payee.accept(first, offerOf(first))).toEqual({ kind: 'refused', reason: 'lane_busy' });
});

test('payers who sign at the same moment on several lanes do not sign for more than the deposit', async () => {
  const { payer } = await voucherWorld({ deposit: 50n });
  const results = await Promise.allSettled(
    [0, 1].map((lane) => payer.sign(lane, { resource: resource(`${lane}`), ceiling: 30n })),
  );
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(payer.exposure).toBe(30n);
});

test('every reason for which a voucher is not taken', async () => {
  const { payer, payee, chain, id, observe } = await voucherWorld({ unclaimedMax: 40n });
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  const { voucher } = signed;
  const reasons = async (one: SignedVoucher, offer: Partial<Offer> = {}): Promise<unknown> => {
    const accepted = await payee.accept(one, { ...offerOf(one), ...offer });
    return accepted.kind === 'refused' ? accepted.reason : accepted.kind;
  };
  const changed = (change: Partial<typeof voucher>): SignedVoucher => ({
    ...signed,
    voucher: { ...voucher, ...change },
  });
  expect(await reasons(changed({ channelId: resource('other') }))).toBe('unknown_channel');
  expect(await reasons(signed, { resource: resource('b') })).toBe('wrong_resource');
  expect(await reasons(signed, { ceilingMin: 31n })).toBe('ceiling_too_low');
  expect(await reasons(changed({ lane: 5000 }))).toBe('invalid_voucher');
  expect(await reasons(changed({ keyVersion: 1 }))).toBe('wrong_key_version');
  expect(await reasons(changed({ lane: 1 }))).toBe('invalid_signature');
  const hashChain = { root: resource('root'), unit: 20n, links: 2 };
  expect(await reasons(changed({ ceiling: 10n, hashChain }))).toBe('invalid_voucher');
  const large = await payer.sign(1, { resource: resource('l'), ceiling: 41n });
  expect(await reasons(large)).toBe('claim_first');
  expect(await reasons(signed)).toBe('serve');
  payee.abandon(id, 0);
  chain.tick(21);
  expect(await reasons(signed)).toBe('stale_chain_state');
  observe();
  expect(await reasons(signed)).toBe('serve');
  await expect(payee.settle(id, 0, 31n)).rejects.toMatchObject({ code: 'vouchers.overcharge' });
  await expect(payee.settle(id, 2, 1n)).rejects.toMatchObject({ code: 'vouchers.not_serving' });
  await payee.settle(id, 0, 30n);
  expect(await payee.accept(signed, offerOf(signed))).toEqual({ kind: 'settled', charged: 30n });
  payee.forget(id);
  expect(await reasons(signed)).toBe('unknown_channel');
});

test('a payer that has lost the answer learns from the payee, by its own signature, where the lane ends', async () => {
  const { payer, payee, id } = await voucherWorld();
  const first = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  await payee.accept(first, offerOf(first));
  await payee.settle(id, 0, 12n);
  const second = await payer.sign(0, { resource: resource('b'), ceiling: 30n });
  const corrective = await payee.accept(second, offerOf(second));
  if (corrective.kind !== 'corrective') throw new RangeError(corrective.kind);
  const { lane } = corrective;
  const forged = { ...lane, charged: 31n };
  await expect(payer.corrected(second, forged)).rejects.toMatchObject({ code: 'vouchers.overcharge' });
  await expect(payer.corrected(second, { ...lane, last: undefined })).rejects.toMatchObject({
    code: 'vouchers.overcharge',
  });
  const stolen = lane.last === undefined ? undefined : { ...lane.last, signature: new Uint8Array(64) };
  await expect(payer.corrected(second, { ...lane, last: stolen })).rejects.toMatchObject({
    code: 'vouchers.overcharge',
  });
  expect(await payer.corrected(first, lane)).toBe('old');
  expect(await payer.corrected(second, lane)).toBe('sign-again');
  const third = await payer.sign(0, { resource: resource('b'), ceiling: 30n });
  expect(await payee.accept(third, offerOf(third))).toMatchObject({ kind: 'serve' });
  await payee.settle(id, 0, 1n);
  await expect(payer.answered(third, 43n)).rejects.toMatchObject({ code: 'vouchers.overcharge' });
  await payer.answered(third, 13n);
  expect(payer.charged).toBe(13n);
});

test('a stream is paid link by link; what was shown is owed when the payer vanishes', async () => {
  const { payer, payee, id, claim } = await voucherWorld();
  const request = { resource: resource('s'), ceiling: 25n, stream: { unit: 2n, links: 10 } };
  const signed = await payer.sign(0, request);
  expect(largestClaim(signed.voucher)).toBe(25n);
  expect(await payee.accept(signed, offerOf(signed))).toMatchObject({ kind: 'serve' });
  const links = payer.links(0);
  expect(links.length).toBe(10);
  const [one, two, three] = links;
  if (one === undefined || two === undefined || three === undefined) throw new RangeError('no links');
  expect(await payee.link(id, 0, { preimage: two })).toBeUndefined();
  expect([await payee.link(id, 0, { preimage: one }), await payee.link(id, 0, { preimage: two })]).toEqual([
    1, 2,
  ]);
  expect(await payee.link(id, 0, { preimage: two })).toBeUndefined();
  await expect(payee.settle(id, 0, 10n)).rejects.toMatchObject({ code: 'vouchers.overcharge' });
  payee.abandon(id, 0);
  expect(claim()).toEqual(['4']);
  expect(await payee.accept(signed, offerOf(signed))).toEqual({ kind: 'serve', again: true, linkIndex: 2 });
  expect(await payee.link(id, 0, { preimage: three })).toBe(3);
  await payee.settle(id, 0, 11n);
  await payer.answered(signed, 11n);
  expect(claim()).toEqual(['7']);
});

test('people pay with their wallet, by ADR-036', async () => {
  const account = accountSigner(payerAccount);
  const signer: VoucherSigner = {
    form: 'adr036',
    sign: async ({ text }) => account.sign(adr036SignBytes(payerAccount.address, text)),
  };
  const { payer, payee, id, claim } = await voucherWorld({ signer, key: account.key });
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  expect(await payee.accept(signed, offerOf(signed))).toMatchObject({ kind: 'serve' });
  await payee.settle(id, 0, 9n);
  expect(claim()).toEqual(['9']);
});

test('a consent has all that was charged in it, and ends service until it is void', async () => {
  const { payer, payee, id, chain, observe } = await voucherWorld();
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  await payee.accept(signed, offerOf(signed));
  const signer = librarySigner(session);
  const closeBefore = chain.block.time.seconds + 15n;
  const agreement = { channelId: id, keyVersion: 0, total: 9n, closeBefore };
  expect(await payee.consent(agreement, signer)).toBeUndefined();
  await payee.settle(id, 0, 10n);
  expect(await payee.consent(agreement, signer)).toBeUndefined();
  expect(await payee.consent({ ...agreement, channelId: resource('no') }, signer)).toBeUndefined();
  expect((await payee.consent({ ...agreement, total: 10n }, signer))?.length).toBe(64);
  await payer.answered(signed, 10n);
  const next = await payer.sign(0, { resource: resource('b'), ceiling: 30n });
  expect(await payee.accept(next, offerOf(next))).toEqual({ kind: 'refused', reason: 'channel_closing' });
  chain.tick(15);
  observe();
  expect(await payee.accept(next, offerOf(next))).toMatchObject({ kind: 'serve' });
});

test('a payee that has lost its journal begins where the chain says, not below', async () => {
  const { payer, payee, id, claim, chain } = await voucherWorld();
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  await payee.accept(signed, offerOf(signed));
  const { charged } = await payee.settle(id, 0, 20n);
  await payer.answered(signed, charged);
  claim();
  const policy = { chainId: 'test-chain-1', prefix: 'open', unclaimedMax: 500n, mirrorAgeMax: 20 };
  const fresh = new Payee({ journal: await emptyJournal(), verify, now: () => chain.now }, policy);
  const mirror = chain.mirror(id);
  if (mirror === undefined) throw new RangeError('no channel');
  fresh.observe(mirror);
  const next = await payer.sign(0, { resource: resource('b'), ceiling: 30n });
  expect(await fresh.accept(next, offerOf(next))).toMatchObject({ kind: 'serve' });
});

test('lanes are what a channel has', async () => {
  const { payer, journals } = await voucherWorld();
  expect([0, 1, 2, 3].map(() => payer.takeLane())).toEqual([0, 1, 2, 3]);
  expect(payer.takeLane()).toBeUndefined();
  payer.releaseLane(2);
  expect(payer.takeLane()).toBe(2);
  const ports = { journal: journals.payer, verify, randomSeed: () => resource('seed') };
  const channel = {
    id: resource('id'),
    domain: { chainId: 'c', denom: 'd', prefix: 'p' },
    signer: librarySigner(session),
  };
  expect(() => new Payer(ports, { ...channel, keys: [], deposited: 0n, lanes: 1025 })).toThrow('1 to 1024');
  const stream = { unit: 10n, links: 5 };
  await expect(payer.sign(0, { resource: resource('x'), ceiling: 40n, stream })).rejects.toMatchObject({
    code: 'vouchers.ceiling',
  });
});

test('what has to be claimed first is what a payer can take back first', async () => {
  const { chain, id, payee } = await voucherWorld();
  const known = defined(chain.mirror(id), 'mirror');
  const { channel } = known.record;
  const key = { key: channel.payerAuthorizer, untilTime: 700n, untilHeight: 9n };
  const rotated = { ...channel, keyVersion: 1, previousKey: key };
  const endings = [
    { ...channel, withdrawal: { time: 900n, height: 9n } },
    channel,
    rotated,
    { ...channel, withdrawal: { time: 500n, height: 9n } },
    { ...rotated, withdrawal: { time: 600n, height: 9n } },
    { ...channel, withdrawal: { time: 800n, height: 9n } },
  ];
  for (const [number, ending] of endings.entries()) {
    const own = sha256(utf8(`channel ${number}`));
    const mirror = { ...known, lanes: [], record: { ...known.record, id: own } };
    payee.observe(mirror);
    const payer = new Payer(
      { journal: await emptyJournal(), verify, randomSeed: () => sha256(utf8('seed')) },
      {
        id: own,
        domain: { chainId: 'test-chain-1', denom: 'uopen', prefix: 'open' },
        signer: librarySigner(session),
        keys: [session.key],
        deposited: 100n,
        lanes: 1,
      },
    );
    const signed = await payer.sign(0, { resource: resource('a'), ceiling: 10n });
    expect(await payee.accept(signed, offerOf(signed))).toMatchObject({ kind: 'serve' });
    await payee.settle(own, 0, 10n);
    payee.observe({ ...mirror, record: { ...mirror.record, channel: ending } });
  }
  const order = [3, 4, 2, 5, 0].map((number) => sha256(utf8(`channel ${number}`)));
  expect(payee.urgent()).toEqual(order);
  expect(payee.claims(payee.urgent()).map(({ voucher }) => voucher.channelId)).toEqual(order);
});
