import { expect, test } from 'vitest';
import {
  decodeAbsence,
  encodeAbsence,
  verifyAbsence,
} from '../../modules/attribution/proof/influence/absence.ts';
import { certify } from './certificate.ts';
import { proveAbsence, removeContributions } from './remove.ts';
import { headOf, trainHead } from './train.ts';
import { trainingSet } from './training-set.ts';

const examples = Array.from({ length: 240 }, (_, i) => ({
  features: [((i * 37) % 97) + (i % 3 === 1 ? 90 : 0), ((i * 53) % 89) + (i % 3 === 2 ? 110 : 0)],
  label: i % 3,
  contributionId: BigInt(10 + 2 * Math.floor(i / 6)),
}));
const options = { datanetId: 1n, snapshotCount: 1_000n, extractor: new Uint8Array(32) };
const lambda = 2 ** 15;
const removed = new Set([10n, 40n, 88n]);

test('one Newton step without a contributor ends near where training without him does', () => {
  const head = trainHead(trainingSet(examples, 3), { lambda, tolerance: 1e-8 });
  const after = removeContributions(head, removed);
  const trained = trainHead(after.set, { lambda, tolerance: 1e-8 });
  const distance = (a: Float64Array, b: Float64Array): number =>
    Math.sqrt(a.reduce((sum, value, c) => sum + ((value - (b[c] ?? 0)) / 2 ** 20) ** 2, 0));
  const untouched = headOf(after.set, after.rows, { lambda, weights: head.weights });
  const bound = certify(after, options).card.gradientBound;
  expect(bound).toBeLessThan(certify(untouched, options).card.gradientBound / 20);
  expect(distance(after.weights, trained.weights)).toBeLessThan(
    0.1 * distance(head.weights, trained.weights),
  );
});

test('a card without a contribution proves that it is without it, and no other does', () => {
  const head = trainHead(trainingSet(examples, 3), { lambda });
  const before = certify(head, options);
  const after = certify(removeContributions(head, removed), options);
  for (const id of [...removed, 1n, 11n, 500n]) {
    const absence = proveAbsence(after, id);
    const bytes = encodeAbsence(absence);
    expect(verifyAbsence(after.card, id, decodeAbsence(after.card, bytes))).toBe(true);
    expect(verifyAbsence(before.card, id, absence)).toBe(false);
    expect(verifyAbsence(after.card, id, decodeAbsence(after.card, Uint8Array.from([...bytes, 0])))).toBe(
      false,
    );
    expect(verifyAbsence(after.card, id, { ...absence, place: absence.place + 1 })).toBe(false);
  }
  for (const id of [12n, 86n]) {
    expect(verifyAbsence(after.card, id, proveAbsence(after, id))).toBe(false);
  }
});
