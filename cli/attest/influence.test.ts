/** `openledgerd attest influence`, from examples to the message that convicts a wrong card. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { decodeServedCard, encodeServedCard } from '../../attest/influence/served-file.ts';
import { servedTree } from '../../attest/influence/published.ts';
import { fromBase64, fromHex } from '../../core/bytes.ts';
import { decodeAbsence, verifyAbsence } from '../../modules/attribution/proof/influence/absence.ts';
import { decodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { verifyCardFraud } from '../../modules/attribution/proof/influence/card-fraud.ts';
import { checkClaim, decodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { decodeExample } from '../../modules/attribution/proof/influence/leaves.ts';
import { decodeCardFraud } from '../../modules/attribution/proof/influence/fraud.ts';
import { createProgram } from '../program.ts';

const folder = mkdtempSync(join(tmpdir(), 'influence-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

async function run(...args: readonly string[]): Promise<string> {
  let out = '';
  const program = createProgram({
    out: (text) => {
      out += text;
    },
    note: () => undefined,
    interactive: false,
    ask: async () => '',
  });
  await program.parseAsync(['node', 'openledgerd', 'attest', 'influence', ...args]);
  return out;
}

const trainArgs = [
  ...['train', '--examples', path('examples.jsonl'), '--classes', '3', '--datanet', '4', '--snapshot', '100'],
  ...['--out', path('card'), '--json'],
];

test('a head is trained, asked and verified; a wrong card is convicted', async () => {
  const examples = Array.from({ length: 60 }, (_, i) => ({
    contribution: i % 2 === 0 ? 1 + Math.floor(i / 6) : `${1 + Math.floor(i / 6)}`,
    label: i % 3,
    features: [((i * 37) % 97) + (i % 3 === 1 ? 90 : 0), ((i * 53) % 89) + (i % 3 === 2 ? 110 : 0)],
  }));
  writeFileSync(path('examples.jsonl'), examples.map((example) => JSON.stringify(example)).join('\n'));
  const trained = JSON.parse(await run(...trainArgs));
  const card = decodeCard(fromBase64(trained.card));
  expect(card).toMatchObject({ features: 3, classes: 3, examples: 60, groups: 10, datanetId: 4n });
  expect(trained.gradientBound).toBeLessThan(1e-5);
  expect(await run('verify', '--card', path('card'))).toBe('the card is right\n');
  await expect(run('verify', '--card', path('examples.jsonl'))).rejects.toThrow(
    `--card ${path('examples.jsonl')} is no model card as`,
  );
  const few = trainArgs.map((arg) => (arg === '3' ? '2' : arg));
  await expect(run(...few)).rejects.toThrow(
    'line 3 of the examples: label is 2; 2 classes have labels 0 to 1',
  );

  const asked = ['query', '--card', path('card'), '--features', '[130, 40]', '--out', path('claim')];
  const answered = JSON.parse(await run(...asked, '--json'));
  expect(answered.answer).toBe(1);
  checkClaim(card, decodeClaim(fromBase64(answered.claim)));
  const shares: readonly { readonly share: number }[] = answered.shares;
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(await run(...asked)).toMatch(/contribution \d+: [\d.]+ %\n/);
  expect(await run(...asked)).not.toContain('Datanet');
  const sources = examples.map(({ contribution }) =>
    JSON.stringify({
      contribution,
      contributor: Number(contribution) % 2 === 0 ? 'even' : 'odd',
      datanet: 4,
    }),
  );
  writeFileSync(path('whose.jsonl'), sources.join('\n'));
  const summed = JSON.parse(await run(...asked, '--json', '--sources', path('whose.jsonl')));
  expect(summed.shares).toEqual(answered.shares);
  const partOf = (parity: number): number =>
    summed.shares.reduce(
      (sum: number, one: { readonly contribution: string; readonly share: number }) =>
        Number(one.contribution) % 2 === parity ? sum + one.share : sum,
      0,
    );
  const parts: readonly { readonly id: string; readonly share: number }[] = summed.contributors;
  expect(new Set(parts.map(({ id }) => id))).toEqual(new Set(['even', 'odd']));
  for (const { id, share } of parts) expect(share).toBeCloseTo(partOf(id === 'even' ? 0 : 1), 12);
  expect(summed.datanets).toEqual([{ id: '4', share: 1 }]);
  expect(summed.unlisted).toBe(0);
  expect(await run(...asked, '--sources', path('whose.jsonl'))).toMatch(/contributor even: [\d.]+ %\n/);
  writeFileSync(path('whose.jsonl'), sources[0] ?? '');
  await expect(run(...asked, '--sources', path('whose.jsonl'))).rejects.toThrow('does not say whose');
  expect(await run('verify', '--card', path('card'), '--claim', path('claim'))).toBe('the claim is right\n');

  const served = decodeServedCard(readFileSync(path('card')));
  writeFileSync(path('short'), encodeServedCard({ ...served, card: { ...served.card, topGroups: 1 } }));
  const short = ['query', '--card', path('short'), '--features', '[130, 40]'];
  const { shares: one, unlisted } = JSON.parse(await run(...short, '--json'));
  expect(one).toEqual(answered.shares.slice(0, 1));
  expect(unlisted).toBeCloseTo(1 - one[0].share, 12);
  expect(await run(...short)).toMatch(/not listed: [\d.]+ %\n$/);
  const weights = servedTree('weights', served.weights.leaves.toReversed());
  const wrong = {
    ...served,
    weights,
    card: { ...served.card, roots: { ...served.card.roots, weights: weights.tree.root } },
  };
  writeFileSync(path('wrong'), encodeServedCard(wrong));
  await expect(run('verify', '--card', path('wrong'), '--fraud', path('fraud'))).rejects.toThrow(
    'rule logit at 0',
  );
  verifyCardFraud(wrong.card, decodeCardFraud(readFileSync(path('fraud'))), { holds: () => true });
});

test('contributions are taken out of a head; its card is right, and proves that they are out', async () => {
  const out = ['--out', path('after'), '--absences', path('absences.jsonl')];
  const remove = ['remove', '--card', path('card'), '--contribution'];
  const report = JSON.parse(await run(...remove, '3', '7', ...out, '--json'));
  const after = decodeCard(fromBase64(report.card));
  expect(after).toMatchObject({ examples: 48, groups: 8, datanetId: 4n, snapshotCount: 100n });
  expect(await run('verify', '--card', path('after'))).toBe('the card is right\n');
  const absences = readFileSync(path('absences.jsonl'), 'utf8').trim().split('\n');
  expect(absences).toHaveLength(2);
  for (const line of absences) {
    const { contribution, proof } = JSON.parse(line);
    const absence = decodeAbsence(after, fromBase64(proof));
    expect(verifyAbsence(after, BigInt(contribution), absence)).toBe(true);
    expect(verifyAbsence(after, 4n, absence)).toBe(false);
  }
  expect(await run(...remove, '3', ...out)).toMatch(/examples: 54\n.*distanceToOptimum: /s);
  await expect(run(...remove, '11', ...out)).rejects.toThrow('the card has no example of contribution 11');
  await expect(run(...remove, 'x', ...out)).rejects.toThrow('--contribution is "x"');
  const all = Array.from({ length: 10 }, (_, i) => `${1 + i}`);
  await expect(run(...remove, ...all, ...out)).rejects.toThrow('names all that the card has');
});

test('examples are worth what they add to neighbours, by contribution, contributor and Datanet', async () => {
  const line = (contribution: number | undefined, label: number, at: number): string =>
    JSON.stringify({ contribution, label, features: [at, 0] });
  const withOffsets = (text: string): string => JSON.stringify({ ...JSON.parse(text), offsets: [1, 2, 3] });
  // Two right ones beside the query, a wrong one beside it too, one that is far away and right.
  const examples = [line(1, 0, 10), line(1, 0, 11), line(2, 1, 12), line(3, 0, 200)];
  writeFileSync(path('few.jsonl'), examples.join('\n'));
  writeFileSync(path('queries.jsonl'), line(undefined, 0, 10));
  const source = (contribution: number, contributor: string) =>
    JSON.stringify({ contribution, contributor, datanet: contribution < 3 ? 4 : '5' });
  writeFileSync(path('sources.jsonl'), [source(1, 'a'), source(2, 'b'), source(3, 'a')].join('\n'));
  const files = ['--examples', path('few.jsonl'), '--queries', path('queries.jsonl'), '--neighbours', '2'];
  const asked = ['shapley', ...files, '--sources', path('sources.jsonl')];
  const report = JSON.parse(await run(...asked, '--json'));
  expect(report).toMatchObject({ neighbours: 2, examples: 4, queries: 1 });
  // In twelfths, from all 24 orders in which the four may come.
  const worth = (list: readonly { readonly id: string; readonly accuracy: number }[]) =>
    Object.fromEntries(list.map(({ id, accuracy }) => [id, Number((12 * accuracy).toFixed(6))]));
  const { contributions, contributors, datanets } = report;
  expect(worth(contributions)).toEqual({ 1: 10, 2: -1, 3: 3 });
  expect(worth(contributors)).toEqual({ a: 13, b: -1 });
  expect(worth(datanets)).toEqual({ 4: 9, 5: 3 });
  expect(await run(...asked)).toContain('contribution 1: ');
  // Examples of an adapter: neighbours do not look at its offsets.
  writeFileSync(path('few.jsonl'), examples.map(withOffsets).join('\n'));
  expect(JSON.parse(await run(...asked, '--json'))).toEqual(report);
  expect(await run('shapley', ...files)).not.toContain('Datanet');
  const refused: readonly (readonly [readonly string[], string])[] = [
    [[...files, '--sources', path('few.jsonl')], 'line 1 of --sources is not like'],
    [[...files, '--sources', path('sources.jsonl'), '--node', 'http://a'], 'name one'],
    [[...files, '--neighbours', '0'], '--neighbours must be a whole number from 1'],
    [['--examples', path('queries.jsonl'), '--queries', path('few.jsonl')], 'contribution is no id'],
  ];
  for (const [args, words] of refused) await expect(run('shapley', ...args)).rejects.toThrow(words);
  writeFileSync(path('sources.jsonl'), source(1, 'a'));
  await expect(run(...asked)).rejects.toThrow('does not say whose contribution 2 is');
  writeFileSync(path('queries.jsonl'), JSON.stringify({ label: 0, features: [1] }));
  await expect(run('shapley', ...files)).rejects.toThrow('of other features than the examples: 2 are needed');
  writeFileSync(path('queries.jsonl'), `${line(undefined, 0, 10)}\n`.repeat(4097));
  await expect(run('shapley', ...files)).rejects.toThrow('4097 queries, at most 4096');
});

const BASE = 'ab'.repeat(32);
const adapterArgs = trainArgs.map((arg) => (arg.endsWith('examples.jsonl') ? path('adapter.jsonl') : arg));

/** Sixty examples that a base model is not sure of. */
function writeAdapterExamples(
  change: (i: number, offsets: number[]) => unknown = (_, offsets) => offsets,
): void {
  const lines = Array.from({ length: 60 }, (_, i) => ({
    contribution: 1 + Math.floor(i / 6),
    label: i % 3,
    features: [((i * 37) % 97) + (i % 3 === 1 ? 90 : 0), ((i * 53) % 89) + (i % 3 === 2 ? 110 : 0)],
    offsets: change(i, [0.5 * (i % 2), -1.25, 2 ** -24 * i]),
  }));
  writeFileSync(path('adapter.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
}

test('an adapter is trained, asked and verified; one with another offset is convicted', async () => {
  writeAdapterExamples();
  const trained = JSON.parse(await run(...adapterArgs, '--base', BASE));
  const card = decodeCard(fromBase64(trained.card));
  expect(trained.kind).toBe('adapter');
  expect(card).toMatchObject({ kind: 'adapter', features: 3, classes: 3, base: fromHex(BASE) });
  expect(await run('verify', '--card', path('card'))).toBe('the card is right\n');
  const served = decodeServedCard(readFileSync(path('card')));
  const first = decodeExample(served.examples.leaves[1] ?? new Uint8Array(0), card);
  expect(first?.offsets).toEqual([2 ** 23, -1.25 * 2 ** 24, 1]);

  const asked = ['query', '--card', path('card'), '--features', '[60, 40]', '--json', '--out', path('claim')];
  expect(JSON.parse(await run(...asked, '--offsets', '[20, 0, 0]')).answer).toBe(0);
  const pushed = JSON.parse(await run(...asked, '--offsets', '[-20, 20, 0]'));
  expect(pushed.answer).toBe(1);
  checkClaim(card, decodeClaim(fromBase64(pushed.claim)));
  expect(await run('verify', '--card', path('card'), '--claim', path('claim'))).toBe('the claim is right\n');

  const examples = served.examples.leaves.map((leaf, i) =>
    i === 7 ? leaf.with(-1, (leaf.at(-1) ?? 0) ^ 1) : leaf,
  );
  const tree = servedTree('examples', examples);
  const roots = { ...card.roots, examples: tree.tree.root };
  writeFileSync(path('wrong'), encodeServedCard({ ...served, examples: tree, card: { ...card, roots } }));
  await expect(run('verify', '--card', path('wrong'))).rejects.toThrow('rule logit at 7, coordinate 2');
});

test('what is wrong with offsets is said', async () => {
  writeAdapterExamples();
  await expect(run(...adapterArgs)).rejects.toThrow('--base must name the model');
  await expect(run(...adapterArgs, '--base', 'ab')).rejects.toThrow('--base must be 64 hexadecimal digits');
  await run(...adapterArgs, '--base', BASE);
  const asked = ['query', '--card', path('card'), '--features', '[1, 2]'];
  await expect(run(...asked)).rejects.toThrow('--offsets must be 3 logits');
  await expect(run(...asked, '--offsets', '[1, 2]')).rejects.toThrow('--offsets must be 3 logits');
  await expect(run(...asked, '--offsets', '[1, 2, 128]')).rejects.toThrow(
    '--offsets must be 3 logits from -128 to below 128',
  );
  await expect(run(...asked, '--offsets', '[1, 2')).rejects.toThrow('--offsets is no JSON');
  const refused: readonly (readonly [(i: number, offsets: number[]) => unknown, string])[] = [
    [(i, offsets) => (i === 4 ? undefined : offsets), 'entry 5 has other offsets than the first: 3'],
    [(i, offsets) => (i === 0 ? undefined : offsets), 'entry 2 has other offsets than the first: 0'],
    [(i, offsets) => (i === 4 ? [...offsets, 1] : offsets), 'entry 5 has other offsets than the first: 3'],
    [(_, offsets) => [...offsets, 1], 'examples have 4 offsets; 3 classes need as many'],
    [(_, [a]) => [a, 'x', 1], 'line 1 of the examples: offsets are no logits'],
    [(_, [a]) => [a, 128, 1], 'line 1 of the examples: offsets are no logits'],
    [(_, [a]) => [a, -128.1, 1], 'line 1 of the examples: offsets are no logits'],
    [() => [], 'line 1 of the examples: offsets are no logits'],
    [() => 'AAAA', 'line 1 of the examples: offsets are no logits'],
  ];
  for (const [change, words] of refused) {
    writeAdapterExamples(change);
    await expect(run(...adapterArgs, '--base', BASE), words).rejects.toThrow(words);
  }
  writeAdapterExamples(() => undefined);
  await expect(run(...adapterArgs, '--base', BASE)).rejects.toThrow('the examples have no offsets');
  await run(...adapterArgs);
  await expect(run(...asked, '--offsets', '[1, 2, 3]')).rejects.toThrow('a head takes no --offsets');
});

test('what is wrong is said', async () => {
  writeFileSync(path('bad.jsonl'), '{"contribution": 1, "label": 0, "features": [1, 300]}');
  const bad = trainArgs.map((arg) => (arg === path('examples.jsonl') ? path('bad.jsonl') : arg));
  await expect(run(...bad)).rejects.toThrow('line 1 of the examples: features are no bytes');
  await expect(run(...trainArgs, '--lambda', '2')).rejects.toThrow('--lambda');
  await expect(run('verify', '--card', path('examples.jsonl'))).rejects.toThrow(
    'does not begin with olcard01',
  );
  await run(...trainArgs);
  await expect(run('query', '--card', path('card'), '--features', '[1]')).rejects.toThrow('must be 2 bytes');
  const bytes = readFileSync(path('card'));
  bytes[300] = (bytes[300] ?? 0) ^ 1;
  writeFileSync(path('damaged'), bytes);
  await expect(run('verify', '--card', path('damaged'))).rejects.toThrow('not those that are committed to');
});
