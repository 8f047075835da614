/** The chain as a watcher with an account sees it. */
import { INFLUENCE_TREES, type InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import { rulesUnder, type TraceRules } from '../../modules/attribution/proof/trace/rules.ts';
import type { IndexedTx } from '@cosmjs/stargate';
import type { OwnRequests } from '../../watch/ports.ts';
import type {
  Demand,
  InfluenceDemand,
  InfluencePlace,
  InfluenceTarget,
  PendingClaim,
  PublishedCard,
  PublishedShard,
  ObjectStakes,
  WatchChain,
} from '../../attest/watch/ports.ts';
import { messageOf } from '../../core/errors.ts';
import { convictModelCard, convictShard, disputeClaim, requestChunk } from '../../client/index.ts';
import {
  type ChunkPlace,
  type ChunkRequest,
  type Claim,
  type ClaimRecord,
  ObjectState,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardStatus } from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  MsgConvictModelCard,
  MsgConvictShard,
  MsgDisputeClaim,
  MsgRequestChunk,
  MsgServeChunk,
  type MsgSubmitClaim,
  type OmissionDispute,
  type ProvenanceDispute,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Account } from './account.ts';
import type { AttestChain } from './chain.ts';
import { messagesIn, pendingRecords, submittedClaim } from './submitted-claims.ts';

/** Answers to requests that are kept, of some 17 kB at most each. */
const ANSWERS_MAX = 4096;

const INFLUENCE_TREE_NAMES: ReadonlyMap<number, InfluenceTree> = new Map(
  (['weights', 'examples', 'residuals', 'sums', 'coordinates', 'groups', 'solution', 'effects'] as const).map(
    (tree) => [INFLUENCE_TREES[tree], tree],
  ),
);

/** What does not change while a claim is pending: it is read once. */
interface Submission extends Pick<MsgSubmitClaim, 'claim' | 'answer'> {
  readonly shards: readonly PublishedShard[];
  /** Of the parameters that it was made under. */
  readonly rules: TraceRules;
}

function pendingClaim(
  { id, claimant, finalHeight }: ClaimRecord,
  { claim, answer, shards, rules }: Submission,
): PendingClaim {
  const { content } = answer;
  return {
    id,
    claimant,
    claim,
    answered: content.length > 0 ? { answer: content, rules } : undefined,
    shards,
    dueHeight: finalHeight,
  };
}

/** What is on the chain of shards, cards and claims, and what is sent there. */
export class AccountWatchChain implements WatchChain {
  readonly #chain: AttestChain;
  readonly #account: Account;
  /** Endpoints of shards that were looked up. */
  readonly #endpoints = new Map<bigint, readonly string[]>();
  readonly #answers = new Map<bigint, Demand['answer']>();
  /** Of the claims that are pending. */
  readonly #submissions = new Map<bigint, Submission>();

  constructor(chain: AttestChain, account: Account) {
    this.#chain = chain;
    this.#account = account;
  }

  records(datanetId: bigint, first: bigint, count: number): ReturnType<WatchChain['records']> {
    return this.#chain.records(datanetId, first, count);
  }

