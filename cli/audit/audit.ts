/** An audit: blocks from a source through a replay, a ledger beside it, and what both end with. */
import { equalBytes, toUpperHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { DeterministicResult } from '../../consensus/types/results.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { Accounting, type AccountingReport } from './accounting.ts';
import { AuditDifference, type Difference } from './difference.ts';
import { type Executed, type Replay, transactionAt } from './replay.ts';
import { type BlockSource, decidedBlocks, readBlock } from './source.ts';

/** What an audit covers, and how closely it looks. */
export interface AuditOptions {
  /** First block of the report; the replay may begin before it. */
  readonly from: bigint;
  readonly to: bigint;
  /** A block hash that somebody trusts. */
  readonly trusted?: { readonly height: bigint; readonly hash: Uint8Array } | undefined;
  /** Hold the results that the source tells of against those of the replay, block by block. */
  readonly results: boolean;
  /** Blocks between two comparisons of all balances; those that a block changes are compared each time. */
  readonly compareEvery: bigint;
  /** Blocks between two checks of all invariants; 0: at the end only. */
  readonly invariantsEvery: bigint;
}

/** How far an audit is. */
export interface AuditProgress {
  readonly height: bigint;
  readonly from: bigint;
  readonly to: bigint;
  readonly transactions: number;
}

/** What vouches for the app hash after the last block. */
export type Confirmation = 'next header' | 'node' | 'nothing';

/** What an audit found when nothing differs. */
export interface AuditReport extends AccountingReport {
  readonly chainId: string;
  readonly from: bigint;
  readonly to: bigint;
  /** Blocks that were executed, those before `from` included. */
  readonly blocks: bigint;
  readonly transactions: number;
  readonly failed: number;
  /** After the last block, upper-case hexadecimal. */
  readonly appHash: string;
  readonly confirmedBy: Confirmation;
  readonly invariants: number;
  readonly evidence: { readonly judged: number; readonly unjudged: number };
}

/** What an audit works with. */
export interface AuditPorts {
  readonly source: BlockSource;
  readonly replay: Replay;
  readonly progress: (progress: AuditProgress) => void;
}

/**
 * Executes the blocks from where the replay stands up to the end of the range.
 * @throws AuditDifference at the first difference; LedgerError `audit.*` when blocks are missing or cannot be
 * executed
 */
export async function runAudit(ports: AuditPorts, options: AuditOptions): Promise<AuditReport> {
  const run = new AuditRun(ports, options);
  return run.finish(await run.blocks());
}

interface Counts {
  readonly first: bigint;
  transactions: number;
  failed: number;
}

class AuditRun {
  readonly #ports: AuditPorts;
  readonly #options: AuditOptions;
  readonly #accounting: Accounting;

  constructor(ports: AuditPorts, options: AuditOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#accounting = new Accounting(ports.replay);
  }

  async blocks(): Promise<Counts> {
    const { source, replay, progress } = this.#ports;
    const { from, to } = this.#options;
    const { lastBlockHeight, initialHeight } = replay.state;
    const first = lastBlockHeight === 0n ? initialHeight : lastBlockHeight + 1n;
    requireRange(await source.range(), { name: source.name, first, from, to });
    const counts: Counts = { first, transactions: 0, failed: 0 };
    const read = (height: bigint): ReturnType<typeof readBlock> => readBlock(source, height);
    for await (const decided of decidedBlocks(source, { from: first, to })) {
      const { height } = decided.block.header;
      if (height === from) this.#accounting.beginRange();
      const executed = await this.#named(() => replay.apply(decided, read));
      this.#requireTrusted(executed);
      if (this.#options.results) await this.#compareResults(executed);
      this.#accounting.block(executed);
      this.#checkpoint(height);
      counts.transactions += executed.block.txs.length;
      counts.failed += executed.results.txResults.filter(({ code }) => code !== 0).length;
      this.#remember(executed);
      progress({ height, from: first, to, transactions: counts.transactions });
    }
    return counts;
  }

  async finish({ first, transactions, failed }: Counts): Promise<AuditReport> {
    const { replay } = this.#ports;
    const { from, to } = this.#options;
    const confirmedBy = await this.#confirm();
    const invariants = this.#checkInvariants(to);
    this.#accounting.compareAll(to);
    return {
      chainId: replay.state.chainId,
      from,
      to,
      blocks: to - first + 1n,
      transactions,
      failed,
      appHash: toUpperHex(replay.state.appHash),
      confirmedBy,
      invariants,
      evidence: { judged: replay.evidence.judged, unjudged: replay.evidence.unjudged },
      ...this.#accounting.report(to),
    };
  }

  /** The last block's results, by which a header that denies them is told which transaction it means. */
  #last: Executed | undefined;

  #remember(executed: Executed): void {
    this.#last = executed;
  }

  /** Adds the transaction to a difference of results or state, where the source tells enough. */
  async #named<T>(run: () => Promise<T> | T): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const last = this.#last;
      if (!(error instanceof AuditDifference) || last === undefined) throw error;
      const { difference } = error;
      const isOfResults = difference.what === 'app hash' || difference.what === 'results hash';
      if (!isOfResults || difference.height !== last.block.header.height) throw error;
      throw new AuditDifference(await this.#withTransaction(difference, last), error);
    }
  }

  async #withTransaction(difference: Difference, executed: Executed): Promise<Difference> {
    const { source } = this.#ports;
    let results: readonly DeterministicResult[] | undefined;
    try {
      results = await source.results(difference.height);
    } catch (error) {
      return { ...difference, note: `no results of the chain to name a transaction by: ${messageOf(error)}` };
    }
    if (results === undefined) return difference;
    const other = resultDifference(executed, results);
    if (other !== undefined)
      return {
        ...difference,
        ...pick(other),
        note: `its result: ${other.chain} there, ${other.replay} here`,
      };
    const note = `${source.name} tells of the same results of all ${results.length} transactions`;
    return { ...difference, note };
  }

  async #compareResults(executed: Executed): Promise<void> {
    const { height } = executed.block.header;
    const results = await this.#ports.source.results(height);
    if (results === undefined)
      throw new LedgerError(
        'audit.results_missing',
        `${this.#ports.source.name} has no results of block ${height}: audit without --results`,
        { height },
      );
    const difference = resultDifference(executed, results);
    if (difference !== undefined) throw new AuditDifference(difference);
  }

  #requireTrusted({ block, blockId }: Executed): void {
    const { trusted } = this.#options;
    const { height } = block.header;
    if (trusted?.height !== height || equalBytes(trusted.hash, blockId.hash)) return;
    const chain = toUpperHex(blockId.hash);
    throw new AuditDifference({
      height,
      what: 'block hash',
      chain,
      replay: `${toUpperHex(trusted.hash)}, the one that you trust`,
    });
  }

  #checkpoint(height: bigint): void {
    const { to, compareEvery, invariantsEvery } = this.#options;
    if (height === to) return; // at the end everything is looked at anyway
    if (invariantsEvery > 0n && height % invariantsEvery === 0n) this.#checkInvariants(height);
    if (height % compareEvery === 0n) this.#accounting.compareAll(height);
  }

  /** @returns how many there are */
  #checkInvariants(height: bigint): number {
    const { replay } = this.#ports;
    const [broken] = replay.brokenInvariants();
    if (broken !== undefined)
      throw new AuditDifference({
        height,
        what: 'invariant',
        chain: 'the same state',
        replay: `a state after the block that breaks ${broken}`,
      });
    const { modules } = replay.app.composition;
    return modules.reduce((sum, { invariants }) => sum + invariants.length, 0);
  }

  /** The next header says what the last block came to; where there is none, the node may say it. */
  async #confirm(): Promise<Confirmation> {
    const { source, replay } = this.#ports;
    const { to } = this.#options;
    const { height: highest } = await source.range();
    if (highest > to) {
      for await (const next of decidedBlocks(source, { from: to + 1n, to: to + 1n }))
        await this.#named(() => replay.confirm(next));
      return 'next header';
    }
    const hash = await source.appHash(to);
    if (hash === undefined) return 'nothing';
    if (equalBytes(hash, replay.state.appHash)) return 'node';
    const difference = {
      height: to,
      what: 'app hash',
      chain: `${toUpperHex(hash)}, as its node says`,
      replay: toUpperHex(replay.state.appHash),
    };
    return this.#named(() => {
      throw new AuditDifference(difference);
    });
  }
}

