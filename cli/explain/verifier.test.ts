/** The verifier against bundles that were changed: a bundle is right as it is, or refused. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bundle } from '../../client/verifier/types.ts';
import { bundleText, Refused, verifyBundle } from '../../client/verifier/verify-payout.ts';
import { collect, type Explained } from './collect.ts';
import { bothQuotes, claim, claimScene, explainOne, pay, playScene } from './testing/scenes.ts';
import { difference, variants } from './testing/variants.ts';

const VERIFIER = new URL('../../client/verifier/verify-payout.ts', import.meta.url).pathname;
const DIGITS = '0123456789abcdef';

let made: Promise<Explained> | undefined;
const scene = (): Promise<Explained> => (made ??= claimScene());

function isRefused(text: string, { trusted }: Explained): boolean {
  try {
    verifyBundle(text, trusted);
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

test('any changed character is refused', async () => {
  const explained = await scene();
  const { text } = explained;
  expect(isRefused(text, explained)).toBe(false);
  const at = fc.nat({ max: text.length - 1 });
  fc.assert(
    fc.property(at, fc.constantFrom(...DIGITS, '"', ',', ' ', '\n', ''), (i, character) => {
      fc.pre(text[i] !== character);
      return isRefused(text.slice(0, i) + character + text.slice(i + 1), explained);
    }),
    { numRuns: 1_500 },
  );
});

test('any field that is changed, left out, repeated or moved is refused', async () => {
  const explained = await scene();
  const bundle: Bundle = JSON.parse(explained.text);
  let tried = 0;
  for (const [i, other] of [...variants(bundle)].entries()) {
    const text = `${JSON.stringify(other, undefined, 1)}\n`;
    // A few of the thousand of steps up the trees are like all of them.
    if (text === explained.text || (i % 3 !== 0 && i > 500)) continue;
    expect(isRefused(text, explained), difference(text, explained.text)).toBe(true);
    tried++;
  }
  expect(tried).toBeGreaterThan(500);
});

test('a header and a store that nothing rests on are refused', async () => {
  const scene = playScene();
  const { chain } = scene;
  pay(scene, bothQuotes(scene));
  for (let i = 0; i < 2; i++) chain.block();
  const receipt = { kind: 'receipt', receipt: '1', pool: [], slot: '', denom: '', credits: [] } as const;
  const at = (height: bigint): Promise<Explained> =>
    collect(chain, { targets: [receipt], height, epochs: [], attributions: [] });
  const { text, trusted } = await at(chain.height - 1n);
  const bundle: Bundle = JSON.parse(text);
  const older: Bundle = JSON.parse((await at(chain.height - 2n)).text);
  const [{ header, stores } = { header: [], stores: [] }] = older.states;
  expect(() => verifyBundle(text, trusted)).not.toThrow();
  for (const idle of [[], stores.map((store) => ({ ...store, rows: [] }))]) {
    const more = bundleText({ ...bundle, states: [{ header, stores: idle }, ...bundle.states] });
    expect(() => verifyBundle(more, trusted)).toThrow('a bundle has more than it needs');
  }
});

test('bytes have one text: small digits, two of each', async () => {
  const explained = await scene();
  const [some = ''] = explained.text.match(/"[0-9a-f]{64}"/g)?.filter((each) => /[a-f]/.test(each)) ?? [];
  for (const other of [some.toUpperCase(), some.replace(/"$/, '0"')])
    expect(isRefused(explained.text.replace(some, other), explained), other).toBe(true);
});

test('what nothing rests on is refused', async () => {
  const explained = await scene();
  const bundle: Bundle = JSON.parse(explained.text);
  const more = [
    { ...bundle, claims: [...bundle.claims, 'ff'] },
    { ...bundle, attributions: ['ff'] },
    { ...bundle, epochs: [{ epoch: '1', row: 0, allocations: [], receipts: [], entitlements: [] }] },
  ];
  for (const other of more)
    expect(() => verifyBundle(bundleText(other), explained.trusted)).toThrow('more than it needs');
});

test('another block hash or height is another chain', async () => {
  const explained = await scene();
  const { height, hash } = explained.trusted;
  expect(() => verifyBundle(explained.text, { height, hash: '00'.repeat(32) })).toThrow('header of');
  expect(() => verifyBundle(explained.text, { height: height + 1n, hash })).toThrow('height');
});

test('a credit that is left out or of another slot does not make up the amount', async () => {
  const { chain, loop } = playScene();
  const quotes = bothQuotes({ loop });
  for (const spans of [quotes, quotes, []]) pay({ chain, loop }, spans);
  const hash = claim(chain, loop.first, { slots: [0n] });
  const { text, trusted } = await explainOne(chain, { kind: 'tx', hash });
  const { targets }: Bundle = JSON.parse(text);
  const [target] = targets;
  if (target === undefined) throw new RangeError('no target');
  const question = { height: trusted.height - 1n, epochs: [], attributions: [] };
  for (const i of target.credits.keys()) {
    const credits = target.credits.toSpliced(i, 1);
    const asked = collect(chain, { ...question, targets: [{ ...target, credits }] });
    await expect(asked).rejects.toThrow('credits are not what was paid');
  }
  const other = { ...target, slot: '1' };
  await expect(collect(chain, { ...question, targets: [other] })).rejects.toThrow(Refused);
});

test('it runs as it is, with nothing but its own file', async () => {
  const { text, trusted, derived } = await scene();
  const folder = mkdtempSync(join(tmpdir(), 'openledger-verify-'));
  try {
    const file = join(folder, 'bundle.json');
    const run = (content: string, hash: string) => {
      writeFileSync(file, content);
      const options = [VERIFIER, file, '--height', `${trusted.height}`, '--hash', hash];
      return spawnSync(process.execPath, options, { encoding: 'utf8' });
    };
    const right = run(text, trusted.hash);
    expect([right.status, right.stderr]).toEqual([0, '']);
    expect(JSON.parse(right.stdout)).toHaveLength(derived.length);
    const wrong = run(text.replace('"denom": "uopen"', '"denom": "uoper"'), trusted.hash);
    expect([wrong.status, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toMatch(/^refused: /);
    expect(run(text, 'abc').status).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
