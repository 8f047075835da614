import { expect, test } from 'vitest';
import { blockRetentionHeight } from './retention.ts';

type Case = readonly [
  name: string,
  of: { readonly min: bigint; readonly snapshots: bigint; readonly evidence: bigint },
  height: bigint,
  expected: bigint,
];

/** Names and numbers of the SDK's TestABCI_GetBlockRetentionHeight (v0.50.11, `baseapp/abci_test.go`). */
const cases: readonly Case[] = [
  ['defaults', { min: 0n, snapshots: 0n, evidence: 0n }, 499_000n, 0n],
  ['pruning unbonding time only', { min: 1n, snapshots: 0n, evidence: 362_880n }, 499_000n, 136_120n],
  ['pruning iavl snapshot only', { min: 1n, snapshots: 10_000n, evidence: 0n }, 499_000n, 489_000n],
  ['pruning state sync snapshot only', { min: 1n, snapshots: 150_000n, evidence: 0n }, 499_000n, 349_000n],
  ['pruning min retention only', { min: 400_000n, snapshots: 0n, evidence: 0n }, 499_000n, 99_000n],
  ['pruning all conditions', { min: 400_000n, snapshots: 150_000n, evidence: 362_880n }, 499_000n, 99_000n],
  [
    'no pruning due to no persisted state',
    { min: 400_000n, snapshots: 150_000n, evidence: 362_880n },
    10_000n,
    0n,
  ],
  ['disable pruning', { min: 0n, snapshots: 150_000n, evidence: 362_880n }, 499_000n, 0n],
];

test.each(cases)('%s', (_name, { min, snapshots, evidence }, height, expected) => {
  const of = { minRetainBlocks: min, snapshotBlocks: snapshots, evidenceMaxAgeBlocks: evidence };
  expect(blockRetentionHeight(height, of)).toBe(expected);
});

test('a limit counts also at the height that it equals, where the SDK forgets it', () => {
  const of = { minRetainBlocks: 1n, snapshotBlocks: 0n, evidenceMaxAgeBlocks: 100n };
  expect([99n, 100n, 101n].map((height) => blockRetentionHeight(height, of))).toEqual([0n, 0n, 1n]);
});
