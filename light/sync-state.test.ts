import { expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { syncBlocks } from './sync-state.ts';
import { testChain } from './testing/chain.ts';

const powers = () => ({ a: 10n, b: 25n, c: 30n, d: 40n });
const clientOf = (chain: readonly LightBlock[]) => ({
  lightBlock: (height: bigint) => Promise.resolve(defined(chain[Number(height) - 1], `block ${height}`)),
});

/** As a provider sends it: the proposer is a guess. */
const guessed = (block: LightBlock): LightBlock => ({
  ...block,
  validators: { ...block.validators, proposer: block.validators.validators[0] },
});

it('three blocks come with the sets that consensus has, proposers included', async () => {
  for (const round of [0, 3]) {
    const chain = testChain({ length: 12, validators: powers, round });
    const { last, current, next } = await syncBlocks(clientOf(chain.map(guessed)), 8n);
    expect([last, current, next].map(({ header }) => header.height)).toEqual([8n, 9n, 10n]);
    if (round === 0) expect(last).toEqual(chain[7]);
    // Decided late, the first is a guess; those after it follow from it.
    expect([current, next]).toEqual([chain[8], chain[9]]);
  }
});

it('a provider that shifts the priorities of one height is found out (GHSA-g5xx-c4hv-9ccc)', async () => {
  const chain = testChain({ length: 12, validators: powers });
  for (const height of [8, 9, 10]) {
    const lying = chain.map((block) => {
      if (Number(block.header.height) !== height) return block;
      const validators = block.validators.validators.map((each, i) => ({
        ...each,
        proposerPriority: each.proposerPriority + (i === 0 ? 3n : i === 1 ? -3n : 0n),
      }));
      return { ...block, validators: { ...block.validators, validators } };
    });
    await expect(syncBlocks(clientOf(lying), 8n)).rejects.toEqual(
      expect.objectContaining({ code: 'light.priorities' }),
    );
  }
});
