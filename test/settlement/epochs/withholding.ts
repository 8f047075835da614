/**
 * Gateways that withhold, and a watcher: every wrong epoch is convicted, by a fraud or by silence,
 * whatever its gateway serves; no right one is whose gateway answers, however it serves; a right one
 * that is neither served nor answered for is convicted by silence.
 */
import { leavesOfRun } from '../../../core/leaf-run.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { openRun } from '../../../gateway/epochs/published.ts';
import { TREE_KINDS, type TreeName } from '../../../gateway/epochs/routes.ts';
import { EpochWatchMetrics } from '../../../gateway/watch/metrics.ts';
import type { EpochAnswer, EpochDemand, EpochSource } from '../../../gateway/watch/ports.ts';
import { EpochWatcher } from '../../../gateway/watch/watcher.ts';
import { checkEpoch } from '../../../modules/settlement/proof/epoch.ts';
import { runOf } from '../../../modules/settlement/proof/piece.ts';
import { DecodeError } from '../../../core/errors.ts';
import type { Dice } from './dice.ts';
import { LIES } from './lies.ts';
import { type Answerer, type Outcome, WithheldChain } from './withheld-chain.ts';
import { makeWorld, type World } from './world.ts';

const NO_OPENING = { leaves: [], siblings: new Uint8Array(0) };
const NO_BYTES = new Uint8Array(0);

/** Looks after which an epoch has to be decided: the window and what requests add to it. */
const LOOKS_MAX = 2_000;

/** How a gateway behaves. */
export interface Policy {
  readonly name: string;
  /** Whether it answers every request that it can, in time. */
  readonly answers: boolean;
  /** Undefined: not served, in the look with this number. */
  readonly serves: (right: EpochAnswer, piece: EpochDemand['piece'], look: number) => EpochAnswer | undefined;
  readonly answer: (
    right: EpochAnswer,
    piece: EpochDemand['piece'],
    blocksLeft: number,
  ) => EpochAnswer | undefined;
}

const all = (right: EpochAnswer): EpochAnswer => right;
const nothing = (): undefined => undefined;

/** A byte of a leaf, of the way to the root or of the attribution is another. */
function bent({ opening, attribution }: EpochAnswer): EpochAnswer {
  const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
  const [first, ...rest] = opening.leaves;
  const leaves = first === undefined ? [] : [turned(first), ...rest];
  return { opening: { ...opening, leaves }, attribution: turned(attribution) };
}

/** Of one run of each tree, and of about every second attribution. */
function isHidden(piece: EpochDemand['piece']): boolean {
  return 'hash' in piece ? (piece.hash[0] ?? 0) % 2 === 0 : piece.first === 0;
}

const unlessHidden = (right: EpochAnswer, piece: EpochDemand['piece']): EpochAnswer | undefined =>
  isHidden(piece) ? undefined : right;

/** See the file comment. */
export const POLICIES: readonly Policy[] = [
  { name: 'serves everything', answers: true, serves: all, answer: all },
  { name: 'serves nothing, answers', answers: true, serves: nothing, answer: all },
  { name: 'serves nothing, answers nothing', answers: false, serves: nothing, answer: nothing },
  { name: 'hides a part, answers', answers: true, serves: unlessHidden, answer: all },
  { name: 'hides a part, also on the chain', answers: false, serves: unlessHidden, answer: unlessHidden },
  {
    name: 'serves late, answers in the last block',
    answers: true,
    serves: (right, _, look) => (look > 30 ? right : undefined),
    answer: (right, _, blocksLeft) => (blocksLeft === 0 ? right : undefined),
  },
  {
    name: 'serves and answers wrong bytes, in the end right ones',
    answers: true,
    serves: bent,
    answer: (right, _, blocksLeft) => (blocksLeft === 0 ? right : bent(right)),
  },
  { name: 'serves and answers wrong bytes', answers: false, serves: bent, answer: bent },
  {
    name: 'serves some looks only',
    answers: true,
    serves: (right, _, look) => (look % 3 === 0 ? right : bent(right)),
    answer: all,
  },
];

/** What happened to epochs of gateways with one policy. */
export interface WithholdingTally {
  readonly policy: string;
  readonly honest: Record<Outcome, number>;
  readonly wrong: Record<Outcome, number>;
  /** Most requests about one epoch. */
  requests: number;
}

/** How much is tried. */
export interface WithholdingOptions {
  readonly epochs: number;
  /** Policies that each epoch is tried under, in turn. */
  readonly policies: number;
  readonly dice: Dice;
}

