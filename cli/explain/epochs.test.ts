import { expect, test } from 'vitest';
import type {
  Bundle,
  DerivedAllocation,
  DerivedClaimPayout,
  EpochPart,
  Run,
} from '../../client/verifier/types.ts';
import { bundleText, Refused, verifyBundle } from '../../client/verifier/verify-payout.ts';
import { toHex } from '../../core/bytes.ts';
import { openRun } from '../../gateway/epochs/published.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Explained } from './collect.ts';
import { claimEntitlement, type EpochScene, playEpoch } from './testing/epoch-scene.ts';
import type { EpochSource } from './epochs.ts';
import { explain } from './run.ts';
import { reportText } from './report.ts';
import { claim, explainOne } from './testing/scenes.ts';
import { difference, variants } from './testing/variants.ts';

const SCALE = 1n << 64n;

function payoutOf({ derived }: Explained): DerivedClaimPayout {
  const [payout] = derived;
  if (payout?.kind !== 'claim') throw new RangeError('no claim');
  return payout;
}

function explainClaim({ chain, world }: EpochScene, source: EpochSource | undefined): Promise<Explained> {
  return explainOne(chain, { kind: 'tx', hash: claim(chain, world.loop.first, { slots: [0n] }) }, source);
}

const allocationsOf = (payout: DerivedClaimPayout): readonly DerivedAllocation[] =>
  payout.credits.flatMap(({ epoch }) => epoch?.shown ?? []);

test('what an epoch paid is explained by the receipts behind its rows, down to the quoted spans', async () => {
  const scene = playEpoch(100);
  const explained = await explainClaim(scene, scene.source);
  const payout = payoutOf(explained);
  const earned = payout.credits.reduce((sum, { share }) => sum + share, 0n);
  expect(payout.carried + earned).toBe(payout.amount * SCALE + payout.left);
  const epochs = payout.credits.flatMap(({ epoch }) => epoch ?? []);
  // Its own position of the log, and the Datanet as a whole for what is nobody's.
  expect(epochs.map(({ id, row, count, shown }) => [id, row, count === shown.length])).toEqual([
    [1n, 1, true],
    [1n, 3, true],
  ]);
  for (const { shown, amount } of epochs)
    expect(shown.reduce((sum, each) => sum + each.amount, 0n)).toBe(amount);
  const named = allocationsOf(payout).filter((each) => each.claim !== null);
  expect(named.length).toBeGreaterThan(2);
  expect(named[0]?.claim?.quotes.map(({ length }) => length)).toEqual([100, 50]);
  expect(reportText({ explained: [explained], received: [] }, { proofs: undefined })).toMatch(
    /epoch 1 of gateway open1\w+, row 1: \d+uopen/,
  );
});

test('rows that an epoch does not list are explained by their entitlements', async () => {
  const scene = playEpoch(1);
  const { leaves } = scene.published.entitlements.tree;
  for (let index = 0; index < leaves; index++) claimEntitlement(scene, index);
  const { first, second, seller } = scene.world.loop;
  const explained = [
    await explainClaim(scene, scene.source),
    await explainOne(
      scene.chain,
      { kind: 'tx', hash: claim(scene.chain, second, { slots: [1n] }) },
      scene.source,
    ),
    await explainOne(
      scene.chain,
      { kind: 'tx', hash: claim(scene.chain, seller, { kind: PoolKind.POOL_KIND_MODEL, slots: [0n] }) },
      scene.source,
    ),
  ];
  const rows = explained.map((each) => payoutOf(each).credits.flatMap(({ epoch }) => epoch?.row ?? []));
  expect(rows).toEqual([[1, 3], [2, 3], [0]]);
  expect(payoutOf(explained[0] ?? (await explainClaim(scene, undefined))).owner).toBe(first.address);
});

test('without its gateway an epoch is explained up to its row; an entitlement is not', async () => {
  const listed = payoutOf(await explainClaim(playEpoch(100), undefined));
  const epochs = listed.credits.flatMap(({ epoch }) => epoch ?? []);
  expect(epochs.map(({ shown }) => shown.length)).toEqual([0, 0]);
  expect(epochs.every(({ count }) => count > 0)).toBe(true);
  const scene = playEpoch(1);
  claimEntitlement(scene, 0);
  await expect(explainClaim(scene, undefined)).rejects.toThrow('is an entitlement: name its --gateway');
});

