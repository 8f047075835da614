/** A primary that lies with enough signatures, and one honest witness. */
import { describe, expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import { headerHash } from '../consensus/types/header.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { verifyLightClientAttack } from '../consensus/types/light-client-attack.ts';
import { openLightClient } from './client.ts';
import { memoryDatabase, TrustedStore } from './store.ts';
import {
  addressOfName,
  CHAIN_ID,
  type Powers,
  SECOND,
  TestClock,
  TestProvider,
  testChain,
  timeAt,
  verify,
} from './testing/chain.ts';

const HONEST = testChain({ length: 30 });
const forged = { appHash: new Uint8Array(32) };
const at = (chain: readonly LightBlock[], height: bigint): LightBlock =>
  defined(chain[Number(height) - 1], `block ${height}`);

/** Runs a client up to a height; returns the error and what was reported. */
async function attacked(lies: readonly LightBlock[], target: bigint, mode?: 'sequential') {
  const primary = new TestProvider('primary', lies);
  const witness = new TestProvider('witness', HONEST);
  const clock = new TestClock(timeAt(40n));
  const store = await TrustedStore.open(memoryDatabase());
  const ports = { primary, witnesses: [witness], store, clock, verify };
  const client = await openLightClient(ports, {
    chainId: CHAIN_ID,
    trustingPeriodNanos: 3600n * SECOND,
    trust: { height: 1n, hash: headerHash(at(HONEST, 1n).header) },
    ...(mode === undefined ? {} : { mode }),
  });
  await expect(client.lightBlock(target)).rejects.toEqual(expect.objectContaining({ code: 'light.attack' }));
  // Nothing more is verified, not even by agreement.
  await expect(client.lightBlock(2n)).rejects.toEqual(expect.objectContaining({ code: 'light.attack' }));
  expect(client.trustedHeights).toEqual([1n]);
  const against = defined(witness.evidence[0], 'evidence against the primary');
  const reverse = defined(primary.evidence[0], 'evidence against the witness');
  return { against, reverse };
}

/** What a full node of the honest chain makes of the evidence. */
function judge(evidence: Awaited<ReturnType<typeof attacked>>['against']): void {
  const { height } = evidence.conflictingBlock.header;
  const trusted = HONEST[Number(height) - 1] ?? at(HONEST, 30n);
  const common = at(HONEST, evidence.commonHeight).validators;
  verifyLightClientAttack(evidence, { chainId: CHAIN_ID, trusted, common, verify });
  expect(evidence.timestamp).toEqual(at(HONEST, evidence.commonHeight).header.time);
}

const names = (evidence: Awaited<ReturnType<typeof attacked>>['against']): readonly string[] =>
  evidence.byzantineValidators.map(({ address }) =>
    defined(
      ['a', 'b', 'c', 'd'].find((name) => addressOfName(name).join() === address.join()),
      'a known validator',
    ),
  );

describe('an attack is found, proven to both sides, and ends the client', () => {
  it('lunatic: a forged state, signed by validators of the common height and some that never were', async () => {
    const strangers: Powers = { a: 10n, b: 10n, c: 10n, x: 10n, y: 10n };
    const lies = testChain({
      length: 30,
      fork: { of: HONEST, at: 9n },
      validators: (height) => (height < 10n ? { a: 10n, b: 10n, c: 10n, d: 10n } : strangers),
      header: () => forged,
    });
    const { against, reverse } = await attacked(lies, 20n);
    expect(against.commonHeight).toBe(1n);
    expect(against.conflictingBlock).toBe(at(lies, 20n));
    expect([...names(against)].sort((a, b) => (a < b ? -1 : 1))).toEqual(['a', 'b', 'c']);
    expect(against.totalVotingPower).toBe(40n);
    judge(against);
    expect(reverse.conflictingBlock).toBe(at(HONEST, 20n));
  });

  it('equivocation: two blocks in one round; those who signed both are to blame', async () => {
    const lies = [...HONEST];
    const twin = testChain({
      length: 30,
      fork: { of: HONEST, at: 19n },
      absent: () => ['d'],
      header: (header) => ({ dataHash: headerHash(header) }),
    });
    lies[19] = at(twin, 20n);
    const { against, reverse } = await attacked(lies, 20n);
    expect(against.commonHeight).toBe(20n);
    expect([...names(against)].sort((a, b) => (a < b ? -1 : 1))).toEqual(['a', 'b', 'c']);
    judge(against);
    expect(reverse.commonHeight).toBe(20n);
  });

  it('amnesia: two blocks in different rounds; nobody can be blamed', async () => {
    const lies = [...HONEST];
    const twin = testChain({
      length: 30,
      fork: { of: HONEST, at: 19n },
      round: 1,
      header: (header) => ({ dataHash: headerHash(header) }),
    });
    lies[19] = at(twin, 20n);
    const { against } = await attacked(lies, 20n);
    expect(against.commonHeight).toBe(20n);
    expect(against.byzantineValidators).toEqual([]);
    judge(against);
  });

  it('forward lunatic: a block above the chain, and not later than its last one', async () => {
    const lies = testChain({
      length: 35,
      fork: { of: HONEST, at: 29n },
      header: ({ height }) => ({ ...forged, time: timeAt(29n + (height - 29n) / 10n + 1n) }),
    });
    // Their times are all that of block 30.
    const { against } = await attacked(lies, 35n);
    expect(against.conflictingBlock.header.height).toBe(35n);
    expect(names(against)).toHaveLength(4);
    judge(against);
  });

  it('also when every block is looked at', async () => {
    const lies = testChain({ length: 30, fork: { of: HONEST, at: 9n }, header: () => forged });
    const { against } = await attacked(lies, 20n, 'sequential');
    expect(against.commonHeight).toBe(9n);
    expect(against.conflictingBlock).toBe(at(lies, 10n));
    judge(against);
  });
});
