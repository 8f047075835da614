/** Proposers of bad blocks: a little less than a third of the validators, for ever. Nobody takes what they make. */
import type { SeededRandom } from '../../consensus/simulation/random.ts';
import { adversary } from './adversaries/voters.ts';
import { BAD_KINDS, badProposer } from './adversaries/bad-proposer.ts';
import type { MakeCompanion } from './companion.ts';
import { type Fault, FAULTS } from './faults.ts';
import type { Scenario } from './profiles.ts';

/** One part, but for a few bytes. */
const BLOCK_BYTES_MAX = 60_000;
const EVIDENCE_BYTES_MAX = 20_000;
/** Kinds between the first ones of two proposers. */
const SECOND_BEGINS_AT = 16;
/** So many bad blocks have to be made after the heal. */
const DEMANDED = 2;
const WIRES: readonly Fault[] = ['storm', 'one way', 'partition', 'disconnect'];

/** Without somebody who signs twice there is no evidence to make something wrong of. */
const NEED_EVIDENCE: readonly string[] = ['time of evidence', 'evidence twice'];

/** See the file comment. Each seed begins with another kind: all come first within so many seeds. */
export function badBlocks(
  scenario: Scenario,
  { random, seed }: { readonly random: SeededRandom; readonly seed: number },
): Scenario {
  const { machines } = scenario.options;
  const guilty = Math.floor((machines.length - 1) / 3);
  const actors = machines.map((machine, i) => {
    if (i < machines.length - guilty) return machine;
    const first = (seed + (machines.length - 1 - i) * SECOND_BEGINS_AT) % BAD_KINDS.length;
    const needsEvidence = NEED_EVIDENCE.includes(BAD_KINDS[first] ?? '');
    const voter = needsEvidence || random.percent(40) ? adversary('equivocator', machine) : machine;
    return badProposer(voter, { blockBytesMax: BLOCK_BYTES_MAX, first });
  });
  return {
    ...scenario,
    options: {
      ...scenario.options,
      powers: machines.map(() => 10n),
      machines: actors,
      changeGenesis: (genesis) => {
        const { consensusParams: params } = genesis;
        const block = { maxBytes: BigInt(BLOCK_BYTES_MAX), maxGas: params.block?.maxGas ?? -1n };
        const evidence = params.evidence && { ...params.evidence, maxBytes: BigInt(EVIDENCE_BYTES_MAX) };
        return { ...genesis, consensusParams: { ...params, block, evidence } };
      },
    },
    faults: (random.percent(30) ? FAULTS : WIRES).filter(
      (fault) => fault !== 'bit flip' && random.percent(40),
    ),
    victims: actors.filter(({ isHonest }) => isHonest).map(({ name }) => name),
    companions: [demanded],
    heights: 2n,
  };
}

/** A run without bad blocks shows nothing. */
const demanded: MakeCompanion = (simulation) => {
  let before = 0;
  return {
    start: () => undefined,
    healed: () => {
      before = simulation.forgeries;
    },
    isContent: () => simulation.forgeries >= before + DEMANDED,
    complaint: () => `${simulation.forgeries - before} bad blocks were made since the heal, not ${DEMANDED}`,
  };
};
