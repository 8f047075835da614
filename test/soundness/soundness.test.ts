import { expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { CORRUPTIONS } from './corruptions.ts';
import { accuseRight, convictOne, convictRoot, isUnanswerable } from './frauds.ts';
import { honestProof, judge, MUTATIONS } from './proofs.ts';
import { shardCase } from './shards.ts';

const SHARDS = 12;
const CORRUPTIONS_EACH = 50;

test('wrong shards are convicted, right ones are not', () => {
  const random = new Random(5);
  const seen = new Set<string>();
  for (let i = 0; i < SHARDS; i++) {
    const from = shardCase(random);
    expect(accuseRight(from, random)).toBeGreaterThan(0);
    seen.add(convictRoot(from, random).corruption);
    expect(isUnanswerable(from, random)).toBe(true);
    for (let j = 0; j < CORRUPTIONS_EACH; j++) {
      const conviction = convictOne(from, random);
      if (conviction !== undefined) seen.add(conviction.corruption);
    }
  }
  expect(seen.size).toBe(1 + Object.keys(CORRUPTIONS).length);
});

const MUTANTS_OF_PROOF = 40;

test('a changed proof is refused, or is the proof of something else that is true', () => {
  const random = new Random(6);
  const cases = Array.from({ length: SHARDS }, () => shardCase(random));
  const proofs = cases.flatMap((from) => Array.from({ length: 5 }, () => honestProof(from, random)));
  const names = Object.keys(MUTATIONS);
  const refused = new Set<string>();
  for (const proof of proofs)
    for (let i = 0; i < MUTANTS_OF_PROOF; i++) {
      const name = names[random.below(names.length)] ?? '';
      const mutant = MUTATIONS[name]?.(proof, random, proofs);
      const outcome = mutant === undefined ? 'FORGED' : judge(proof, mutant, proofs);
      expect(outcome, `${proof.kind}: ${name}`).not.toBe('FORGED');
      if (outcome === 'refused') refused.add(name);
    }
  expect([...refused].sort()).toEqual(names.toSorted());
});
