/**
 * Several shards as one: what a snapshot of a Datanet, or several of them, is indexed by. Matches and counts
 * are of what the shards commit to, because that is what can be proved; who is named as a holder is filtered
 * by what was withdrawn since.
 */
import { surprisalQ16 } from '../../modules/attribution/proof/trace/fixed-log.ts';
import type { ShardArrays, ShardDocument } from '../shard.ts';
import { type LongestMatch, type RankRange, rangeAround } from './search.ts';
import { ShardSearch } from './shard-search.ts';

/** Tokens whose surprisal is remembered: a few megabytes. */
const SURPRISALS_MAX = 65_536;

/** What a corpus is besides its shards. */
export interface CorpusOptions {
  /** True for a contribution that was withdrawn or slashed after its shard was made. Default: none was. */
  readonly isWithdrawn?: (contributionId: bigint) => boolean;
  /** Most entries of each shard's table of searches. */
  readonly samples?: number;
}

/** Ranks of one shard. */
export interface ShardRange extends RankRange {
  /** Index of the shard in the corpus. */
  readonly shard: number;
}

/** Where the longest prefix of a pattern occurs. */
export interface CorpusMatch {
  /** In tokens; 0 when not even the first token occurs. */
  readonly length: number;
  /** For each shard, how much of the pattern occurs in it, and a rank that begins with that much. */
  readonly shards: readonly LongestMatch[];
}

/** The match of a pattern, and how many of its tokens another leaves out at its beginning. */
export interface CorpusLink {
  readonly match: CorpusMatch;
  readonly skipped: number;
}

/** One place of a passage: a live document that holds it. */
export interface Holding {
  readonly shard: number;
  /** Position in the shard's token array. */
  readonly position: number;
  /** Index in the shard. */
  readonly index: number;
  readonly document: ShardDocument;
}

/** The shards of a corpus, ready for queries. */
export class Corpus {
  readonly #searches: readonly ShardSearch[];
  readonly #isWithdrawn: (contributionId: bigint) => boolean;
  readonly #surprisals = new Map<number, number>();
  /** Tokens of all shards, separators included. */
  readonly tokens: number;

  constructor(shards: readonly ShardArrays[], options: CorpusOptions = {}) {
    const { isWithdrawn = () => false, samples } = options;
    this.#searches = shards.map((shard) => new ShardSearch(shard, samples === undefined ? {} : { samples }));
    this.#isWithdrawn = isWithdrawn;
    this.tokens = shards.reduce((sum, shard) => sum + shard.tokens, 0);
  }

  /** Documents of all shards, withdrawn ones included. */
  get documents(): number {
    return this.#searches.reduce((sum, { shard }) => sum + shard.documents, 0);
  }

  /**
   * The shard of an index.
   * @throws RangeError when there is none
   */
  shard(index: number): ShardArrays {
    const search = this.#searches[index];
    if (search === undefined) throw new RangeError(`no shard ${index} of ${this.#searches.length}`);
    return search.shard;
  }

  /** How often the pattern occurs. */
  count(pattern: Uint32Array): number {
    let count = 0;
    for (const search of this.#searches) {
      const { lo, hi } = search.rankRange(pattern);
      count += hi - lo;
    }
    return count;
  }

  /**
   * Bits that a token tells, in Q16 (proof/trace/fixed-log.ts); 0 for one that does not occur. Those that
   * were asked for last are remembered.
   */
  surprisal(token: number): number {
    const known = this.#surprisals.get(token);
    if (known !== undefined) return known;
    const count = this.count(Uint32Array.of(token));
    const surprisal = count === 0 ? 0 : surprisalQ16(this.tokens, count);
    if (this.#surprisals.size >= SURPRISALS_MAX) this.#forgetHalf();
    this.#surprisals.set(token, surprisal);
    return surprisal;
  }

  /**
   * The longest prefix of the pattern that occurs in any shard.
   * @param link the match of a pattern that ends as this one does and begins earlier: makes it faster, no
   * other
   */
  longestMatch(pattern: Uint32Array, link?: CorpusLink): CorpusMatch {
    const shards = this.#searches.map((search, i) => {
      const match = link?.match.shards[i];
      return search.longestMatch(
        pattern,
        match === undefined ? undefined : { match, skipped: link?.skipped ?? 0 },
      );
    });
    return { length: shards.reduce((most, { length }) => (length > most ? length : most), 0), shards };
  }

  /** Ranks of the passage in the shards that hold it, given the match of a pattern that begins with it. */
  rangesOf(passage: Uint32Array, match: CorpusMatch): readonly ShardRange[] {
    return this.#searches.flatMap(({ shard }, index) => {
      const found = match.shards[index];
      if (found === undefined || found.length < passage.length) return [];
      return [{ shard: index, ...rangeAround(shard, passage, found.rank) }];
    });
  }

  /** Who holds a passage, but for what was withdrawn: in the order of shards and ranks. */
  *holdings(ranges: readonly ShardRange[]): Generator<Holding, void, void> {
    for (const { shard: index, lo, hi } of ranges) {
      const shard = this.shard(index);
      for (let rank = lo; rank < hi; rank++) {
        const position = shard.suffix(rank);
        const holder = shard.documentAt(position);
        const document = shard.document(holder);
        if (document.tombstone || this.#isWithdrawn(document.contributionId)) continue;
        yield { shard: index, position, index: holder, document };
      }
    }
  }

  /** Those that were made first: maps keep that order. */
  #forgetHalf(): void {
    let left = SURPRISALS_MAX / 2;
    for (const token of this.#surprisals.keys()) {
      if (left-- === 0) break;
      this.#surprisals.delete(token);
    }
  }
}
