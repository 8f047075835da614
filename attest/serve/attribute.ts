/** Attributes an answer of a model: traces it to the shards of the model's snapshots and makes the claim. */
import { LedgerError } from '../../core/errors.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Corpus } from '../query/corpus.ts';
import { type Trace, traceOutput } from '../trace/trace.ts';
import type { AttributionScope, ServeChain } from './ports.ts';
import { type PreparedClaim, quotationsOf } from './quotations.ts';
import type { ServedShard, ShardLibrary } from './shard-library.ts';

/** What is asked. */
export interface AttributionOrder {
  readonly modelId: bigint;
  /** Bytes of the model's answer. */
  readonly text: Uint8Array;
  /** Publish the answer's root instead of its text. Default false. */
  readonly isPrivate?: boolean;
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
   * The claim for a transaction.
   * @throws LedgerError `attest.no_model`; `attest.no_index` when no shard of the model's snapshots is here;
   * `attest.method` for a model that is attributed by other means; `attest.output_too_long`
   */
  async attribute({ modelId, text, isPrivate = false }: AttributionOrder): Promise<Attribution> {
    const scope = await this.#chain.scopeOf(modelId);
    if (scope === undefined)
      throw new LedgerError('attest.no_model', `there is no model ${modelId} on the chain; check model_id`);
    const method = scope.model.attributionMethod;
    if (method !== AttributionMethod.ATTRIBUTION_METHOD_SPAN)
      throw new LedgerError('attest.method', `model ${modelId} is not attributed by quotations`);
    const shards = this.#shardsOf(scope);
    const corpus = this.#corpusOf(shards);
    const trace = traceOutput(text, corpus);
    const isInScope = (shard: number, document: number): boolean =>
      scope.snapshots.some((snapshot) => holds(snapshot, shards[shard], document));
    const prepared = quotationsOf({ trace, corpus, params: scope.params, isPrivate, isInScope });
    return { ...prepared, trace, scope };
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
