/** Attributes an answer of a model: traces it to the shards of the model's snapshots and makes the claim. */
import { LedgerError } from '../../core/errors.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { toHex } from '../../core/bytes.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { rulesUnder } from '../../modules/attribution/proof/trace/rules.ts';
import type { NumberedShard } from '../claim.ts';
import { Corpus } from '../query/corpus.ts';
import { type Trace, traceOutput } from '../trace/trace.ts';
import type { ActiveIndex, AttributionScope, ServeChain } from './ports.ts';
import { provenanceOf } from './provenance.ts';
import { type PreparedClaim, quotationsOf } from './quotations.ts';
import { requireShard, type ServedShard, type ShardLibrary } from './shard-library.ts';

/** What is asked. */
export interface AttributionOrder {
  readonly modelId: bigint;
  /** Bytes of the model's answer. */
  readonly text: Uint8Array;
  /** Publish the answer's root instead of its text. Default false. */
  readonly isPrivate?: boolean;
  /**
   * Provenance without proofs, to be submitted with a bond. Default false; a model that takes bonded claims
   * only gets no others.
   */
  readonly isOptimistic?: boolean;
}

/** An answer's sources, and the claim that pays them. */
export interface Attribution extends PreparedClaim {
  readonly trace: Trace;
  readonly scope: AttributionScope;
}

/** Corpora that are kept ready, one for each set of shards. */
const CORPORA_MAX = 16;

/** Attributes answers from the shards of a library. */
export class Attributor {
  readonly #library: ShardLibrary;
  readonly #chain: ServeChain;
  readonly #corpora = new Map<string, Corpus>();

  constructor(library: ShardLibrary, chain: ServeChain) {
    this.#library = library;
    this.#chain = chain;
  }

  /**
   * The claim for a transaction: quoted spans or token provenance, as the model is attributed.
   * @throws LedgerError `attest.no_model`; `attest.no_index` when what the claim would rest on is not here;
   * `attest.method` for a model that is attributed by other means; `attest.output_too_long`
   */
  async attribute(order: AttributionOrder): Promise<Attribution> {
    const { modelId } = order;
    const scope = await this.#chain.scopeOf(modelId);
    if (scope === undefined)
      throw new LedgerError('attest.no_model', `there is no model ${modelId} on the chain; check model_id`);
    const { attributionMethod, attributionPolicy } = scope.model;
    if (attributionMethod === AttributionMethod.ATTRIBUTION_METHOD_SPAN) return this.#quote(order, scope);
    if (attributionPolicy !== undefined && attributionPolicy.tokenBps > 0) return this.#locate(order, scope);
    throw new LedgerError('attest.method', `model ${modelId} is not attributed by what its answers quote`);
  }

  #quote({ text, isPrivate = false }: AttributionOrder, scope: AttributionScope): Attribution {
    const shards = this.#shardsOf(scope);
    const corpus = this.#corpusOf(shards);
    const trace = traceOutput(text, corpus, rulesUnder(scope.params));
    const isInScope = (shard: number, document: number): boolean =>
      scope.snapshots.some((snapshot) => holds(snapshot, shards[shard], document));
    const prepared = quotationsOf({ trace, corpus, params: scope.params, isPrivate, isInScope });
    return { ...prepared, trace, scope };
  }

  #locate(order: AttributionOrder, scope: AttributionScope): Attribution {
    const { text, isPrivate = false, isOptimistic = false } = order;
    const indexes = this.#indexesOf(scope);
    const shards = this.#numbered(indexes);
    const { params, model } = scope;
    const trace = traceOutput(text, this.#corpusOf(shards), rulesUnder(params));
    const indexIds = indexes.map(({ id }) => id);
    const withBond = isOptimistic || model.attributionPolicy?.bondedClaimsOnly === true;
    const prepared = provenanceOf({ trace, params, isPrivate, isOptimistic: withBond, indexIds, shards });
    return { ...prepared, trace, scope };
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