  async shards(): Promise<readonly PublishedShard[]> {
    const standing = (await this.#chain.shards()).filter(
      ({ state }) => state !== ObjectState.OBJECT_STATE_VOIDED,
    );
    const datanets = new Set(
      standing
        .filter(({ shard }) => !this.#endpoints.has(shard.id))
        .map(({ shard }) => shard.commitment.datanetId),
    );
    for (const datanetId of datanets) await this.#lookUpEndpoints(datanetId);
    return standing.map((status) => this.#published(status));
  }

  #published({ shard }: ShardStatus): PublishedShard {
    const { id, publisher, commitment } = shard;
    const endpoints = this.#endpoints.get(id) ?? [];
    return { id, publisher, commitment, endpoints, dueHeight: dueHeightOf(shard) };
  }

  lookUpAgain(shardId: bigint): void {
    this.#endpoints.delete(shardId);
  }

  async height(): Promise<bigint> {
    return BigInt(await this.#chain.height());
  }

  async ownRequests(): Promise<OwnRequests> {
    const requests = await this.#chain.requests();
    const { accountRequestsMax } = await this.#chain.params();
    const own = requests.filter(({ requester }) => requester === this.#account.address);
    return { open: own.map(objectOf), most: accountRequestsMax };
  }

  async #lookUpEndpoints(datanetId: bigint): Promise<void> {
    const found = new Map<bigint, Set<string>>();
    for (const { index } of await this.#chain.indexesOf(datanetId))
      for (const id of index.shardIds) {
        const endpoints = found.get(id) ?? new Set();
        found.set(id, endpoints.add(index.endpoint));
      }
    for (const [id, endpoints] of found) this.#endpoints.set(id, [...endpoints]);
  }

  async pendingClaims(): Promise<readonly PendingClaim[]> {
    const records = await pendingRecords(this.#chain);
    const ids = new Set(records.map(({ id }) => id));
    for (const id of this.#submissions.keys()) if (!ids.has(id)) this.#submissions.delete(id);
    const claims: PendingClaim[] = [];
    for (const record of records) claims.push(await this.#pending(record));
    return claims;
  }

  async #pending(record: ClaimRecord): Promise<PendingClaim> {
    const { id, claimant, finalHeight, paramsVersion } = record;
    const known = this.#submissions.get(id);
    if (known !== undefined) return pendingClaim(record, known);
    const shards = await this.#shardsOf(record);
    const rules = rulesUnder(await this.#chain.paramsOf(paramsVersion));
    const unknown = { id, claimant, claim: undefined, shards, dueHeight: finalHeight };
    try {
      const found = await submittedClaim(this.#chain.connection, record);
      if (found === undefined) return unknown;
      const submission = { ...found, shards, rules };
      this.#submissions.set(id, submission);
      return pendingClaim(record, submission);
    } catch (error) {
      return { ...unknown, missing: messageOf(error) };
    }
  }

  /** Of the indexes that a claim rests on, by id. */
  async #shardsOf({ indexIds }: ClaimRecord): Promise<readonly PublishedShard[]> {
    const { attribution } = this.#chain.connection.queries.openledger;
    const indexes = await Promise.all(indexIds.map((indexId) => attribution.index({ indexId })));
    const shards = indexes.flatMap((index) => index.shards).map((status) => this.#published(status));
    return shards.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** What anybody has asked for, from the transactions; and the answers, from those of the publishers. */
  async demands(shardIds: ReadonlySet<bigint>): Promise<readonly Demand[]> {
    const open = new Set((await this.#chain.requests()).map(({ id }) => id));
    const asked: AskedPiece[] = [];
    for (const shardId of shardIds) {
      const found = await this.#search('request_chunk.shard_id', shardId.toString());
      asked.push(...found.flatMap(requestsIn).filter((request) => request.shardId === shardId));
    }
    return await Promise.all(
      asked.map(async ({ id, shardId, place, requester, bond }) => ({
        id,
        shardId,
        place,
        bond,
        own: requester === this.#account.address,
        answer: open.has(id) ? undefined : await this.#answerTo(id),
      })),
    );
  }

  async #answerTo(requestId: bigint): Promise<Demand['answer']> {
    const known = this.#answers.get(requestId);
    if (known !== undefined) return known;
    const found = await this.#search('serve_chunk.request_id', requestId.toString());
    const message = found
      .flatMap(({ tx }) => messagesIn(tx, MsgServeChunk))
      .find((each) => each.requestId === requestId);
    if (message === undefined) return undefined;
    const { content, leaves, hashes } = message;
    const answer = { content, leaves, hashes };
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= ANSWERS_MAX) this.#answers.delete(oldest);
    this.#answers.set(requestId, answer);
    return answer;
  }

  /** Transactions that passed, by an event. */
  async #search(key: string, value: string): Promise<readonly Pick<IndexedTx, 'tx' | 'events'>[]> {
    const { txs } = await this.#chain.connection.comet.txSearchAll({ query: `${key}='${value}'` });
    return txs.map(({ tx, result }) => ({ tx, events: [...result.events] }));
  }

  async convictShard(shardId: bigint, proof: Uint8Array): Promise<string> {
    const challenger = this.#account.address;
    const message = MsgConvictShard.create({ challenger, shardId, proof });
    return (await this.#account.send([convictShard(message)])).hash;
  }

  async disputeClaim(claimId: bigint, claim: Claim, provenance: ProvenanceDispute): Promise<string> {
    const challenger = this.#account.address;
    const message = MsgDisputeClaim.create({ challenger, claimId, claim, provenance });
    return (await this.#account.send([disputeClaim(message)])).hash;
  }

  async disputeOmission(claimId: bigint, claim: Claim, omission: OmissionDispute): Promise<string> {
    const challenger = this.#account.address;
    const message = MsgDisputeClaim.create({ challenger, claimId, claim, omission });
    return (await this.#account.send([disputeClaim(message)])).hash;
  }

  async cards(): Promise<readonly PublishedCard[]> {
    return (await this.#chain.cards())
      .filter(({ state }) => state !== ObjectState.OBJECT_STATE_VOIDED)
      .map(({ card: published }) => {
        const { id, publisher, card, endpoint } = published;
        return { id, publisher, card, endpoint, dueHeight: dueHeightOf(published) };
      });
  }

  async convictCard(cardId: bigint, proof: Uint8Array): Promise<string> {
    const challenger = this.#account.address;
    const message = MsgConvictModelCard.create({ challenger, cardId, proof });
    return (await this.#account.send([convictModelCard(message)])).hash;
  }

  async disputeInfluence(claimId: bigint, claim: Claim, influence: Uint8Array): Promise<string> {
    const challenger = this.#account.address;
    const message = MsgDisputeClaim.create({ challenger, claimId, claim, influence });
    return (await this.#account.send([disputeClaim(message)])).hash;
  }

  async influenceDemands(of: InfluenceTarget['kind'], id: bigint): Promise<readonly InfluenceDemand[]> {
    const found = await this.#search(`request_chunk.${of}_id`, id.toString());
    const asked = found.flatMap(requestsIn).filter((request) => request[`${of}Id`] === id);
    if (asked.length === 0) return [];
    const open = new Set((await this.#chain.requests()).map((request) => request.id));
    return await Promise.all(
      asked.flatMap(({ id: requestId, place: { tree: kind, document, chunk: leaf }, requester, bond }) => {
        const tree = INFLUENCE_TREE_NAMES.get(kind);
        if (tree === undefined) return [];
        const place = { tree, node: tree === 'coordinates' ? document : undefined, leaf };
        const own = requester === this.#account.address;
        const answer = open.has(requestId) ? undefined : this.#answerTo(requestId);
        return [(async () => ({ of, id, requestId, place, own, bond, answer: await answer }))()];
      }),
    );
  }

  async requestLeaves(target: InfluenceTarget, places: readonly InfluencePlace[]): Promise<string> {
    const { openRequests } = await this.#asked(target.kind, target.id);
    const of = target.kind === 'card' ? { cardId: target.id } : { claimId: target.id, claim: target.claim };
    const asked = places.map(({ tree, node, leaf }) => ({
      ...of,
      place: { tree: INFLUENCE_TREES[tree], document: node ?? 0, chunk: leaf },
    }));
    return await this.#request(asked, openRequests);
  }

  async stakes(of: 'shard' | InfluenceTarget['kind'], id: bigint): Promise<ObjectStakes> {
    const { openRequests, bond, paramsVersion } = await this.#asked(of, id);
    const { requestBond } = await this.#chain.params();
    const params = await this.#chain.paramsOf(paramsVersion);
    const { rewardBps, requestBlocks } = params;
    const paid = (amount: bigint): bigint => (amount * BigInt(rewardBps)) / 10_000n;
    return {
      bond: requestBond * BigInt(1 + openRequests),
      least: requestBond,
      reward: paid(BigInt(bond?.amount ?? 0)),
      leastReward: paid(of === 'claim' ? params.claimBond : params.shardBond),
      requestBlocks: BigInt(requestBlocks),
      windowBlocks: BigInt(of === 'claim' ? params.claimBlocks : params.challengeBlocks),
    };
  }

  /** What is asked about, as the chain has it now. */
  async #asked(of: 'shard' | InfluenceTarget['kind'], id: bigint): Promise<AskedObject> {
    const { attribution } = this.#chain.connection.queries.openledger;
    switch (of) {
      case 'shard':
        return (await attribution.shard({ shardId: id })).shard.shard;
      case 'card':
        return (await attribution.modelCard({ cardId: id })).card.card;
      case 'claim':
        return (await attribution.claim({ claimId: id })).claim;
    }
  }

  async requestChunk(shardId: bigint, place: ChunkPlace, amount: bigint): Promise<string> {
    const { bondDenom: denom } = await this.#chain.params();
    const requester = this.#account.address;
    const bond = { denom, amount: amount.toString() };
    const message = MsgRequestChunk.create({ requester, shardId, place, bond });
    return (await this.#account.send([requestChunk(message)])).hash;
  }

  /** Each request about one object has to be bonded higher than the one before. */
  async #request(asked: readonly Asking[], openRequests: number): Promise<string> {
    const { bondDenom: denom, requestBond } = await this.#chain.params();
    const requester = this.#account.address;
    const messages = asked.map((asking, i) => {
      const bond = { denom, amount: (requestBond * BigInt(1 + openRequests + i)).toString() };
      return requestChunk(MsgRequestChunk.create({ requester, ...asking, bond }));
    });
    return (await this.#account.send(messages)).hash;
  }
}

/** From then on claims may rest on it; of one that unbonds, its bond is gone. */
function dueHeightOf({
  activeHeight,
  releaseHeight,
}: Readonly<Record<'activeHeight' | 'releaseHeight', bigint>>): bigint {
  return releaseHeight > 0n ? releaseHeight : activeHeight;
}

function objectOf({ shardId, cardId, claimId }: ChunkRequest): string {
  if (shardId > 0n) return `shard ${shardId}`;
  return cardId > 0n ? `card ${cardId}` : `claim ${claimId}`;
}

/** What a shard, a card and a claim have. */
type AskedObject = Pick<ClaimRecord, 'openRequests' | 'bond' | 'paramsVersion'>;

/** A request without its bond. */
type Asking = Pick<MsgRequestChunk, 'place'> & Partial<Pick<MsgRequestChunk, 'cardId' | 'claimId' | 'claim'>>;

interface AskedPiece {
  readonly id: bigint;
  /** One of these is not 0. */
  readonly shardId: bigint;
  readonly cardId: bigint;
  readonly claimId: bigint;
  readonly requester: string;
  readonly place: ChunkPlace;
  /** Its amount. */
  readonly bond: bigint;
}

/** Requests that a transaction opened, from its events. */
function requestsIn({ events }: Pick<IndexedTx, 'events'>): readonly AskedPiece[] {
  return events.flatMap(({ type, attributes }) => {
    if (type !== 'request_chunk') return [];
    const of = (name: string): string => attributes.find(({ key }) => key === name)?.value ?? '0';
    const place = { tree: Number(of('tree')), document: Number(of('document')), chunk: Number(of('chunk')) };
    const [shardId, cardId, claimId] = [
      BigInt(of('shard_id')),
      BigInt(of('card_id')),
      BigInt(of('claim_id')),
    ];
    const bond = BigInt(/^\d+/.exec(of('bond'))?.[0] ?? '0');
    const id = BigInt(of('request_id'));
    return [{ id, shardId, cardId, claimId, requester: of('requester'), place, bond }];
  });
}
