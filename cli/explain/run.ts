/** Runs `explain` for a terminal. */
import { writeFileSync } from 'node:fs';
import type { Target } from '../../client/verifier/types.ts';
import { Refused } from '../../client/verifier/verify-payout.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { JsonRpcError } from '../../light/json-rpc.ts';
import type { Credit } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { sentenceOf } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { ExplainChain } from './chain.ts';
import { collect, type Explained } from './collect.ts';
import type { ExplainSettings } from './command.ts';
import { targetOf } from './credits.ts';
import { epochParts, type EpochSource, httpEpochs } from './epochs.ts';
import { heightsOfAccount, type Payouts, payoutsIn, payoutsOfAccount, payoutsOfSlot, txOf } from './find.ts';
import { type Received, receivedByTx, receivedSince } from './received.ts';
import { jsonText, reportText } from './report.ts';
import { rpcChain } from './rpc-chain.ts';

/** A block that paid, and why that is not explained. */
export interface Unexplained {
  readonly height: bigint;
  /** A sentence. */
  readonly reason: string;
}

/** One answer for each block that paid, the blocks without one, and what no proof is of. */
export interface Explanations {
  readonly explained: readonly Explained[];
  /** Besides claims from pools and payments: the node's word. */
  readonly received: readonly Received[];
  /** Of an account only: what else is not explained is an error. */
  readonly unexplained: readonly Unexplained[];
}

/** Explains and prints. @throws LedgerError `explain.*`; `explain.incomplete` once the rest is printed */
export async function runExplain(
  settings: ExplainSettings,
  terminal: Pick<Terminal, 'out' | 'note'>,
  chain: ExplainChain = rpcChain(settings.node),
): Promise<void> {
  const source = settings.gateway === undefined ? undefined : httpEpochs(settings.gateway);
  const explanations = await explain(chain, settings, source);
  const { explained, unexplained } = explanations;
  if (settings.proofs !== undefined) writeFileSync(settings.proofs, provable(explained).text);
  terminal.out(settings.json ? jsonText(explanations) : reportText(explanations, settings));
  for (const { height, reason } of unexplained) terminal.note(`not explained: block ${height}: ${reason}`);
  if (unexplained.length > 0)
    throw new LedgerError(
      'explain.incomplete',
      `${unexplained.length} of ${unexplained.length + explained.length} blocks with claims are not explained`,
    );
}

function provable([one]: readonly Explained[]): Explained {
  if (one !== undefined) return one;
  throw new LedgerError(
    'explain.no_proofs',
    'this is told by events, of which there are no proofs: leave --proofs out',
  );
}

/** @throws LedgerError `explain.*` */
export async function explain(
  chain: ExplainChain,
  { subject, receiptsMax }: Pick<ExplainSettings, 'subject' | 'receiptsMax'>,
  source: EpochSource | undefined,
): Promise<Explanations> {
  const options = { source, receiptsMax };
  const only = async (payouts: Payouts): Promise<Explanations> => ({
    explained: [await explainBlock(chain, payouts, options)],
    received: [],
    unexplained: [],
  });
  switch (subject.kind) {
    case 'tx':
      return await explainTx(chain, subject.hash, options);
    case 'slot':
      return only(await payoutsOfSlot(chain, subject));
    case 'receipt':
      return only({ height: (await chain.latest()) - 1n, claims: [], receipts: [subject.id] });
    case 'account':
      return await explainAccount(chain, subject, options);
    default:
      return subject satisfies never;
  }
}

async function explainTx(chain: ExplainChain, hash: string, options: ExplainOptions): Promise<Explanations> {
  const { events, height } = await txOf(chain, hash);
  const payouts = payoutsIn(events, height);
  const received = receivedByTx(events, { height, tx: hash });
  const isProvable = payouts.claims.length + payouts.receipts.length > 0;
  if (!isProvable && received.length === 0)
    throw new LedgerError('explain.nothing', `transaction ${hash} paid nobody anything but its fee`);
  const explained = isProvable ? [await explainBlock(chain, payouts, options)] : [];
  return { explained, received, unexplained: [] };
}

/** What cannot be said of one block says nothing of the next: states are forgotten from the oldest on. */
async function explainAccount(
  chain: ExplainChain,
  { address, since }: { readonly address: string; readonly since: bigint },
  options: ExplainOptions,
): Promise<Explanations> {
  const heights = await heightsOfAccount(chain, { address, since });
  const received = await receivedSince(chain, { address, since });
  if (heights.length + received.length === 0)
    throw new LedgerError('explain.nothing', `${address} has received nothing since ${since}`);
  const explained: Explained[] = [];
  const unexplained: Unexplained[] = [];
  for (const height of heights) {
    try {
      const payouts = await payoutsOfAccount(chain, { address, height });
      explained.push(await explainBlock(chain, payouts, options));
    } catch (error) {
      if (!isOfOneBlock(error)) throw error;
      unexplained.push({ height, reason: sentenceOf(error) });
    }
  }
  return { explained, received, unexplained };
}

/** What a node answers, or fails to prove, of one block; not that it answers no more. */
function isOfOneBlock(error: unknown): boolean {
  if (error instanceof Refused || error instanceof JsonRpcError) return true;
  return error instanceof LedgerError && error.code.startsWith('explain.');
}

interface ExplainOptions {
  readonly source: EpochSource | undefined;
  readonly receiptsMax: number;
}

async function explainBlock(
  chain: ExplainChain,
  { height, claims, receipts }: Payouts,
  options: ExplainOptions,
): Promise<Explained> {
  const targets: Target[] = receipts.map((id) => receiptTarget(id));
  const credits: Credit[] = [];
  try {
    for (const claim of claims) {
      const found = await targetOf(chain, claim);
      targets.push(found.target);
      credits.push(...found.credits);
    }
    const { epochs, attributions } = await epochParts(chain, credits, options);
    return await collect(chain, { targets, height, epochs, attributions });
  } catch (error) {
    throw pruned(error, height) ?? error;
  }
}

function receiptTarget(id: bigint): Target {
  return { kind: 'receipt', receipt: `${id}`, pool: [], slot: '', denom: '', credits: [] };
}

/** States of the past are forgotten: who is asked later than this has to have kept them. */
function pruned(error: unknown, height: bigint): LedgerError | undefined {
  const isPruned = error instanceof LedgerError && error.code === 'explain.query';
  if (!isPruned || !/version|state/.test(messageOf(error))) return undefined;
  return new LedgerError(
    'explain.pruned',
    `the node has not kept the states around block ${height}: ask one with a longer pruning`,
    {},
    error,
  );
}
