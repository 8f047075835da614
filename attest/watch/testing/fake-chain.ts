/** A chain that takes what the real one takes, and publishers in memory. */
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { leafCount, runOfShard, shardId } from '../../../modules/attribution/proof/shard/commitment.ts';
import { type ContributionRecord, verifyFraud } from '../../../modules/attribution/proof/shard/fraud.ts';
import { decodeFraud } from '../../../modules/attribution/proof/shard/fraud-format.ts';
import { isShardRun } from '../../../modules/attribution/proof/shard/runs.ts';
import { verifyShardProof } from '../../../modules/attribution/proof/shard/verify.ts';
import { tokenise } from '../../../modules/attribution/proof/tokenise.ts';
import { omittedPassage, problemOfOmission } from '../../../modules/attribution/proof/omission.ts';
import { committedAnswer, openSection, provableContent } from '../../../modules/attribution/verify.ts';
import type { ChunkPlace, Claim } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { OmissionDispute, ProvenanceDispute } from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import { openRun } from '../../prove/open-run.ts';
import type { ProvableShard } from '../../prove/prove.ts';
import type { ServedCard, ServedClaim } from '../../influence/published.ts';
import type { SourceDocument } from '../../shard.ts';
import type { OwnRequests } from '../../../watch/ports.ts';
import type {
  Demand,
  InfluenceDemand,
  InfluencePlace,
  InfluenceTarget,
  ObjectStakes,
  PendingClaim,
  PublishedCard,
  PublishedShard,
  Publisher,
  WatchChain,
} from '../ports.ts';
import { FakeInfluence, servesInfluence } from './fake-influence.ts';
import { TREES_BY_KIND } from '../supply.ts';

/** What was sent to the chain. */
export type Sent = readonly [
  kind:
    | 'convict'
    | 'dispute'
    | 'dispute omission'
    | 'demand'
    | 'convict card'
    | 'dispute influence'
    | 'demand leaf',
  id: bigint,
];

/** Contributions of one Datanet, and shards and claims about them. */
export class FakeChain implements WatchChain {
  readonly sent: Sent[] = [];
  readonly published: Map<bigint, PublishedShard> = new Map();
  readonly claims: (Omit<PendingClaim, 'dueHeight'> & Partial<PendingClaim>)[] = [];
  readonly influence: FakeInfluence;
  readonly #documents: readonly SourceDocument[];
  #demands: Demand[] = [];
  /** Set: every question fails. */
  down = false;
  /** Of the last block, and of what is published from now on. */
  at = 1n;
  dueHeight = 20_000n;
  requestsMax = 8;
  /** Shards whose endpoints are to be looked up again. */
  readonly lookedUpAgain: bigint[] = [];
  /** Contributions that were taken back. */
  readonly withdrawn: Set<bigint> = new Set();
  /** Who answers requests; undefined: nobody does. */
  answering: ProvableShard | undefined;

  constructor(documents: readonly SourceDocument[]) {
    this.#documents = documents;
    const ids = new Set(documents.map(({ contributionId }) => contributionId));
    this.influence = new FakeInfluence({ holds: (_datanet, _count, id) => ids.has(id) });
  }

  publish(shard: Pick<ProvableShard, 'commitment'>, ...endpoints: readonly string[]): bigint {
    const id = BigInt(this.published.size + 1);
    const { commitment } = shard;
    const publisher = 'open1publisher';
    this.published.set(id, { id, publisher, commitment, endpoints, dueHeight: this.dueHeight });
    return id;
  }

  async shards(): Promise<readonly PublishedShard[]> {
    if (this.down) throw new Error('no node answers');
    return [...this.published.values()];
  }

  async pendingClaims(): Promise<readonly PendingClaim[]> {
    return this.claims.map((claim) => ({ dueHeight: this.dueHeight, ...claim }));
  }

  async records(_: bigint, first: bigint, count: number): Promise<readonly ContributionRecord[]> {
    return Array.from({ length: count }, (__, i) => this.#record(Number(first) + i)).filter(
      (r) => r !== undefined,
    );
  }

