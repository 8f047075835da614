/** What gas is charged for, counted: no proof or fraud takes more hashes than it was charged for. */
import { expect, test, vi } from 'vitest';
import { fraudAt, openLeaves } from '../../attest/prove/fraud-at.ts';
import { proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import { openCardFraud, openClaimFraud } from '../../attest/influence/open-fraud.ts';
import { DecodeError } from '../../core/errors.ts';
import { verifyCardFraud } from '../../modules/attribution/proof/influence/card-fraud.ts';
import { verifyClaimFraud } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  CARD_RULES,
  CLAIM_RULES,
  workOfInfluenceFraud,
} from '../../modules/attribution/proof/influence/fraud.ts';
import { OPENS, type ShardFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
import type { ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { verifyShardProof } from '../../modules/attribution/proof/shard/verify.ts';
import { workOfFraud, workOfShardProof } from '../../modules/attribution/proof/shard/work.ts';
import { refusalOr } from '../../modules/attribution/proof/refusal.ts';
import type { Work } from '../../modules/attribution/proof/work.ts';
import { Random } from '../fuzz/random.ts';
import { smallHead } from '../support/head-world.ts';
import { convicts, rootOpened } from './frauds.ts';
import { honestProof, MUTATIONS, shownBy } from './proofs.ts';
import { shardCase } from './shards.ts';

const hashed = vi.hoisted(() => ({ hashes: 0, bytes: 0 }));

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>();
  const hash = (algorithm: string, data: Uint8Array, encoding: 'binary'): string => {
    hashed.hashes++;
    hashed.bytes += data.length;
    return real.hash(algorithm, data, encoding);
  };
  return { ...real, hash };
});

/** What a check hashes is at most what its bound says. */
function expectBounded(bound: Work, check: () => unknown): void {
  Object.assign(hashed, { hashes: 0, bytes: 0 });
  check();
  expect(hashed.hashes).toBeLessThanOrEqual(bound.hashes);
  expect(hashed.bytes).toBeLessThanOrEqual(bound.bytes);
}

test('proofs, honest and changed, are charged for at least what they hash', () => {
  const random = new Random(11);
  const cases = Array.from({ length: 24 }, () => shardCase(random));
  const proofs = cases.flatMap((from) => Array.from({ length: 8 }, () => honestProof(from, random)));
  let checked = 0;
  for (const proof of proofs)
    for (const mutate of [...Object.values(MUTATIONS), () => proof.request]) {
      const request = mutate(proof, random, proofs);
      const work = refusalOr(() => workOfShardProof(request));
      if ('refusal' in work) expect(shownBy(request)).toBeUndefined();
      else {
        checked++;
        expectBounded(work.value, () => shownBy(request));
      }
    }
  expect(checked).toBeGreaterThan(proofs.length);
});

test('the bound is not far above what an honest proof of short passages takes', () => {
  const random = new Random(12);
  for (let i = 0; i < 40; i++) {
    const from = shardCase(random);
    const { request, order } = honestProof(from, random);
    if (order.statements.some(({ length }) => length > 32)) continue;
    const work = workOfShardProof(request);
    Object.assign(hashed, { hashes: 0, bytes: 0 });
    verifyShardProof(request);
    // Ranks that several statements need, and hashes that are tokens in the bytes of the proof, count twice.
    expect(work.hashes).toBeLessThan(12 + 5 * hashed.hashes);
  }
});

test('frauds of shards are charged for at least what they hash', () => {
  const random = new Random(13);
  for (let i = 0; i < 12; i++) {
    const from = shardCase(random);
    const { shard } = from;
    const frauds: ShardFraud[] = [rootOpened(shard, 'text'), rootOpened(shard, 'documents')];
    for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const)
      for (const opened of [openLeaves(shard, tree, [0])])
        frauds.push(
          { kind: 'malformed-leaf', tree, opened },
          { kind: 'salt', tree, opened, secret: random.bytes(32) },
        );
    for (const kind of Object.keys(OPENS) as (keyof typeof OPENS)[])
      for (let at = 0; at < from.arrays.tokens; at += 7) {
        const made = refusalOr(() => {
          try {
            return fraudAt(shard, { kind, at }, from.content);
          } catch (error) {
            if (error instanceof RangeError) throw new DecodeError('no such place');
            throw error;
          }
        });
        if ('value' in made) frauds.push(made.value);
      }
    for (const fraud of frauds)
      expectBounded(workOfFraud(fraud), () => convicts(shard.commitment, fraud, from));
  }
});

test('frauds of influence are charged for at least what they hash', () => {
  const contributionIds = [1n, 2n, 3n];
  const { card, claim } = smallHead({ datanetId: 1n, snapshotCount: 3n, contributionIds });
  const pair = { card, claim };
  const on = { card: card.card, claim: claim.claim };
  const chain = { holds: () => true };
  let opened = 0;
  for (const rule of Object.keys(CARD_RULES) as (keyof typeof CARD_RULES)[]) {
    const fraud = openCardFraud(card, rule, {});
    opened += fraud.openings.length;
    expectBounded(workOfInfluenceFraud(fraud), () => refusalOr(() => verifyCardFraud(on.card, fraud, chain)));
  }
  for (const rule of Object.keys(CLAIM_RULES) as (keyof typeof CLAIM_RULES)[]) {
    const fraud = openClaimFraud(pair, rule, {});
    opened += fraud.openings.length;
    expectBounded(workOfInfluenceFraud(fraud), () => refusalOr(() => verifyClaimFraud(on, fraud)));
  }
  expect(opened).toBeGreaterThan(40);
});

test('a proof that says nothing is charged for by what it says', () => {
  const from = shardCase(new Random(3));
  const query = Uint32Array.of(from.arrays.token(0));
  const { lo, hi } = rankRange(from.arrays, query);
  const statement: ShardStatement = { kind: 'count', start: 0, length: 1, lo, hi };
  const { commitment } = from.shard;
  const proof = proveShard(from.shard, { query, statements: [statement], documents: false });
  const whole = workOfShardProof({ commitment, query, proof });
  const cut = workOfShardProof({ commitment, query, proof: proof.subarray(0, 12) });
  expect(cut.hashes).toBeGreaterThan(0);
  expect(whole.hashes - cut.hashes).toBe(Math.floor((proof.length - 8) / 32));
});
