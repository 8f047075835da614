import { expect, test } from 'vitest';
import { BLOCK_PART_BYTES } from '../../consensus/types/limits.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import { BlockAssembly } from './block-assembly.ts';
import { judge } from './values.ts';

test('a block of more bytes than the parameters allow is invalid, and the application never sees it', async () => {
  const { header, parts } = partsOf(new Uint8Array(2 * BLOCK_PART_BYTES));
  const assembly = new BlockAssembly();
  assembly.reset(100_000n);
  for (const part of parts) assembly.restore(part);
  const warnings: unknown[] = [];
  const blockId = { hash: header.hash, partSetHeader: header };
  const answer = await judge(
    {
      assembly,
      executor: {
        state: { lastBlockHeight: 9n },
        judge: () => Promise.reject(new Error('not asked')),
      },
      logger: { warn: (facts) => warnings.push(facts) },
    },
    { kind: 'validateValue', height: 10n, round: 0, blockId, from: 'proposal' },
  );
  expect(answer).toEqual({ kind: 'value', height: 10n, blockId, validity: 'invalid' });
  expect(warnings).toEqual([{ height: 10n, reason: expect.stringContaining('too large') }]);
});
