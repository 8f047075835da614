/**
 * A module of simulated chains that changes what governance may: how large blocks are, how much gas they
 * hold, how long evidence counts; and from the first block on, the jail term, which no genesis may have so
 * short.
 */
import { SeededRandom } from '../../consensus/simulation/random.ts';
import type { Context } from '../../framework/context.ts';
import type { Module } from '../../framework/module.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../modules/consensus/params.ts';
import { consensusState } from '../../modules/consensus/state.ts';
import { DEFAULT_PARAMS } from '../../modules/slashing/params.ts';
import { slashingState } from '../../modules/slashing/state.ts';
import { emptyModule } from '../support/empty-module.ts';

const CHANGE_PERCENT = 30;
const JAILED_SECONDS = 1n;
const FIRST_HEIGHT = 1n;
const BLOCK_BYTES: readonly bigint[] = [-1n, 30_000n, 60_000n, 4_194_304n];
/** A transaction that moves stake wants a million. */
const BLOCK_GAS: readonly bigint[] = [-1n, 1_500_000n, 20_000_000n];
const EVIDENCE_BYTES_MAX = 20_000;
const EVIDENCE_BLOCKS_MAX = 1_000;
const EVIDENCE_SECONDS_MAX = 1_000;

const { params: consensusParams } = consensusState();
const { params: slashingParams } = slashingState();

/** See the file comment. What changes at which height is a function of the seed. */
export function chainChanges(seed: number): Module {
  return emptyModule('changes', {
    beginBlock(context) {
      if (context.block.height === FIRST_HEIGHT) shortenJail(context);
      const random = new SeededRandom(seed * 1_000 + Number(context.block.height));
      if (random.percent(CHANGE_PERCENT)) changeParams(context, random);
    },
  });
}

function shortenJail(context: Context): void {
  const params = slashingParams.get(context) ?? DEFAULT_PARAMS;
  slashingParams.set(context, { ...params, downtimeJailDuration: { seconds: JAILED_SECONDS, nanos: 0 } });
}

function changeParams(context: Context, random: SeededRandom): void {
  const before = consensusParams.get(context) ?? DEFAULT_CONSENSUS_PARAMS;
  consensusParams.set(context, {
    ...before,
    block: { maxBytes: random.pick(BLOCK_BYTES) ?? -1n, maxGas: random.pick(BLOCK_GAS) ?? -1n },
    evidence: {
      maxAgeNumBlocks: BigInt(1 + random.below(EVIDENCE_BLOCKS_MAX)),
      maxAgeDuration: { seconds: BigInt(1 + random.below(EVIDENCE_SECONDS_MAX)), nanos: 0 },
      maxBytes: BigInt(random.below(EVIDENCE_BYTES_MAX)),
    },
  });
}