test('a few receipts of a row are shown where there are more', async () => {
  const { chain, world, source } = playEpoch(100);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  const { explained } = await explain(chain, { subject: { kind: 'tx', hash }, receiptsMax: 2 }, source);
  const [few] = explained;
  if (few === undefined) throw new RangeError('nothing is explained');
  const [epoch] = payoutOf(few).credits.flatMap((credit) => credit.epoch ?? []);
  expect([epoch?.shown.length, (epoch?.count ?? 0) > 2]).toEqual([2, true]);
  expect(reportText({ explained: [few], received: [] }, { proofs: undefined })).toMatch(
    /\d more receipts are not shown/,
  );
});

test('a gateway that serves something else explains nothing', async () => {
  const scene = playEpoch(100);
  const hash = claim(scene.chain, scene.world.loop.first, { slots: [0n] });
  const asked = (change: EpochSource) => explainOne(scene.chain, { kind: 'tx', hash }, change);
  const flipped: EpochSource = async (route) =>
    (await scene.source(route))?.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
  await expect(asked(flipped)).rejects.toThrow(Refused);
  await expect(asked(() => Promise.resolve(undefined))).rejects.toThrow('does not serve allocations');
  const without: EpochSource = async (route) =>
    route.kind === 'attribution' ? undefined : scene.source(route);
  await expect(asked(without)).rejects.toThrow('is not shown');
});

test('an entitlement that a row does not need is refused', async () => {
  const withEntitlements = async (scene: EpochScene, entitlements: EpochPart['entitlements']) => {
    const { text, trusted } = await explainClaim(scene, scene.source);
    const bundle: Bundle = JSON.parse(text);
    const epochs = bundle.epochs.map((part) => ({ ...part, entitlements }));
    return () => verifyBundle(bundleText({ ...bundle, epochs }), trusted);
  };
  const none = { from: 0, leaves: [], siblings: '' };
  expect(await withEntitlements(playEpoch(100), [none])).toThrow('an opening is of no leaf');
  const scene = playEpoch(1);
  claimEntitlement(scene, 0);
  const { leaves, siblings } = openRun(scene.published.entitlements, { first: 0, end: 2 });
  const two = { from: 0, leaves: leaves.map(toHex), siblings: toHex(siblings) };
  expect(await withEntitlements(scene, [two])).toThrow('an entitlement too many');
  // Row 1 is listed, row 3 the second entitlement: both have what leads to the first two.
  const mixed = playEpoch(2);
  claimEntitlement(mixed, 0);
  claimEntitlement(mixed, 1);
  const run = openRun(mixed.published.entitlements, { first: 0, end: 2 });
  const both = { from: 0, leaves: run.leaves.map(toHex), siblings: toHex(run.siblings) };
  expect(await withEntitlements(mixed, [both])).toThrow('an entitlement too many');
});

test('an opening ends with its tree', async () => {
  const scene = playEpoch(1);
  claimEntitlement(scene, 0);
  const { text, trusted } = await explainClaim(scene, scene.source);
  const end = scene.published.entitlements.tree.leaves;
  const all = openRun(scene.published.entitlements, { first: 0, end }).leaves.map(toHex);
  const beyond = { from: 0, leaves: [...all, ...all.slice(0, 1)], siblings: '' };
  const bundle: Bundle = JSON.parse(text);
  const epochs = bundle.epochs.map((part) => ({ ...part, entitlements: [beyond] }));
  const other = bundleText({ ...bundle, epochs });
  expect(() => verifyBundle(other, trusted)).toThrow('an opening is of no leaf');
});

test('a sum that does not fit its bytes is none', async () => {
  const scene = playEpoch(100);
  const { text, trusted } = await explainClaim(scene, scene.source);
  const bundle: Bundle = JSON.parse(text);
  const most = (run: Run): Run => ({ ...run, siblings: run.siblings.replace(/.{16}$/, 'f'.repeat(16)) });
  const epochs = bundle.epochs.map((part) => ({ ...part, allocations: part.allocations.map(most) }));
  const other = bundleText({ ...bundle, epochs });
  expect(() => verifyBundle(other, trusted)).toThrow('a number does not fit 8 bytes');
});

test('any changed field of what an epoch shows is refused', async () => {
  const scene = playEpoch(2);
  claimEntitlement(scene, 0);
  claimEntitlement(scene, 1);
  const { text, trusted } = await explainClaim(scene, scene.source);
  const { states: _, ...rest } = JSON.parse(text);
  let tried = 0;
  for (const other of variants(rest)) {
    const changed = `${JSON.stringify({ ...JSON.parse(text), ...Object(other) }, undefined, 1)}\n`;
    if (changed === text) continue;
    expect(() => verifyBundle(changed, trusted), difference(changed, text)).toThrow(Refused);
    tried++;
  }
  expect(tried).toBeGreaterThan(150);
});