function pick({ transaction }: Difference): Pick<Difference, 'transaction'> {
  return transaction === undefined ? {} : { transaction };
}

/** The first transaction whose result is another one than in the replay. */
function resultDifference(
  { block, results }: { readonly block: Executed['block']; readonly results: ResponseFinalizeBlock },
  told: readonly DeterministicResult[],
): Difference | undefined {
  const { height } = block.header;
  const { txResults } = results;
  if (told.length !== txResults.length) {
    const [chain, replay] = [`${told.length} results`, `${txResults.length}`];
    return { height, what: 'results', chain, replay };
  }
  const index = txResults.findIndex((result, i) => resultText(result) !== resultText(told[i]));
  if (index < 0) return undefined;
  const transaction = transactionAt(block, index);
  const [chain, replay] = [resultText(told[index]), resultText(txResults[index])];
  return { height, what: 'result', transaction, chain, replay };
}

function resultText(result: DeterministicResult | undefined): string {
  if (result === undefined) return 'none';
  const { code, data, gasWanted, gasUsed } = result;
  return `code ${code}, gas ${gasUsed} of ${gasWanted}, data ${toUpperHex(data) || 'none'}`;
}

/** @throws LedgerError `cli.usage`, `audit.block_missing` */
function requireRange(
  range: { readonly base: bigint; readonly height: bigint },
  wanted: { readonly name: string; readonly first: bigint; readonly from: bigint; readonly to: bigint },
): void {
  const { name, first, from, to } = wanted;
  const facts = { first, from, to, base: range.base, height: range.height };
  if (from < first)
    throw new LedgerError('cli.usage', `--from ${from}: the replay begins with block ${first}`, facts);
  if (to < from) throw new LedgerError('cli.usage', `there is no block from ${from} to ${to}`, facts);
  if (range.base <= first && to <= range.height) return;
  throw new LedgerError(
    'audit.block_missing',
    `${name} has blocks ${range.base} to ${range.height}, and the replay needs ${first} to ${to}`,
    facts,
  );
}
