/**
 * Most that a watcher puts at stake in a window, over all shards and cards, or over all claims: these have a
 * limit of their own, as their windows are shorter, and whoever makes the former dear should not get false
 * claims past a watcher. Each shard, card and claim may cost what its conviction would pay, though nothing be
 * wrong with it, and there may be many. Steps to a conviction are never held back, what they are about is
 * wrong and its bond pays for them; but they count, so what only tells whether there is anything to convict
 * waits for them.
 *
 * What was put at stake is kept in a file, so that a watcher that was killed does not begin anew. Bonds that
 * came back because nobody answered count too: a reward came with them.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import type { WatchMetrics } from './metrics.ts';
import type { WatchLogger } from '../../watch/ports.ts';
import type { ObjectStakes, WatchChain } from './ports.ts';

/** Rewards of convictions that it is by default. */
const REWARDS = 4n;

const LINE = /^(\d{1,20}) (\d{1,78})$/;

interface Stake {
  readonly height: bigint;
  readonly bond: bigint;
}

/** What it is made of. */
export interface SpendLimitParts {
  readonly chain: Pick<WatchChain, 'height'>;
  readonly logger: Pick<WatchLogger, 'warn'>;
  readonly metrics: Pick<WatchMetrics, 'failure'>;
}

/** How much it is. */
export interface SpendLimitOptions {
  /** Coins of bonds. Default: four times what a conviction with the least bond pays. */
  readonly spendMax?: bigint | undefined;
  /** Where it is kept what was put at stake; undefined: nowhere. */
  readonly spentFile?: string | undefined;
}

/** See the file comment. */
export class SpendLimit {
  readonly #parts: SpendLimitParts;
  readonly #options: SpendLimitOptions;
  #stakes: readonly Stake[];
  /** True since it was said that it is reached. */
  #isReached = false;

  /** @throws LedgerError (attest.spent_file) when the file is damaged */
  constructor(parts: SpendLimitParts, options: SpendLimitOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#stakes = options.spentFile === undefined ? [] : readStakes(options.spentFile);
  }

  /** True when so much more may be put at stake for what is not known to be wrong. */
  async admits(bond: bigint, { leastReward, windowBlocks }: ObjectStakes): Promise<boolean> {
    const { chain, logger, metrics } = this.#parts;
    const height = await chain.height();
    this.#stakes = this.#stakes.filter((stake) => stake.height + windowBlocks > height);
    const spent = this.#stakes.reduce((sum, stake) => sum + stake.bond, 0n);
    const limit = this.#options.spendMax ?? REWARDS * leastReward;
    if (spent + bond <= limit) {
      this.#isReached = false;
      return true;
    }
    metrics.failure('spend_max');
    if (!this.#isReached)
      logger.warn(
        { spent, limit, blocks: windowBlocks },
        `nothing more is demanded on the chain that is no step to a conviction: bonds of ${spent} were put at stake in ${windowBlocks} blocks, at most ${limit} may be (--spend-max)`,
      );
    this.#isReached = true;
    return false;
  }

  /** So much was put at stake. */
  async note(bond: bigint): Promise<void> {
    this.#stakes = [...this.#stakes, { height: await this.#parts.chain.height(), bond }];
    const { spentFile } = this.#options;
    if (spentFile === undefined) return;
    writeFileSync(
      `${spentFile}.new`,
      this.#stakes.map((stake) => `${stake.height} ${stake.bond}\n`).join(''),
    );
    renameSync(`${spentFile}.new`, spentFile);
  }
}

function readStakes(path: string): readonly Stake[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [, height, bond] = LINE.exec(line) ?? [];
    if (height === undefined || bond === undefined)
      throw new LedgerError(
        'attest.spent_file',
        `${path} has a line that is not a height and an amount: remove the file, and what was put at stake counts anew`,
        { path },
      );
    return { height: BigInt(height), bond: BigInt(bond) };
  });
}
