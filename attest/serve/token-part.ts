/** What an answer quotes, as the token part of a claim: quoted spans, or provenance by indexes. */
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { rulesUnder } from '../../modules/attribution/proof/trace/rules.ts';
import type { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { NumberedShard } from '../claim.ts';
import { Corpus } from '../query/corpus.ts';
import { type Trace, traceOutput } from '../trace/trace.ts';
import type { ActiveIndex, AttributionScope } from './ports.ts';
import { provenanceOf } from './provenance.ts';
import { type PreparedClaim, quotationsOf } from './quotations.ts';
import { requireShard, type ServedShard, type ShardLibrary } from './shard-library.ts';

/** An answer, and how it is to be published. */
export interface TracedAnswer {
  readonly text: Uint8Array;
  readonly isPrivate: boolean;
}

/** A claim of what was found, and the trace that found it. */
export interface TokenPart extends PreparedClaim {
  readonly trace: Trace;
}

/** What provenance rests on. */
export interface TokenGrounds {
  readonly scope: AttributionScope;
  /** One of each snapshot, ascending. */
  readonly indexes: readonly ActiveIndex[];
  /** All shards of the indexes, by id. */
  readonly shards: readonly (ServedShard & NumberedShard)[];
}

/** Corpora that are kept ready, one for each set of shards. */
const CORPORA_MAX = 16;

/** Makes token parts from the shards of a library. */
export class TokenParts {
  readonly #library: ShardLibrary;
  readonly #corpora = new Map<string, Corpus>();

  constructor(library: ShardLibrary) {
    this.#library = library;
  }

  /** Quoted spans. @throws LedgerError `attest.no_index`, `attest.output_too_long` */
  quote({ text, isPrivate }: TracedAnswer, scope: AttributionScope): TokenPart {
    const shards = this.#shardsOf(scope);
    const corpus = this.#corpusOf(shards);
    const trace = traceOutput(text, corpus, rulesUnder(scope.params));
    const isInScope = (shard: number, document: number): boolean =>
      scope.snapshots.some((snapshot) => holds(snapshot, shards[shard], document));
    return { ...quotationsOf({ trace, corpus, params: scope.params, isPrivate, isInScope }), trace };
  }

  /** Provenance; without proofs where it is optimistic. @throws LedgerError `attest.output_too_long` */
  locate(
    { text, isPrivate }: TracedAnswer,
    { scope: { params }, indexes, shards }: TokenGrounds,
    isOptimistic: boolean,
  ): TokenPart {
    const trace = traceOutput(text, this.#corpusOf(shards), rulesUnder(params));
    const indexIds = indexes.map(({ id }) => id);
    return { ...provenanceOf({ trace, params, isPrivate, isOptimistic, indexIds, shards }), trace };
  }

  /** What the provenance of a model's answers rests on here. @throws LedgerError `attest.no_index` */
  groundsOf(scope: AttributionScope): TokenGrounds {
    const indexes = this.#indexesOf(scope);
    return { scope, indexes, shards: this.#numbered(indexes) };
  }

  /**
   * For each snapshot the first active index that is here as a whole. A salted one serves models of one
   * Datanet only: beside another the chain takes no claim that rests on it.
   */
  #indexesOf({ model, snapshots, indexes }: AttributionScope): readonly ActiveIndex[] {
    const isAlone = new Set(snapshots.map(({ datanetId }) => datanetId)).size === 1;
    const here = indexes.filter(({ shards }) =>
      shards.every(
        ({ commitment }) =>
          (isAlone || !commitment.salted) && this.#library.find(toHex(shardId(commitment))) !== undefined,
      ),
    );
    const found = snapshots.flatMap(({ id }) => here.find(({ snapshotId }) => snapshotId === id) ?? []);
    // A claim names an index of each snapshot, so that no holder is left out.
    if (found.length === model.snapshotIds.length) return found.sort((a, b) => (a.id < b.id ? -1 : 1));
    const missing = model.snapshotIds.filter((id) => !found.some(({ snapshotId }) => snapshotId === id));
    throw new LedgerError(
      'attest.no_index',
      `model ${model.id} has snapshots without an active index that is served here (${missing.join(', ')}); ` +
        'publish one of each, or wait until its window is over',
    );
  }

  /** The shards of indexes, by their numbers on the chain. */
  #numbered(indexes: readonly ActiveIndex[]): readonly (ServedShard & NumberedShard)[] {
    const shards = new Map<bigint, ServedShard & NumberedShard>();
    for (const { id, commitment } of indexes.flatMap((index) => index.shards))
      shards.set(id, { id, ...requireShard(this.#library, toHex(shardId(commitment))) });
    return [...shards.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #shardsOf({ model, snapshots }: AttributionScope): readonly ServedShard[] {
    const shards = this.#library
      .list()
      .filter((shard) => snapshots.some((snapshot) => holds(snapshot, shard, 0)));
    if (shards.length > 0) return shards;
    throw new LedgerError(
      'attest.no_index',
      `no shard of the snapshots of model ${model.id} (${model.snapshotIds.join(', ')}) is served here; ` +
        'build and publish an index of them',
    );
  }

  /** Tables of searches fill as they are used: a corpus is worth keeping. */
  #corpusOf(shards: readonly ServedShard[]): Corpus {
    const key = shards.map((shard) => shard.key).join();
    const known = this.#corpora.get(key);
    if (known !== undefined) return known;
    const corpus = new Corpus(shards.map(({ reader }) => reader));
    const [oldest] = this.#corpora.keys();
    if (oldest !== undefined && this.#corpora.size >= CORPORA_MAX) this.#corpora.delete(oldest);
    this.#corpora.set(key, corpus);
    return corpus;
  }
}

/** True when a document of a shard is in a snapshot. */
function holds(snapshot: Snapshot, shard: ServedShard | undefined, document: number): boolean {
  if (shard === undefined) return false;
  const { datanetId, firstPosition } = shard.reader.commitment;
  return datanetId === snapshot.datanetId && firstPosition + BigInt(document) < snapshot.count;
}