/** Honest epochs and a lie about each, under policies. Tallies, and what must not be. */
export async function runWithholding({ epochs, policies, dice }: WithholdingOptions): Promise<{
  readonly tallies: readonly WithholdingTally[];
  readonly failures: readonly string[];
}> {
  const zero = (): Record<Outcome, number> => ({ fraud: 0, silence: 0, final: 0 });
  const tallies = POLICIES.map(({ name }): WithholdingTally => {
    return { policy: name, honest: zero(), wrong: zero(), requests: 0 };
  });
  const failures: string[] = [];
  for (let i = 0; i < epochs; i++) {
    const world = makeWorld(dice, { receiptsMax: dice.pick([12, 40, 200]) });
    const lie = LIES[i % LIES.length];
    const told = lie?.tell(world, dice);
    for (let turn = 0; turn < policies; turn++) {
      const at = (i * policies + turn) % POLICIES.length;
      const [policy, tally] = [POLICIES[at], tallies[at]];
      if (policy === undefined || tally === undefined) continue;
      const honest = await watchOne(world, world.epoch, { policy, dice });
      tally.honest[honest.outcome]++;
      if (honest.outcome === 'fraud' || (honest.outcome === 'silence' && policy.answers))
        failures.push(`${policy.name}: an honest epoch ended by ${honest.outcome}`);
      tally.requests = Math.max(tally.requests, honest.requests);
      if (told === undefined || lie === undefined || !addsUp(told, world)) continue;
      const wrong = await watchOne(world, told, { policy, dice });
      tally.wrong[wrong.outcome]++;
      tally.requests = Math.max(tally.requests, wrong.requests);
      if (wrong.outcome === 'final') failures.push(`${policy.name}: ${lie.name} became final`);
    }
  }
  return { tallies, failures };
}

function addsUp({ commitment }: PublishedEpoch, { claimed }: World): boolean {
  try {
    checkEpoch(commitment, claimed);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

async function watchOne(
  { chain }: World,
  epoch: PublishedEpoch,
  { policy, dice }: { readonly policy: Policy; readonly dice: Dice },
): Promise<{ readonly outcome: Outcome; readonly requests: number }> {
  let look = 0;
  const answerer: Answerer = (piece, blocksLeft) =>
    policy.answer(rightAnswer(epoch, piece), piece, blocksLeft);
  const withheld = new WithheldChain(epoch.commitment, chain, answerer);
  const source = sourceOf(epoch, (right, piece) => policy.serves(right, piece, look));
  const bugs: string[] = [];
  const logger = {
    info: () => undefined,
    warn: () => undefined,
    error: (_: unknown, text: string) => void bugs.push(text),
  };
  const metrics = new EpochWatchMetrics();
  const ticks = () => () => undefined;
  const random = (): number => dice.below(2 ** 20) / 2 ** 20;
  const watcher = new EpochWatcher(
    { chain: withheld, sources: () => source, ticks, logger, metrics, random },
    { ticksMax: 1 },
  );
  while (withheld.outcome === undefined && look < LOOKS_MAX) {
    look++;
    await watcher.look();
    if (withheld.outcome === undefined) withheld.block();
  }
  const { outcome, repeated } = withheld;
  if (bugs.length > 0 || outcome === undefined) throw new Error(bugs[0] ?? 'not decided');
  if (repeated > 0) throw new Error('the watcher asks for what it has asked for');
  return { outcome, requests: withheld.requests };
}

/** What is under the commitment at this place, whether or not it leads to the root. */
function rightAnswer(epoch: PublishedEpoch, piece: EpochDemand['piece']): EpochAnswer {
  if ('hash' in piece) return { opening: NO_OPENING, attribution: epoch.attribution(piece.hash) ?? NO_BYTES };
  const { tree, first } = piece;
  const opening = openRun(epoch[tree], runOf(TREE_KINDS[tree], epoch[tree].tree, first));
  return { opening, attribution: NO_BYTES };
}

function sourceOf(
  epoch: PublishedEpoch,
  serve: (right: EpochAnswer, piece: EpochDemand['piece']) => EpochAnswer | undefined,
): EpochSource {
  return {
    async leaves(_, tree, { from, count }) {
      const { leaves } = epoch[tree].tree;
      const run = { first: from, end: Math.min(leaves, from + count) };
      const runs = new Set(leavesOfRun(run).map((leaf) => runOf(TREE_KINDS[tree], { leaves }, leaf).first));
      const served = [...runs].map((first) => serve(rightAnswer(epoch, { tree, first }), { tree, first }));
      if (served.some((answer) => answer === undefined)) return undefined;
      return served.length === 1 ? served[0]?.opening : wholeOf(epoch, { tree, run, served });
    },
    async attribution(_, hash) {
      const attribution = epoch.attribution(hash);
      return attribution && serve({ opening: NO_OPENING, attribution }, { hash })?.attribution;
    },
  };
}

function wholeOf(
  epoch: PublishedEpoch,
  {
    tree,
    run,
    served,
  }: {
    readonly tree: TreeName;
    readonly run: { readonly first: number; readonly end: number };
    readonly served: readonly (EpochAnswer | undefined)[];
  },
): EpochAnswer['opening'] {
  const { siblings } = openRun(epoch[tree], run);
  return { leaves: served.flatMap((answer) => answer?.opening.leaves ?? []), siblings };
}
