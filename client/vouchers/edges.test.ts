/** Nothing goes on before it is on the disk; and where bounds of vouchers are, to the unit. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defined } from '../../core/errors.ts';
import { hashChainOf } from '../../modules/channels/format/hash-chain.ts';
import { librarySigner } from '../../test/channels/parties.ts';
import {
  emptyJournal,
  offerOf,
  resource,
  session,
  verify,
  voucherWorld,
} from '../../test/support/voucher-world.ts';
import { Payer } from './payer.ts';
import { type SignedVoucher, signVoucher } from './signatures.ts';

const DOMAIN = { chainId: 'test-chain-1', denom: 'uopen', prefix: 'open' };

/** A disk that can be made to wait. */
class HeldDisk {
  #isHeld = false;
  #release: () => void = () => undefined;
  #onAsked: () => void = () => undefined;

  readonly sync = async (): Promise<void> => {
    if (!this.#isHeld) return;
    const released = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    this.#onAsked();
    await released;
  };

  /** Begins a step: true when it waits for the disk; its result. */
  async during<T>(step: () => Promise<T>): Promise<readonly [isWaiting: boolean, result: T]> {
    this.#isHeld = true;
    const asked = new Promise<void>((resolve) => {
      this.#onAsked = resolve;
    });
    let isWaiting = true;
    const result = step().finally(() => {
      isWaiting = false;
    });
    await asked;
    await setImmediate();
    const waited = isWaiting;
    this.#isHeld = false;
    this.#release();
    return [waited, await result];
  }
}

test('no step of either party goes on before what it wrote is on the disk', async () => {
  const disk = new HeldDisk();
  const { payer, payee, id, chain } = await voucherWorld({ sync: disk.sync });
  const request = { resource: resource('s'), ceiling: 20n, stream: { unit: 2n, links: 10 } };
  const [isSigned, signed] = await disk.during(() => payer.sign(0, request));
  const [isAccepted] = await disk.during(() => payee.accept(signed, offerOf(signed)));
  const preimage = defined(payer.links(0)[0], 'link');
  const [isLinked] = await disk.during(() => payee.link(id, 0, { preimage }));
  const [isSettled] = await disk.during(() => payee.settle(id, 0, 2n));
  const [isAnswered] = await disk.during(() => payer.answered(signed, 2n));
  const next = await payer.sign(0, { resource: resource('n'), ceiling: 20n });
  const lane = { charged: 2n, last: signed, linkIndex: 1 };
  const [isCorrected] = await disk.during(() => payer.corrected(next, lane));
  const closeBefore = chain.block.time.seconds + 15n;
  const agreement = { channelId: id, keyVersion: 0, total: 2n, closeBefore };
  const [isClosing] = await disk.during(() => payee.consent(agreement, librarySigner(session)));
  expect({ isSigned, isAccepted, isLinked, isSettled, isAnswered, isCorrected, isClosing }).toEqual({
    ...{ isSigned: true, isAccepted: true, isLinked: true, isSettled: true },
    ...{ isAnswered: true, isCorrected: true, isClosing: true },
  });
});

const reasonOf = (acceptance: object): unknown =>
  'reason' in acceptance ? acceptance.reason : Object(acceptance).kind;

test('what is known of the chain may be as old as it may be, no older', async () => {
  const { payer, payee, id, chain } = await voucherWorld();
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  chain.tick(20);
  expect(reasonOf(await payee.accept(signed, offerOf(signed)))).toBe('serve');
  payee.abandon(id, 0);
  chain.tick(1);
  expect(reasonOf(await payee.accept(signed, offerOf(signed)))).toBe('stale_chain_state');
});

test.each([
  ['unclaimedMax', 'claim_first'],
  ['deposit', 'deposit_exceeded'],
])('all that lanes may be charged together stays within %s, to the unit', async (bound, reason) => {
  const { payer, payee, id } = await voucherWorld({ [bound]: 40n });
  // A payer that thinks, or says, that it has more.
  payer.update({ deposited: 1_000n });
  const sign = (lane: number, ceiling: bigint): Promise<SignedVoucher> =>
    payer.sign(lane, { resource: resource(`${lane}`), ceiling });
  const [open, fits, above] = [await sign(0, 30n), await sign(1, 10n), await sign(2, 1n)];
  expect(reasonOf(await payee.accept(open, offerOf(open)))).toBe('serve');
  // A request that is not over may still be charged for whole.
  expect(reasonOf(await payee.accept(fits, offerOf(fits)))).toBe('serve');
  expect(reasonOf(await payee.accept(above, offerOf(above)))).toBe(reason);
  await payee.settle(id, 0, 29n);
  expect(reasonOf(await payee.accept(above, offerOf(above)))).toBe('serve');
});

test('a payer signs for its deposit, and for no unit more', async () => {
  const { payer } = await voucherWorld({ deposit: 50n });
  await payer.sign(0, { resource: resource('a'), ceiling: 50n });
  await expect(payer.sign(1, { resource: resource('b'), ceiling: 1n })).rejects.toMatchObject({
    code: 'vouchers.deposit',
  });
});

test('a shorter consent after a longer one opens the channel no sooner', async () => {
  const { payer, payee, id, chain, observe } = await voucherWorld();
  const begun = chain.block.time.seconds;
  for (const time of [30n, 15n])
    await payee.consent(
      { channelId: id, keyVersion: 0, total: 0n, closeBefore: begun + time },
      librarySigner(session),
    );
  const signed = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  chain.tick(29);
  observe();
  expect(reasonOf(await payee.accept(signed, offerOf(signed)))).toBe('channel_closing');
  chain.tick(1);
  observe();
  expect(reasonOf(await payee.accept(signed, offerOf(signed)))).toBe('serve');
});

test('a hash chain that is longer than the voucher says pays for no more links', async () => {
  const { payee, id } = await voucherWorld();
  const chain = hashChainOf(resource('seed'), 11);
  const [root, tenth, eleventh] = [0, 10, 11].map((index) => defined(chain[index], 'link'));
  const hashChain = { root: defined(root, 'root'), unit: 2n, links: 10 };
  const voucher = {
    ...{ channelId: id, lane: 0, keyVersion: 0, cumulative: 0n, ceiling: 20n },
    ...{ resource: resource('s'), hashChain },
  };
  const signed = await signVoucher(voucher, DOMAIN, librarySigner(session));
  expect(reasonOf(await payee.accept(signed, offerOf(signed)))).toBe('serve');
  expect(await payee.link(id, 0, { preimage: defined(eleventh, 'link'), index: 11 })).toBeUndefined();
  expect(await payee.link(id, 0, { preimage: defined(tenth, 'link'), index: 10 })).toBe(10);
});

test('a link pays for what is due, begun units whole, beyond what the voucher pays by itself', async () => {
  const { payer } = await voucherWorld();
  await payer.sign(0, { resource: resource('s'), ceiling: 25n, stream: { unit: 2n, links: 10 } });
  const links = [0n, 5n, 6n, 7n, 8n, 25n].map((due) => payer.linkFor(0, due)?.index);
  expect(links).toEqual([undefined, undefined, 1, 1, 2, 10]);
  expect(() => payer.linkFor(0, 26n)).toThrow('26 is due');
});

test('what a payee says was charged is proved by a voucher of that very lane', async () => {
  const { payer } = await voucherWorld();
  const other = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  const signed = await payer.sign(1, { resource: resource('b'), ceiling: 30n });
  const said = { charged: 12n, last: other, linkIndex: 0 };
  await expect(payer.corrected(signed, said)).rejects.toMatchObject({ code: 'vouchers.overcharge' });
});

test('who has lost its journal goes on only from what it has signed for since', async () => {
  const { payer, id } = await voucherWorld();
  const before = await payer.sign(0, { resource: resource('a'), ceiling: 30n });
  const fresh = new Payer(
    { journal: await emptyJournal(), verify, randomSeed: () => resource('seed') },
    { id, domain: DOMAIN, signer: librarySigner(session), keys: [session.key], deposited: 1_000n, lanes: 4 },
  );
  const signed = await fresh.sign(0, { resource: resource('b'), ceiling: 5n });
  const said = (charged: bigint) => ({ charged, last: before, linkIndex: 0 });
  await expect(fresh.corrected(signed, said(6n))).rejects.toMatchObject({ code: 'vouchers.overcharge' });
  expect(await fresh.corrected(signed, said(5n))).toBe('sign-again');
});

test('a lane whose voucher was not answered is not taken by the next process', async () => {
  const { payer, journals, id } = await voucherWorld();
  const lane = defined(payer.takeLane(), 'lane');
  await payer.sign(lane, { resource: resource('a'), ceiling: 30n });
  payer.releaseLane(lane);
  const next = new Payer(
    { journal: journals.payer, verify, randomSeed: () => resource('seed') },
    { id, domain: DOMAIN, signer: librarySigner(session), keys: [session.key], deposited: 1_000n, lanes: 2 },
  );
  expect([next.takeLane(), next.takeLane()]).toEqual([1, undefined]);
});
