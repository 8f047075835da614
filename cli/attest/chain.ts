/** The chain behind a node's RPC, as serving and publishing see it. */
import { QueryParamsRequest, QueryParamsResponse } from '../../proto/gen/cosmos/consensus/v1/query.ts';
import type { PageRequest, PageResponse } from '../../proto/gen/cosmos/base/query/v1beta1/pagination.ts';
import { fromBech32 } from '../../core/bech32.ts';
import { toHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { cardId, decodeCard, type InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import type { CardChain } from '../../modules/attribution/proof/influence/card-fraud.ts';
import type { ContributionRecord } from '../../modules/attribution/proof/shard/fraud.ts';
import {
  type ChunkRequest,
  ObjectState,
  type Params,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type {
  IndexStatus,
  ModelCardStatus,
  ShardStatus,
} from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  type Contribution,
  ContributionState,
  type Snapshot,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { BlockRoom } from '../../attest/serve/answer-ports.ts';
import type { ActiveCard, ActiveIndex, AttributionScope, ServeChain } from '../../attest/serve/ports.ts';
import type { Connection } from '../../client/index.ts';

const PAGE = 100n;

/** Everything of a paginated query. */
export async function pages<T extends { readonly pagination?: PageResponse | undefined }, R>(
  ask: (pagination: PageRequest) => Promise<T>,
  rows: (page: T) => readonly R[],
): Promise<readonly R[]> {
  const all: R[] = [];
  for await (const page of pagesFrom(0n, ask)) all.push(...rows(page));
  return all;
}

/** Pages of a query, behind so many rows. */
async function* pagesFrom<T extends { readonly pagination?: PageResponse | undefined }>(
  from: bigint,
  ask: (pagination: PageRequest) => Promise<T>,
): AsyncGenerator<T> {
  let key: Uint8Array = new Uint8Array(0);
  let offset = from;
  do {
    const page = await ask({ key, offset, limit: PAGE, countTotal: false, reverse: false });
    yield page;
    key = page.pagination?.nextKey ?? new Uint8Array(0);
    // A key tells where to go on; both together are refused.
    offset = 0n;
  } while (key.length > 0);
}

/** Undefined when the chain has no such thing. */
async function foundOrNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (messageOf(error).includes('there is no')) return undefined;
    throw error;
  }
}

/** What was read of a Datanet's log, by position. */
interface Log {
  /** Contributions that were withdrawn by then: nothing else changes what has a position. */
  readonly withdrawn: bigint;
  readonly records: Map<number, ContributionRecord>;
}

/** Questions about attribution, each answered from what was heard before where that cannot change. */
export class AttestChain implements ServeChain {
  readonly connection: Connection;
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #versions = new Map<bigint, Params>();
  readonly #logs = new Map<bigint, Log>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get #queries(): Connection['queries']['openledger'] {
    return this.connection.queries.openledger;
  }

  async params(): Promise<Params> {
    return (await this.#queries.attribution.params()).params;
  }

  /** Of a version, which never change. @throws Error when no object has it any more */
  async paramsOf(version: bigint): Promise<Params> {
    const known = this.#versions.get(version);
    if (known !== undefined) return known;
    const { params } = await this.#queries.attribution.paramsOfVersion({ version });
    this.#versions.set(version, params);
    return params;
  }

  /** What a block takes. @throws LedgerError `attest.chain` when the node does not know */
  async blockRoom(): Promise<BlockRoom> {
    const request = QueryParamsRequest.encode(QueryParamsRequest.create({}));
    const { value } = await this.connection.queries.queryAbci('/cosmos.consensus.v1.Query/Params', request);
    const block = QueryParamsResponse.decode(value).params?.block;
    if (block === undefined) throw new LedgerError('attest.chain', 'the node knows no size of blocks');
    return { bytesMax: Number(block.maxBytes), gasMax: Number(block.maxGas) };
  }

  async height(): Promise<number> {
    return (await this.connection.comet.status()).syncInfo.latestBlockHeight;
  }

  async model(modelId: bigint): Promise<AttributionScope['model'] | undefined> {
    return (await foundOrNone(this.#queries.models.model({ modelId })))?.model;
  }

  async scopeOf(modelId: bigint): Promise<AttributionScope | undefined> {
    const model = await this.model(modelId);
    if (model === undefined) return undefined;
    const snapshots = await Promise.all(model.snapshotIds.map((id) => this.snapshot(id)));
    const { tokenBps = 0, influenceBps = 0 } = model.attributionPolicy ?? {};
    const indexes = tokenBps > 0 ? await this.#activeIndexes(model.snapshotIds) : [];
    const cards = influenceBps > 0 ? await this.#activeCards(modelId) : [];
    return { model, snapshots, indexes, cards, params: await this.params() };
  }

  async contribution(contributionId: bigint): Promise<Contribution | undefined> {
    return (await foundOrNone(this.#queries.datanet.contribution({ contributionId })))?.contribution;
  }

  async #activeCards(modelId: bigint): Promise<readonly ActiveCard[]> {
    const cards = await pages(
      (pagination) => this.#queries.attribution.modelCardsByModel({ modelId, pagination }),
      (page) => page.cards,
    );
    return cards
      .filter(({ state }) => state === ObjectState.OBJECT_STATE_ACTIVE)
      .map(({ card: { id, card } }) => ({ id, key: toHex(cardId(decodeCard(card))) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #activeIndexes(snapshotIds: readonly bigint[]): Promise<readonly ActiveIndex[]> {
    const { attribution } = this.#queries;
    const listed = await Promise.all(snapshotIds.map((id) => this.#indexesOfSnapshot(id)));
    const active = listed
      .flat()
      .filter(({ index, state }) => state === ObjectState.OBJECT_STATE_ACTIVE && !index.retired);
    return await Promise.all(
      active.map(async ({ index: { id, snapshotId } }) => {
        const { shards } = await attribution.index({ indexId: id });
        return { id, snapshotId, shards: shards.map(({ shard }) => shard) };
      }),
    );
  }

  #indexesOfSnapshot(snapshotId: bigint): Promise<readonly IndexStatus[]> {
    return pages(
      (pagination) => this.#queries.attribution.indexesBySnapshot({ snapshotId, pagination }),
      (page) => page.indexes,
    );
  }

  async snapshot(snapshotId: bigint): Promise<Snapshot> {
    const known = this.#snapshots.get(snapshotId);
    if (known !== undefined) return known;
    const { snapshot } = await this.#queries.datanet.snapshot({ snapshotId });
    this.#snapshots.set(snapshotId, snapshot);
    return snapshot;
  }

  /**
   * Contributions at positions of a Datanet's log. They are read again when some of the Datanet were
   * withdrawn since; what is contributed behind them changes nothing.
   * @throws LedgerError `attest.chain` when the node does not have all of them (yet)
   */
  async records(datanetId: bigint, first: bigint, count: number): Promise<readonly ContributionRecord[]> {
    const { withdrawn } = (await this.#queries.datanet.datanet({ datanetId })).totals;
    const known = this.#logs.get(datanetId);
    const log = known?.withdrawn === withdrawn ? known : { withdrawn, records: new Map() };
    this.#logs.set(datanetId, log);
    const positions = Array.from({ length: count }, (_, i) => Number(first) + i);
    const unread = positions.find((position) => !log.records.has(position));
    if (unread !== undefined) await this.#readLog(datanetId, log.records, [unread, Number(first) + count]);
    const whole = positions.map((at) => log.records.get(at)).filter((record) => record !== undefined);
    if (whole.length === count) return whole;
    const said = `the node has ${whole.length} of ${count} contributions of Datanet ${datanetId} from ${first}`;
    throw new LedgerError('attest.chain', said, { datanetId, first, count });
  }

  /** Which contributions are in the snapshot that a model card is about. */
  async snapshotOf({ datanetId, snapshotCount }: InfluenceCard): Promise<CardChain> {
    const records = await this.records(datanetId, 0n, Number(snapshotCount));
    const held = new Set(records.map(({ contributionId }) => contributionId));
    return { holds: (_datanet, _count, id) => held.has(id) };
  }

  /**
   * Contributions are listed as they came. Each with a position has at least so many before it: so what is
   * looked for is never before that row, and behind it as far as others have no position.
   */
  async #readLog(
    datanetId: bigint,
    records: Log['records'],
    [from, end]: readonly [number, number],
  ): Promise<void> {
    const ask = (pagination: PageRequest) =>
      this.#queries.datanet.contributionsByDatanet({ datanetId, pagination });
    for await (const { contributions } of pagesFrom(BigInt(from), ask)) {
      for (const contribution of contributions) {
        const { id, contributor, root, byteLength, state, position } = contribution;
        const accepted = state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
        // The others have no position.
        if (!accepted && state !== ContributionState.CONTRIBUTION_STATE_WITHDRAWN) continue;
        const { bytes } = fromBech32(contributor);
        records.set(Number(position), { contributionId: id, contributor: bytes, root, byteLength, accepted });
      }
      if (records.has(end - 1)) return;
    }
  }

  async shards(): Promise<readonly ShardStatus[]> {
    return await pages(
      (pagination) => this.#queries.attribution.shards({ pagination }),
      (page) => page.shards,
    );
  }

  /** Indexes of all snapshots of a Datanet. */
  async indexesOf(datanetId: bigint): Promise<readonly IndexStatus[]> {
    const snapshots = await pages(
      (pagination) => this.#queries.datanet.snapshotsByDatanet({ datanetId, pagination }),
      (page) => page.snapshots,
    );
    const found = await Promise.all(snapshots.map(({ id }) => this.#indexesOfSnapshot(id)));
    return found.flat();
  }

  async cards(): Promise<readonly ModelCardStatus[]> {
    return await pages(
      (pagination) => this.#queries.attribution.modelCards({ pagination }),
      (page) => page.cards,
    );
  }

  /** Requests that wait for an answer. */
  async requests(): Promise<readonly ChunkRequest[]> {
    return await pages(
      (pagination) => this.#queries.attribution.requests({ pagination }),
      (page) => page.requests,
    );
  }
}
