/**
 * Clients that flood the nodes with transactions, and one that wants nothing but its own to get in: it sends
 * each again until it is in a block, as the refusals tell it to.
 */
import { toHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { MempoolError } from '../../node/mempool/errors.ts';
import { transfer } from './chain.ts';
import type { Simulation } from './simulation.ts';

/** How much of it there is. */
export interface FloodOptions {
  /** Accounts that flood: those after the first. */
  readonly accounts: number;
  readonly everyMs: number;
  /** Transactions at a time. */
  readonly burst: number;
}

const KINDS = ['next', 'next', 'ahead', 'duplicate', 'garbage', 'oversized', 'without an account'] as const;
const OVERSIZED_BYTES = 10_000;
const GARBAGE_BYTES_MAX = 300;
const STRANGER = 50;
const SENT_AGAIN_AFTER_MS = 300;
const HONEST = 0;

/** See the file comment. */
export class Flood {
  /** Transactions of the honest client that are in a block. */
  arrived = 0;
  /** How often there was which answer. */
  readonly answers: Map<string, number> = new Map();
  readonly #simulation: Simulation;
  readonly #options: FloodOptions;
  readonly #sequences: Map<number, number> = new Map();
  #last: Uint8Array = new Uint8Array(1);
  #waitsFor: string | undefined;

  constructor(simulation: Simulation, options: FloodOptions) {
    this.#simulation = simulation;
    this.#options = options;
  }

  start(): void {
    const { scheduler } = this.#simulation;
    const flood = (): void => {
      for (let i = 0; i < this.#options.burst; i++) this.#sendFlood();
      scheduler.after(this.#options.everyMs, flood);
    };
    const honest = (): void => {
      this.#sendHonest();
      scheduler.after(SENT_AGAIN_AFTER_MS, honest);
    };
    scheduler.after(this.#options.everyMs, flood);
    scheduler.after(SENT_AGAIN_AFTER_MS, honest);
  }

  #sendHonest(): void {
    const blocks = [...this.#simulation.chain.values()];
    const isIn = blocks.some(({ block }) => block.txs.some((tx) => toHex(sha256(tx)) === this.#waitsFor));
    if (isIn) this.arrived++;
    const tx = transfer({ from: HONEST, to: 1, sequence: this.arrived, amount: 1 });
    this.#waitsFor = toHex(sha256(tx));
    this.#send(tx, () => undefined);
  }

  #sendFlood(): void {
    const { random } = this.#simulation.scheduler;
    const kind = random.pick(KINDS) ?? 'next';
    if (kind === 'next' || kind === 'ahead') this.#sendValid(kind);
    else this.#send(this.#useless(kind), () => undefined);
  }

  #useless(kind: (typeof KINDS)[number]): Uint8Array {
    const { random } = this.#simulation.scheduler;
    if (kind === 'duplicate') return this.#last;
    if (kind === 'oversized') return new Uint8Array(OVERSIZED_BYTES);
    if (kind === 'without an account') return transfer({ from: STRANGER, to: 0, sequence: 0, amount: 1 });
    return Uint8Array.from({ length: random.below(GARBAGE_BYTES_MAX) }, () => random.below(256));
  }

  #sendValid(kind: 'next' | 'ahead'): void {
    const from = 1 + this.#simulation.scheduler.random.below(this.#options.accounts);
    const sequence = (this.#sequences.get(from) ?? 0) + (kind === 'ahead' ? 2 : 0);
    const tx = transfer({ from, to: 0, sequence, amount: 1 });
    this.#last = tx;
    this.#send(tx, (isTaken) => {
      // A node that was killed has forgotten what it held: then the account begins again further down.
      if (isTaken) this.#sequences.set(from, sequence + 1);
      else if (this.#simulation.scheduler.random.percent(10))
        this.#sequences.set(from, Math.max(0, sequence - 2));
    });
  }

  #send(tx: Uint8Array, answered: (isTaken: boolean) => void): void {
    const { scheduler, machines } = this.#simulation;
    const machine = scheduler.random.pick(
      machines.filter(({ state, isHonest }) => state === 'up' && isHonest),
    );
    if (machine?.core === undefined) return;
    const { owner } = machine;
    machine.core.mempool.checkTx(tx).then(
      ({ code, log }) => {
        this.#count(`code ${code}`);
        if (code !== 0 && log === '')
          this.#simulation.fail('refusals say why', `code ${code} without a word`);
        answered(code === 0);
      },
      (error: unknown) => {
        if (owner.state === 'dead') return;
        this.#count(error instanceof MempoolError ? error.code : 'other');
        if (!(error instanceof MempoolError))
          this.#simulation.fail('refusals say why', `${machine.name} refuses with ${messageOf(error)}`);
        answered(false);
      },
    );
  }

  #count(answer: string): void {
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }
}
