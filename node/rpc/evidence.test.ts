/** Evidence over RPC, in CometBFT's JSON. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Evidence, evidenceHash } from '../../consensus/types/evidence.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { evidenceJson } from '../../light/json/print.ts';
import { TestNode } from './testing/test-node.ts';
import { duplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import { TEST_TIME, testValidators, testVote } from '../../consensus/testing/fixtures.ts';

const VALIDATORS = testValidators(2n, 1n);
const votes = (name: string) =>
  testVote(VALIDATORS, { type: 'precommit', round: 1, from: 0, height: 2n, for: name });
const EVIDENCE = duplicateVoteEvidence({
  first: votes('a'),
  second: votes('b'),
  blockTime: TEST_TIME,
  validators: VALIDATORS,
});

let node: TestNode;
const received: Evidence[] = [];
let outcome: () => 'added' | 'known' | 'full' = () => 'added';
beforeAll(async () => {
  const evidence = {
    add: (each: Evidence) => {
      received.push(each);
      return outcome();
    },
  };
  node = await TestNode.start({ ports: { evidence } });
});
afterAll(() => node.stop());

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly data: string };
}

async function broadcast(evidence: unknown): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'broadcast_evidence', params: { evidence } });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(node.url, { method: 'POST', body, headers });
  return JSON.parse(await response.text());
}

it('reaches the pool, and its hash is the answer', async () => {
  const answer = await broadcast(evidenceJson(EVIDENCE));
  expect(answer.result).toEqual({ hash: toUpperHex(evidenceHash(EVIDENCE)) });
  expect(received).toEqual([EVIDENCE]);
});

it('what the pool refuses, or has no room for, is an error that says so', async () => {
  outcome = () => {
    throw new LedgerError('evidence.expired', 'the evidence is too old');
  };
  expect((await broadcast(evidenceJson(EVIDENCE))).error?.data).toBe(
    'failed to add evidence: the evidence is too old',
  );
  outcome = () => 'full';
  expect((await broadcast(evidenceJson(EVIDENCE))).error?.data).toMatch(/the pool is full/);
  outcome = () => 'known';
  expect((await broadcast(evidenceJson(EVIDENCE))).error).toBeUndefined();
});

it('what is no evidence never reaches the pool', async () => {
  const before = received.length;
  for (const bad of [5, 'x', [], {}, { type: 'tendermint/DuplicateVoteEvidence' }, { type: 'x', value: {} }])
    expect((await broadcast(bad)).error?.data).toMatch(/evidence/);
  expect(received.length).toBe(before);
});
