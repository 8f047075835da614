/** The rows of messages: what each type costs by itself, and what a block costs without any. */
import { percentile } from '../percentile.ts';
import type { Report } from '../report.ts';
import { ACCOUNT_CASES, propose } from './account-cases.ts';
import type { MessageCase, MessageCases } from './case.ts';
import { NATIVE_CASES } from './native-cases.ts';
import { PARAMS_CASES } from './params-cases.ts';
import { STAKING_CASES } from './staking-cases.ts';
import { type BlockCost, type MessageCost, MessageWorld } from './world.ts';

const VALIDATORS = 20;
const SAMPLES = 100;
/** Of each type, before the samples: the compiler has seen the code. */
const WARM_UP = 20;
/** Votes under way meanwhile. */
const PROPOSALS = 1000;
const BLOCKS = 40;
const CASES: MessageCases = { ...ACCOUNT_CASES, ...STAKING_CASES, ...NATIVE_CASES, ...PARAMS_CASES };
/** Types that nobody can run, and why. */
const UNMEASURED: Readonly<Record<string, string>> = {
  '/cosmos.evidence.v1beta1.MsgSubmitEvidence': 'no kind of evidence is accepted in transactions',
};

/** Medians of a type's runs. */
export interface MessageResult extends MessageCost {
  readonly typeUrl: string;
}

/** Medians of empty blocks. */
export interface MessagesResult {
  readonly accounts: number;
  readonly messages: readonly MessageResult[];
  readonly block: BlockCost;
}

/** Measures with each number of accounts. @throws RangeError when a served type has no case */
export function reportMessages(
  { row, note }: Report,
  { accounts }: { readonly accounts: readonly number[] },
): Promise<readonly MessagesResult[]> {
  const results = accounts.map((count) => {
    note(`genesis with ${count} accounts that delegate to ${VALIDATORS} validators`);
    const world = new MessageWorld({ accounts: count, validators: VALIDATORS });
    for (let i = 0; i < PROPOSALS; i++) propose(world);
    note(`${PROPOSALS} votes under way`);
    const block = emptyBlocks(world);
    const { endMs, beginMs, commitMs, accesses } = block;
    row(
      'messages/empty-block',
      { accounts: count },
      `end ${endMs.toFixed(2)} ms, begin ${beginMs.toFixed(2)} ms, commit ${commitMs.toFixed(2)} ms (medians); ` +
        `${accesses.reads} reads, ${accesses.writes} writes, ${accesses.steps} steps of iterators`,
    );
    const messages = servedTypes(world).map((typeUrl) => {
      const result = { typeUrl, ...measured(world, caseOfType(typeUrl)) };
      const { microseconds, reads, writes, steps } = result;
      row(
        `messages${typeUrl}`,
        { accounts: count },
        `${microseconds.toFixed(0).padStart(6)} µs, ${reads} reads, ${writes} writes, ${steps} steps of iterators`,
      );
      return result;
    });
    return { accounts: count, messages, block };
  });
  compare(results, row);
  return Promise.resolve(results);
}

function servedTypes({ composition }: MessageWorld): readonly string[] {
  return composition.modules
    .flatMap(({ messages }) => messages.map(({ typeUrl }) => typeUrl))
    .filter((typeUrl) => UNMEASURED[typeUrl] === undefined);
}

function caseOfType(typeUrl: string): MessageCase {
  const found = CASES[typeUrl];
  if (found === undefined)
    throw new RangeError(`${typeUrl} is served and has no case in test/bench/messages`);
  return found;
}

function measured(world: MessageWorld, { make }: MessageCase): MessageCost {
  const costs: MessageCost[] = [];
  for (let i = 0; i < WARM_UP + SAMPLES; i++) {
    const message = make(world, i);
    const { cost } = world.run(message);
    if (i >= WARM_UP) costs.push(cost);
  }
  world.endBlock();
  const median = (of: (cost: MessageCost) => number): number => percentile(costs.map(of), 0.5);
  return {
    microseconds: median((cost) => cost.microseconds),
    reads: median((cost) => cost.reads),
    writes: median((cost) => cost.writes),
    steps: median((cost) => cost.steps),
  };
}

function emptyBlocks(world: MessageWorld): BlockCost {
  const costs = Array.from({ length: BLOCKS }, () => world.endBlock()).slice(BLOCKS / 4);
  const median = (of: (cost: BlockCost) => number): number => percentile(costs.map(of), 0.5);
  return {
    endMs: median(({ endMs }) => endMs),
    beginMs: median(({ beginMs }) => beginMs),
    commitMs: median(({ commitMs }) => commitMs),
    accesses: {
      reads: median(({ accesses }) => accesses.reads),
      writes: median(({ accesses }) => accesses.writes),
      steps: median(({ accesses }) => accesses.steps),
    },
  };
}

/** How much the largest state costs more than the smallest: the last row. */
function compare(results: readonly MessagesResult[], row: Report['row']): void {
  const [first, last] = [results[0], results.at(-1)];
  if (first === undefined || last === undefined || first === last) return;
  const ratios = last.messages.map(
    ({ microseconds }, i) => microseconds / (first.messages[i]?.microseconds ?? 1),
  );
  const hooks = ({ block }: MessagesResult): number => block.endMs + block.beginMs;
  const accesses = ({ block: { accesses } }: MessagesResult): number => accesses.reads + accesses.steps;
  row(
    'messages/growth',
    { accounts: `${first.accounts}-${last.accounts}` },
    `a message takes ${percentile(ratios, 0.5).toFixed(2)} times as long (median of the types), the hooks of an empty ` +
      `block ${(hooks(last) / hooks(first)).toFixed(2)} times (aim: no growth), reads and steps of hooks ` +
      `${accesses(first)} and ${accesses(last)}`,
  );
}