  #record(position: number): ContributionRecord | undefined {
    const document = this.#documents[position];
    if (document === undefined) return undefined;
    const accepted = document.content !== undefined && !this.withdrawn.has(document.contributionId);
    return { ...document, byteLength: BigInt(document.byteLength), accepted };
  }

  async demands(): Promise<readonly Demand[]> {
    return this.#demands;
  }

  async convictShard(id: bigint, proof: Uint8Array): Promise<string> {
    const { commitment } = this.#shard(id);
    const recordAt = (_: bigint, position: bigint) => this.#record(Number(position));
    verifyFraud(commitment, decodeFraud(proof), { recordAt });
    this.published.delete(id);
    return this.#send('convict', id);
  }

  async disputeClaim(
    id: bigint,
    claim: Claim,
    { span, shardId: of, proof }: ProvenanceDispute,
  ): Promise<string> {
    const claimed = claim.token?.spans[span];
    const query = tokenise(claimed?.text ?? new Uint8Array(0));
    const { commitment } = this.#shard(of);
    const [shown] = verifyShardProof({ commitment, query, proof }).statements;
    const hit = claimed?.hits.find((each) => each.shardId === of);
    const named = hit?.contributionIds ?? [];
    const { kind, lo, hi } = shown?.statement ?? { kind: 'count', lo: 0, hi: 0 };
    const holder = this.#documents[shown?.holders[0]?.document ?? -1]?.contributionId;
    const isTrue =
      kind === 'occurrence'
        ? named[lo - (hit?.firstRank ?? 0)] === holder
        : hi - lo === named.length && (hi === lo || lo === hit?.firstRank);
    if (isTrue) throw new Error('the claim says the same');
    return this.#send('dispute', id);
  }

  async disputeOmission(id: bigint, claim: Claim, dispute: OmissionDispute): Promise<string> {
    const pending = this.claims.find((each) => each.id === id);
    const { answered, shards } = pending ?? { answered: undefined, shards: [] };
    if (answered === undefined) throw new Error('no answer is known');
    const { answer, rules } = answered;
    const committed = committedAnswer(provableContent(answer));
    const { spans } = claim.token ?? { spans: [] };
    const omitted = omittedPassage({ token: { spans }, answer: committed, rules }, dispute);
    const problem =
      typeof omitted === 'string' ? omitted : problemOfOmission(omitted, shards, dispute.proofs);
    if (problem !== undefined) throw new Error(problem);
    return this.#send('dispute omission', id);
  }

  async cards(): Promise<readonly PublishedCard[]> {
    return [...this.influence.cards.values()];
  }

  async influenceDemands(of: InfluenceTarget['kind'], id: bigint): Promise<readonly InfluenceDemand[]> {
    return this.influence.demands(of, id);
  }

  async convictCard(id: bigint, proof: Uint8Array): Promise<string> {
    this.influence.convict(id, proof);
    return this.#send('convict card', id);
  }

  async disputeInfluence(id: bigint, claim: Claim, proof: Uint8Array): Promise<string> {
    this.influence.dispute(claim, proof);
    return this.#send('dispute influence', id);
  }

  async requestLeaves(target: InfluenceTarget, places: readonly InfluencePlace[]): Promise<string> {
    for (const place of places) this.influence.request(target, place);
    return this.#send('demand leaf', target.id);
  }

  async stakes(of: 'shard' | InfluenceTarget['kind'], id: bigint): Promise<ObjectStakes> {
    const demands =
      of === 'shard' ? this.#demands.filter(({ shardId }) => shardId === id) : this.influence.demands(of, id);
    const open = demands.filter(({ answer }) => answer === undefined).length;
    return {
      bond: 100n * BigInt(1 + open),
      least: 100n,
      reward: 5000n,
      requestBlocks: 500n,
      leastReward: 5000n,
      windowBlocks: of === 'claim' ? 2_000n : 20_000n,
    };
  }

  async height(): Promise<bigint> {
    return this.at;
  }

  lookUpAgain(id: bigint): void {
    this.lookedUpAgain.push(id);
  }

  async ownRequests(): Promise<OwnRequests> {
    const own = this.#demands.filter((demand) => demand.own && demand.answer === undefined);
    const open = [...own.map(({ shardId }) => `shard ${shardId}`), ...this.influence.ownOpen()];
    return { open, most: this.requestsMax };
  }

  async requestChunk(id: bigint, place: ChunkPlace, bond: bigint): Promise<string> {
    const isSame = (one: ChunkPlace): boolean =>
      one.tree === place.tree && one.document === place.document && one.chunk === place.chunk;
    const open = this.#demands.some(
      (demand) => demand.shardId === id && demand.answer === undefined && isSame(demand.place),
    );
    if (open) throw new Error('a request for this piece is open');
    const least = (await this.stakes('shard', id)).bond;
    if (bond < least) throw new Error(`the bond must be ${least}`);
    const { open: ownOpen, most } = await this.ownRequests();
    if (ownOpen.length >= most) throw new Error('too many open requests');
    this.#note({ shardId: id, place, own: true, bond });
    return this.#send('demand', id);
  }

  /** Bonds of what the watcher demanded of a shard. */
  bondsOf(id: bigint): bigint {
    const own = this.#demands.filter(({ shardId, own }) => own && shardId === id);
    return own.reduce((sum, { bond }) => sum + bond, 0n);
  }

  /** Somebody else demands a piece. */
  demandedByOther(shardId: bigint, place: ChunkPlace): void {
    this.#note({ shardId, place, own: false, bond: 100n });
  }

  #note(demand: Omit<Demand, 'id' | 'answer'>): void {
    const id = BigInt(this.#demands.length + 1);
    this.#demands = [...this.#demands, { ...demand, id, answer: undefined }];
  }

  /** Answers what is demanded of one shard. */
  answerAbout(shardId: bigint): void {
    const shard = this.answering;
    if (shard === undefined) return;
    this.#demands = this.#demands.map((demand) =>
      demand.shardId === shardId
        ? { ...demand, answer: demand.answer ?? this.#answerTo(shard, demand.place) }
        : demand,
    );
  }

  /** Answers the oldest open demand about a shard with bytes that say nothing. */
  answerOldest(shardId: bigint): void {
    const oldest = this.#demands.find((each) => each.shardId === shardId && each.answer === undefined);
    const answer = { content: new Uint8Array(0), leaves: [], hashes: [] };
    this.#demands = this.#demands.map((demand) => (demand === oldest ? { ...demand, answer } : demand));
  }

  /** Answers what is demanded, as far as there is somebody who does. */
  answer(): void {
    const shard = this.answering;
    if (shard === undefined) return;
    this.#demands = this.#demands.map((demand) => ({
      ...demand,
      answer: demand.answer ?? this.#answerTo(shard, demand.place),
    }));
  }

  #answerTo(shard: ProvableShard, { tree: kind, document, chunk }: ChunkPlace): Demand['answer'] {
    const tree = TREES_BY_KIND.get(kind);
    if (tree === undefined) {
      const content = this.#documents[document]?.content ?? new Uint8Array(0);
      const section = openSection(content, chunk);
      return section && { ...section, leaves: [] };
    }
    const piece = { content: new Uint8Array(0), ...openRun(shard, tree, chunk) };
    const run = runOfShard(shard.commitment, tree, chunk);
    return isShardRun(shard.commitment, { tree, run }, piece) ? piece : undefined;
  }

  #shard(id: bigint): PublishedShard {
    const shard = this.published.get(id);
    if (shard === undefined) throw new Error(`there is no shard ${id}`);
    return shard;
  }

  #send(kind: Sent[0], id: bigint): string {
    this.sent.push([kind, id]);
    return `TX${this.sent.length}`;
  }
}

