/** The money of the replayed blocks: ledger against state after each block, and books of the range. */
import { momentOf } from '../../app/blocks.ts';
import { parseCoins } from '../../framework/coins.ts';
import { QueryContext } from '../../framework/context.ts';
import type { Event } from '../../framework/events.ts';
import { moduleAddress } from '../../framework/address.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { JsonReader } from '../../framework/json.ts';
import { STORE_NAME as PAYMENTS_STORE } from '../../modules/payments/state.ts';
import { defined } from '../../core/errors.ts';
import { Books, type BookRow, Purposes, type PurposeSum, wrongRows } from './books.ts';
import { AuditDifference, type NamedTransaction } from './difference.ts';
import { InferenceBook, type InferenceFees, paidFees } from './inference.ts';
import { imbalanceOf, Ledger, type Movement, movementsOf } from './ledger.ts';
import { type Executed, type Replay, transactionAt } from './replay.ts';
import { type BalanceDifference, changedDifference, fullDifference, stateEntries } from './state-balances.ts';

/** The money of a range. */
export interface AccountingReport {
  /** By account of a module, the others together in `accounts`. */
  readonly rows: readonly BookRow[];
  readonly purposes: readonly PurposeSum[];
  readonly inference: readonly InferenceFees[];
  /** After the last block. */
  readonly supply: readonly { readonly denom: string; readonly amount: bigint }[];
  /** Balances that were compared at the end. */
  readonly balances: number;
  /** Times that all balances were compared. */
  readonly comparisons: number;
  /** Movements of coins that the ledger was told of. */
  readonly movements: number;
}

/** What belongs to a range and begins with it. */
interface Range {
  readonly books: Books;
  readonly purposes: Purposes;
  readonly inference: InferenceBook;
  /** Fees by events of payments, by denomination. */
  readonly paid: Map<string, bigint>;
}

/** Of what `imbalanceOf` is asked: a transaction, or a block's hooks. */
interface EventGroup {
  readonly events: readonly Event[];
  readonly transaction: NamedTransaction | undefined;
}

/** See the file comment. */
export class Accounting {
  readonly #replay: Replay;
  readonly #ledger = new Ledger();
  /** Text of a module account's address to the name of the module. */
  readonly #modules: ReadonlyMap<string, string>;
  #range: Range | undefined;
  #comparisons = 0;
  #movements = 0;

  constructor(replay: Replay) {
    this.#replay = replay;
    const { addresses, auth } = replay.app.composition;
    const names = [...auth.moduleAccounts.keys()];
    this.#modules = new Map(names.map((name) => [addresses.toText(moduleAddress(name)), name]));
    if (replay.state.lastBlockHeight > 0n) this.#openFromState();
    else this.#openFromGenesis();
  }

