/** GHSA-g5xx-c4hv-9ccc (ASA-2024-009) and cometbft#5613: priorities that no header vouches for. */
import { expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import { incrementProposerPriority } from '../consensus/proposer.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { checkLightBlock } from '../consensus/types/light-block.ts';
import { checkPriorities, checkSuccessor, samePriorities } from './priorities.ts';
import { testChain } from './testing/chain.ts';

const chain = testChain({ length: 12, validators: () => ({ a: 10n, b: 20n, c: 30n, d: 40n }) });
const block = (height: number): LightBlock => defined(chain[height - 1], 'block');

/** The block with other priorities: header, commit and hash of the validators are as they were. */
function withPriorities(from: LightBlock, change: (priority: bigint, index: number) => bigint): LightBlock {
  const validators = from.validators.validators.map((each, i) => ({
    ...each,
    proposerPriority: change(each.proposerPriority, i),
  }));
  return checkLightBlock({ ...from, validators: { ...from.validators, validators } });
}

it('ASA-2024-009: what a provider shifts or blows up is refused', () => {
  const honest = block(7);
  expect(() => checkPriorities(honest)).not.toThrow();
  expect(() => checkPriorities(withPriorities(honest, (p) => p + 5n))).toThrow('sum is not about zero');
  const apart = withPriorities(honest, (p, i) => p + (i === 0 ? 400n : i === 1 ? -400n : 0n));
  expect(() => checkPriorities(apart)).toThrow('too far apart');
});

it('ASA-2024-009: what follows from the height before is the only thing that is taken after it', () => {
  expect(() => checkSuccessor(block(7), block(8))).not.toThrow();
  const other = withPriorities(block(8), (p, i) => p + (i === 0 ? 1n : i === 1 ? -1n : 0n));
  expect(() => checkSuccessor(block(7), other)).toThrow('do not follow from those of height 7');
});

it('two sets that follow from each other are refused when the signed proposer does not follow from them', () => {
  const turned = (height: number): LightBlock => {
    const { validators } = block(height);
    return { ...block(height), validators: incrementProposerPriority(validators, 1) };
  };
  expect(() => checkSuccessor(turned(7), turned(8))).toThrow('the proposer of the header does not follow');
});

it('the proposer of a later round is found, up to the round of the commit', () => {
  const next = block(8);
  const { proposer } = incrementProposerPriority(next.validators, 1);
  const proposerAddress = defined(proposer, 'proposer').address;
  const later = { ...next, header: { ...next.header, proposerAddress } };
  expect(() => checkSuccessor(block(7), { ...later, commit: { ...next.commit, round: 1 } })).not.toThrow();
  expect(() => checkSuccessor(block(7), later)).toThrow('does not follow');
});

it('cometbft#5613: each priority is compared: a hash over the last one only would not see this', () => {
  const honest = block(7).validators;
  const other = withPriorities(block(7), (p, i) => p + (i === 0 ? 1n : i === 1 ? -1n : 0n)).validators;
  expect(other.validators.at(-1)).toEqual(honest.validators.at(-1));
  expect(samePriorities(honest, other)).toBe(false);
  expect(samePriorities(honest, honest)).toBe(true);
});