/** What a publisher in memory serves: texts, leaves, both or nothing. */
export function memoryPublisher(serves: {
  readonly texts?: readonly SourceDocument[];
  readonly shard?: ProvableShard;
  readonly cards?: readonly ServedCard[];
  readonly claims?: readonly ServedClaim[];
}): Publisher & { readonly asked: string[] } {
  const { texts = [], shard } = serves;
  const asked: string[] = [];
  const isServed = (key: string): boolean => shard !== undefined && toHex(shardId(shard.commitment)) === key;
  const pieces = (from: number, count: number, total: number, piece: (i: number) => Uint8Array) =>
    Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, i) => piece(from + i));
  return {
    asked,
    influenceLeaves: servesInfluence(serves),
    async content(root) {
      asked.push('content');
      return texts.find((text) => equalBytes(text.root, root))?.content;
    },
    async leaves(key, tree, { from, count }) {
      asked.push('leaves');
      if (shard === undefined || !isServed(key)) return undefined;
      return pieces(from, count, leafCount(shard.commitment, tree), (i) => shard.leaf(tree, i));
    },
    async nodes(key, tree, { from, count, level }) {
      asked.push('nodes');
      if (shard === undefined || !isServed(key)) return undefined;
      const total = Math.ceil(leafCount(shard.commitment, tree) / 2 ** level);
      return pieces(from, count, total, (i) => shard.node(tree, level, i));
    },
  };
}