  /** The next block is the first of the range. */
  beginRange(): void {
    const books = new Books(this.#modules);
    books.open(this.#ledger);
    const purposes = new Purposes(this.#modules);
    this.#range = { books, purposes, inference: new InferenceBook(), paid: new Map() };
  }

  /** Takes an executed block and compares what it changed. @throws AuditDifference */
  block(executed: Executed): void {
    const { height } = executed.block.header;
    for (const { events, transaction } of groupsOf(executed)) {
      const movements = movementsOf(events);
      requireBalance(movements, { height, transaction });
      this.#ledger.record(movements);
      this.#movements += movements.length;
      this.#range?.books.record(movements);
      this.#range?.purposes.record(events, movements);
      for (const [denom, fee] of paidFees(events)) this.#addPaid(denom, fee);
    }
    this.#recordReceipts(height);
    const { store, app } = this.#replay;
    const changes = defined(store.lastChanges, 'changes of the block');
    const { addresses } = app.composition;
    // At the beginning nothing was compared yet.
    const isFirst = this.#comparisons === 0;
    const difference = isFirst ? undefined : changedDifference(this.#ledger, changes, addresses);
    if (difference !== undefined) throw differenceAt(height, difference);
    if (isFirst) this.compareAll(height);
  }

  /** Compares every balance and every supply. @throws AuditDifference */
  compareAll(height: bigint): void {
    const { addresses } = this.#replay.app.composition;
    this.#comparisons++;
    this.#ledger.takeTouched();
    const difference = fullDifference(this.#ledger, this.#context(), addresses);
    if (difference !== undefined) throw differenceAt(height, difference);
  }

  /** @throws AuditDifference when the books do not add up */
  report(height: bigint): AccountingReport {
    const { books, purposes, inference, paid } = defined(this.#range, 'range of the report');
    const rows = books.rows(this.#ledger);
    const [wrong] = wrongRows(rows);
    if (wrong !== undefined) throw wrongBooks(height, wrong);
    const fees = inference.fees();
    for (const { denom, fee } of fees) requirePaid(height, { denom, fee, paid: paid.get(denom) ?? 0n });
    const denoms = [...this.#ledger.denoms()].sort((a, b) => (a < b ? -1 : 1));
    return {
      rows,
      purposes: purposes.sums(),
      inference: fees,
      supply: denoms.map((denom) => ({ denom, amount: this.#ledger.supply(denom) })),
      balances: this.#ledger.size,
      comparisons: this.#comparisons,
      movements: this.#movements,
    };
  }

  /** The balances of the document, then what modules and genesis transactions moved. */
  #openFromGenesis(): void {
    const { genesis, genesisEvents } = this.#replay;
    const bank = new JsonReader(genesis.document.appState, 'app_state').member('bank');
    const balances = bank.present ? bank.member('balances').elements() : [];
    for (const entry of balances) {
      const coins = entry.member('coins').elements();
      this.#ledger.open(
        entry.member('address').text(),
        parseCoins(
          coins.map((coin) => ({
            denom: coin.member('denom').text(),
            amount: coin.member('amount').text(),
          })),
        ),
      );
    }
    const movements = movementsOf(genesisEvents);
    requireBalance(movements, { height: 0n, transaction: undefined });
    this.#ledger.record(movements);
  }

  /** What the trusted state has. */
  #openFromState(): void {
    const { addresses } = this.#replay.app.composition;
    for (const { account, denom, amount } of stateEntries(this.#context(), addresses))
      this.#ledger.open(account, [{ denom, amount }]);
  }

  #recordReceipts(height: bigint): void {
    const { store } = this.#replay;
    const changes = defined(store.lastChanges, 'changes of the block');
    const before = changes.previous === 0n ? NOTHING : store.at(changes.previous).reader(PAYMENTS_STORE);
    const problem = this.#range?.inference.record(changes, before);
    if (problem === undefined) return;
    throw new AuditDifference({
      height,
      what: `receipt ${problem.receipt}`,
      chain: `a fee of ${problem.fee}`,
      replay: `payouts of ${problem.paid}`,
    });
  }

  #addPaid(denom: string, fee: bigint): void {
    const paid = this.#range?.paid;
    paid?.set(denom, (paid.get(denom) ?? 0n) + fee);
  }

  #context(): QueryContext {
    const { store, state } = this.#replay;
    const { lastBlockHeight, chainId, lastBlockTime } = state;
    const block = momentOf(chainId, lastBlockHeight, lastBlockTime);
    return new QueryContext(store.at(store.lastCommit.version), block, unlimitedGas());
  }
}

/** The store of payments before the first block. */
const NOTHING = { get: () => undefined };

function groupsOf({ block, results }: Executed): readonly EventGroup[] {
  const txs = results.txResults.map(({ events }, index) => ({
    events,
    transaction: transactionAt(block, index),
  }));
  return [...txs, { events: results.events, transaction: undefined }];
}

function requireBalance(
  movements: readonly Movement[],
  where: { readonly height: bigint; readonly transaction: NamedTransaction | undefined },
): void {
  const imbalance = imbalanceOf(movements);
  if (imbalance === undefined) return;
  const { denom, gained, made } = imbalance;
  const { height, transaction } = where;
  throw new AuditDifference({
    height,
    what: 'movements',
    ...(transaction === undefined ? {} : { transaction }),
    chain: `accounts that gained ${gained}${denom} together`,
    replay: `${made}${denom} minted less burned`,
  });
}

function differenceAt(height: bigint, found: BalanceDifference): AuditDifference {
  const { account, denom, state, ledger } = found;
  return new AuditDifference({
    height,
    what: account === undefined ? `supply of ${denom}` : `balance of ${account}`,
    chain: `${state}${denom} in its state`,
    replay: `${ledger}${denom} by the movements of coins`,
  });
}

function wrongBooks(height: bigint, { row, denom, closing, ...flow }: BookRow): AuditDifference {
  const sum = flow.opening + flow.minted + flow.in - flow.out - flow.burned;
  return new AuditDifference({
    height,
    what: `books of ${row}`,
    chain: `${closing}${denom} at the end`,
    replay: `${sum}${denom} by opening, minted, in, out and burned`,
  });
}

/** Fees by receipts are fees by events. */
function requirePaid(
  height: bigint,
  { denom, fee, paid }: { readonly denom: string; readonly fee: bigint; readonly paid: bigint },
): void {
  if (fee === paid) return;
  throw new AuditDifference({
    height,
    what: 'fees of inferences',
    chain: `receipts of ${fee}${denom} in its state`,
    replay: `payments of ${paid}${denom} by events`,
  });
}
