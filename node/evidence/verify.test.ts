/** Light-client attacks, judged by the chain that a node has stored. */
import { describe, expect, it } from 'vitest';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import {
  byzantineValidators,
  type LightClientAttackEvidence,
} from '../../consensus/types/light-client-attack.ts';
import { defined } from '../../core/errors.ts';
import { CHAIN_ID, testChain, verify } from '../../light/testing/chain.ts';
import type { EvidenceChain, EvidenceState } from './ports.ts';
import { UNKNOWN_HEIGHT, verifyEvidence } from './verify.ts';

const CHAIN = testChain({ length: 12 });
const at = (height: bigint, of = CHAIN): LightBlock => defined(of[Number(height) - 1], `block ${height}`);

/** A node whose last block is of that height: its commit is in no block yet. */
function judge(evidence: LightClientAttackEvidence, lastHeight: bigint): void {
  const has = (height: bigint): boolean => height >= 1n && height <= lastHeight;
  const chain: EvidenceChain = {
    header: (height) => (has(height) ? at(height).header : undefined),
    commit: (height) => (has(height + 1n) ? at(height).commit : undefined),
    validators: (height) => (has(height) ? at(height).validators : undefined),
    range: () => ({ base: 1n, height: lastHeight }),
    evidence: () => [],
  };
  const maxAgeDuration = { seconds: 3600n, nanos: 0 };
  const state: EvidenceState = {
    chainId: CHAIN_ID,
    lastBlockHeight: lastHeight,
    lastBlockTime: at(lastHeight).header.time,
    consensusParams: { evidence: { maxAgeNumBlocks: 100n, maxAgeDuration, maxBytes: 100_000n } },
  };
  verifyEvidence(evidence, { chain, state, verify });
}

/** Evidence of a block that conflicts with one of the chain, or with its last one. */
function attack(
  conflictingBlock: LightBlock,
  commonHeight: bigint,
  trusted: LightBlock,
): LightClientAttackEvidence {
  const { header, validators } = at(commonHeight);
  return {
    kind: 'lightClientAttack',
    conflictingBlock,
    commonHeight,
    byzantineValidators: byzantineValidators(conflictingBlock, { trusted, common: validators }),
    totalVotingPower: validators.totalVotingPower,
    timestamp: header.time,
  };
}

const later = { time: { seconds: 1_700_000_010n, nanos: 5 } };
const fork = testChain({ length: 10, fork: { of: CHAIN, at: 9n }, header: () => later });
const equivocation = attack(at(10n, fork), 10n, at(10n));
const forged = testChain({
  length: 10,
  fork: { of: CHAIN, at: 9n },
  header: () => ({ appHash: new Uint8Array(32) }),
});
const lunatic = attack(at(10n, forged), 9n, at(10n));

describe('an attack on the last block', () => {
  it('that signed two blocks waits until a block holds the commit: before, each node has its own', () => {
    expect(equivocation.byzantineValidators).toHaveLength(4);
    expect(() => judge(equivocation, 10n)).toThrow(expect.objectContaining({ code: UNKNOWN_HEIGHT }));
    expect(() => judge(equivocation, 11n)).not.toThrow();
  });

  it('that forged the state is judged at once: who signed our block does not matter', () => {
    expect(lunatic.byzantineValidators).toHaveLength(4);
    expect(() => judge(lunatic, 10n)).not.toThrow();
    expect(() => judge(lunatic, 12n)).not.toThrow();
    expect(() => judge({ ...lunatic, byzantineValidators: [] }, 10n)).toThrow('blames others');
  });
});

it("an attack that peers ahead of this node can judge, and this node cannot, is nobody's fault", () => {
  // Its time is later than that of the last block here: for all that this node knows the chain may get there.
  expect(() => judge(lunatic, 9n)).toThrow(expect.objectContaining({ code: UNKNOWN_HEIGHT }));
  const signatures = lunatic.conflictingBlock.commit.signatures.map((entry) => ({
    ...entry,
    signature: new Uint8Array(32),
  }));
  const { conflictingBlock: block } = lunatic;
  const unsigned = { ...lunatic, conflictingBlock: { ...block, commit: { ...block.commit, signatures } } };
  expect(() => judge(unsigned, 9n)).toThrow(expect.objectContaining({ code: 'commit.signature' }));
});

it('an attack ahead of the chain needs a forged state, and a time that is over', () => {
  const early = { appHash: new Uint8Array(32), time: at(8n).header.time };
  const ahead = testChain({ length: 10, fork: { of: CHAIN, at: 9n }, header: () => early });
  expect(() => judge(attack(at(10n, ahead), 8n, at(8n)), 8n)).not.toThrow();
  expect(() => judge(equivocation, 9n)).toThrow(expect.objectContaining({ code: UNKNOWN_HEIGHT }));
});
