/** Model cards that were found right, with their leaves: on disk, and some of them ready to be asked. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../core/bytes.ts';
import { AssertionError, DecodeError } from '../../core/errors.ts';
import { coordinates } from '../../modules/attribution/proof/influence/bounds.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import { hessianOf } from '../influence/hessian.ts';
import type { Factors } from '../influence/linear-algebra.ts';
import type { ServedCard } from '../influence/published.ts';
import type { TrainedHead } from '../influence/train.ts';
import { decodeServedCard, encodeServedCard } from '../influence/served-file.ts';
import { headOfCard } from '../influence/served-head.ts';
import type { JudgedCard } from './judge-influence.ts';

/** Cards that are held in memory: each with its leaves and its Hessian. */
const READY_MAX = 2;

/** Coordinates of a head whose Hessian is solved: its factors have 32 MB, and take seconds. */
const SOLVED_COORDINATES_MAX = 2048;

/** A folder of cards by their ids. */
export class CardCache {
  readonly #folder: string;
  readonly #ready = new Map<string, JudgedCard>();

  constructor(home: string) {
    this.#folder = join(home, 'cards');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** True when a card with this id was found right. */
  has(key: string): boolean {
    return existsSync(this.#path(key));
  }

  /** Keeps a card that was found right. */
  put(served: ServedCard): void {
    const path = this.#path(toHex(cardId(served.card)));
    writeFileSync(`${path}.new`, encodeServedCard(served));
    renameSync(`${path}.new`, path);
  }

  /** The card with an id; undefined when it is not here, or its file is damaged. */
  open(key: string): JudgedCard | undefined {
    const known = this.#ready.get(key) ?? this.#read(key);
    if (known === undefined) return undefined;
    this.#ready.delete(key);
    this.#ready.set(key, known);
    const [oldest] = this.#ready.keys();
    if (oldest !== undefined && this.#ready.size > READY_MAX) this.#ready.delete(oldest);
    return known;
  }

  #read(key: string): JudgedCard | undefined {
    if (!this.has(key)) return undefined;
    try {
      const served = decodeServedCard(Uint8Array.from(readFileSync(this.#path(key))));
      const head = headOfCard(served);
      return { served, head, factors: factorsOf(head) };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // Judged anew from what is served, the next time that the watcher starts.
      rmSync(this.#path(key));
      return undefined;
    }
  }

  #path(key: string): string {
    return join(this.#folder, key);
  }
}

/** Undefined where a solution cannot be had here: then that of a claim has to come from its claimant. */
function factorsOf(head: TrainedHead): Factors | undefined {
  if (coordinates(head.set.shape) > SOLVED_COORDINATES_MAX) return undefined;
  try {
    return hessianOf(head);
  } catch (error) {
    // With the least λ, residuals that are rounded to 16 bits can leave the Hessian without an inverse: a card
    // like that is not wrong, only nobody can ask it by these means.
    if (error instanceof AssertionError) return undefined;
    throw error;
  }
}
