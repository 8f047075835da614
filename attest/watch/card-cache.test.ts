import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import { certify } from '../influence/certificate.ts';
import type { ServedCard } from '../influence/published.ts';
import { trainHead } from '../influence/train.ts';
import { trainingSet } from '../influence/training-set.ts';
import { CardCache } from './card-cache.ts';

let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cards-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Examples that hardly differ, in thirty classes. */
function cardOf(lambda: number): ServedCard {
  const examples = Array.from({ length: 40 }, (_, i) => ({
    features: Array.from({ length: 6 }, (__, j) => 250 - ((i * 7 + j * 3) % 4)),
    label: i % 30,
    contributionId: BigInt(1 + i),
  }));
  const head = trainHead(trainingSet(examples, 30), { lambda, tolerance: 1e-9 });
  return certify(head, { datanetId: 1n, snapshotCount: 40n, extractor: new Uint8Array(32) });
}

test('right cards are kept over a restart; a file that is damaged is dropped', () => {
  const card = cardOf(2 ** 14);
  const key = toHex(cardId(card.card));
  const cache = new CardCache(home);
  expect([cache.has(key), cache.open(key)]).toEqual([false, undefined]);
  cache.put(card);
  const again = new CardCache(home);
  expect(again.has(key)).toBe(true);
  expect(again.open(key)?.served.card).toEqual(card.card);
  expect(again.open(key)?.factors).toBeDefined();
  writeFileSync(join(home, 'cards', key), 'damaged');
  const third = new CardCache(home);
  expect([third.open(key), third.has(key)]).toEqual([undefined, false]);
});

test('a card whose Hessian has no inverse can be opened, without a means to ask it', () => {
  const card = cardOf(128);
  const cache = new CardCache(home);
  cache.put(card);
  const opened = cache.open(toHex(cardId(card.card)));
  expect(opened?.served.card.lambda).toBe(128);
  expect(opened?.factors).toBeUndefined();
});
