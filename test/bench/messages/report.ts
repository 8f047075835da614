/** The rows of messages: what each type costs by itself, and what a block costs without any. */
import { fork } from 'node:child_process';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Composition, composeModules } from '../../../app/modules.ts';
import { percentile } from '../percentile.ts';
import { megabytes, type Report } from '../report.ts';
import { ACCOUNT_CASES, propose } from './account-cases.ts';
import type { MessageCase, MessageCases } from './case.ts';
import { CHANNEL_CASES } from './channel-cases.ts';
import { ATTRIBUTION_CASES } from './attribution-cases.ts';
import { DIRECT_CASES } from './direct-cases.ts';
import { NATIVE_CASES } from './native-cases.ts';
import { POOL_CASES } from './pool-cases.ts';
import { PARAMS_CASES } from './params-cases.ts';
import { SETTLEMENT_CASES } from './settlement-cases.ts';
import { STAKING_CASES } from './staking-cases.ts';
import { type BlockCost, type MessageCost, MessageWorld } from './world.ts';

const VALIDATORS = 20;
const SAMPLES = 100;
/** Of each type, before the samples: the compiler has seen the code. */
const WARM_UP = 20;
/** Votes under way meanwhile. */
const PROPOSALS = 1000;
const BLOCKS = 40;
/**
 * Largest heap of the process that measures: of an account 4 KB stay, and its part of the genesis document
 * and of what is read of it is there meanwhile.
 */
const HEAP_BASE_MB = 2_000;
const HEAP_PER_ACCOUNT_BYTES = 10_000;
/** With the default a fifth of the time is garbage collection. */
const SEMI_SPACE_MB = 128;
const CASES: MessageCases = {
  ...ACCOUNT_CASES,
  ...STAKING_CASES,
  ...NATIVE_CASES,
  ...CHANNEL_CASES,
  ...DIRECT_CASES,
  ...POOL_CASES,
  ...SETTLEMENT_CASES,
  ...ATTRIBUTION_CASES,
  ...PARAMS_CASES,
};
/** Types that nobody can run, and why. */
const UNMEASURED: Readonly<Record<string, string>> = {
  '/cosmos.evidence.v1beta1.MsgSubmitEvidence': 'no kind of evidence is accepted in transactions',
  '/openledger.attribution.v1.MsgDisputeClaim':
    'a claim that can be disputed rests on an index or a card that is active: thousands of blocks',
  '/openledger.channels.v1.MsgFinalizeWithdrawal':
    'a withdrawal that is due is a hundred blocks old; it does what MsgCloseChannel does',
  '/openledger.payments.v1.MsgReclaimHold':
    'the block in which a hold expires returns it, unless fifty others come before; it costs what MsgVoidHold does',
  '/openledger.settlement.v1.MsgClaimEntitlement':
    'an epoch that is final is as old as its window; it does what the end of a block does for a row',
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

/** Measures with so many accounts, in this process. @throws RangeError when a served type has no case */
export function measureMessages({ row, note }: Report, accounts: number): MessagesResult {
  requireCases();
  const start = performance.now();
  const step = (what: string): void => {
    const seconds = Math.round((performance.now() - start) / 1000);
    note(`${accounts} accounts: ${what} (${seconds} s, ${megabytes(process.memoryUsage.rss())} MB)`);
  };
  step(`genesis; each delegates to one of ${VALIDATORS} validators`);
  const world = new MessageWorld({ accounts, validators: VALIDATORS, note: step });
  for (let i = 0; i < PROPOSALS; i++) propose(world);
  step(`${PROPOSALS} votes under way`);
  const block = emptyBlocks(world);
  const { endMs, beginMs, commitMs, accesses } = block;
  row(
    'messages/empty-block',
    { accounts },
    `end ${endMs.toFixed(2)} ms, begin ${beginMs.toFixed(2)} ms, commit ${commitMs.toFixed(2)} ms (medians); ` +
      `${accesses.reads} reads, ${accesses.writes} writes, ${accesses.steps} steps of iterators`,
  );
  const messages = servedTypes(world.composition).map((typeUrl) => {
    const result = { typeUrl, ...measured(world, caseOfType(typeUrl)) };
    const { microseconds, reads, writes, steps } = result;
    row(
      `messages${typeUrl}`,
      { accounts },
      `${microseconds.toFixed(0).padStart(6)} µs, ${reads} reads, ${writes} writes, ${steps} steps of iterators`,
    );
    return result;
  });
  step('done');
  return { accounts, messages, block };
}

/**
 * Measures with each number of accounts, in a process of its own each, whose heap is as large as it takes.
 */
export async function reportMessages(
  { row, note }: Report,
  { accounts }: { readonly accounts: readonly number[] },
): Promise<readonly MessagesResult[]> {
  requireCases();
  const results: MessagesResult[] = [];
  for (const count of accounts) results.push(await measuredApart(count, note));
  compare(results, row);
  return results;
}

function measuredApart(accounts: number, note: Report['note']): Promise<MessagesResult> {
  const heap = HEAP_BASE_MB + Math.ceil((accounts * HEAP_PER_ACCOUNT_BYTES) / 1_000_000);
  const memory = megabytes(totalmem());
  if (heap > memory) note(`${accounts} accounts may need ${heap} MB; this machine has ${memory}`);
  const worker = fileURLToPath(new URL('./messages-worker.ts', import.meta.url));
  const flags = [`--max-old-space-size=${heap}`, `--max-semi-space-size=${SEMI_SPACE_MB}`];
  return new Promise((resolve, reject) => {
    const child = fork(worker, [String(accounts)], { execArgv: flags });
    child.on('message', (message: unknown) => {
      if (isResult(message)) resolve(message);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`measuring with ${accounts} accounts ended with ${code}`)));
  });
}

function isResult(message: unknown): message is MessagesResult {
  return typeof message === 'object' && message !== null && 'messages' in message && 'block' in message;
}

/** @throws RangeError when a served type has no case */
function requireCases(): void {
  for (const typeUrl of servedTypes(composeModules('open'))) caseOfType(typeUrl);
}

/** Types that are measured. */
export function servedTypes({ modules }: Pick<Composition, 'modules'>): readonly string[] {
  return modules
    .flatMap(({ messages }) => messages.map(({ typeUrl }) => typeUrl))
    .filter((typeUrl) => UNMEASURED[typeUrl] === undefined);
}

/** @throws RangeError */
export function caseOfType(typeUrl: string): MessageCase {
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
