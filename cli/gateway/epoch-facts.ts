/** What epochs are held against, asked of a node: the same that the chain takes from its state. */
import { type Connection, everyPage, foundOrNone } from '../../client/index.ts';
import { toHex } from '../../core/bytes.ts';
import type { WantedFacts } from '../../gateway/watch/ports.ts';
import type { EpochChain, FinalClaim, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { type Place, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Epoch } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { eachOf } from '../../watch/attempts.ts';
import { priceBook } from './price-book.ts';

/** Questions to the node at a time. */
const QUESTIONS_AT_ONCE = 8;

/** Final claims that are kept: they do not change. */
const CLAIMS_MAX = 16_384;

/** Asks the node of a connection. */
export class EpochFacts {
  readonly #connection: Connection;
  readonly #claims = new Map<bigint, FinalClaim>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What is wanted about an epoch; the rest is as if there were none. Rejects when no node answers. */
  async of(epoch: Epoch, { models, claims: ids, places }: WantedFacts): Promise<EpochChain> {
    const { gateway, denom } = epoch;
    const prices = priceBook(this.#connection, gateway);
    const terms = await found<bigint, ModelTerms>([...models], (id) => prices.terms(id));
    const claims = await found<bigint, FinalClaim>([...ids], (id) => this.#claim(id, prices.claim));
    const datanets = new Set(places.map(({ id }) => id));
    const logs = await found<bigint, bigint>([...datanets], (id) => this.#logOf(id));
    const lanes = await this.#lanesOf(epoch);
    const signed = await this.#signatures(gateway);
    return {
      denom,
      terms: (modelId) => terms.get(modelId),
      lane: (channel, lane) => lanes.get(nameOfLane(channel, lane)),
      claim: (id) => claims.get(id),
      holds: (place) => isPositionOf(logs, place),
      signed,
    };
  }

  async #claim(
    id: bigint,
    ask: (id: bigint) => Promise<FinalClaim | undefined>,
  ): Promise<FinalClaim | undefined> {
    const known = this.#claims.get(id);
    if (known !== undefined) return known;
    const claim = await ask(id);
    if (claim === undefined) return undefined;
    const [oldest] = this.#claims.keys();
    if (oldest !== undefined && this.#claims.size >= CLAIMS_MAX) this.#claims.delete(oldest);
    this.#claims.set(id, claim);
    return claim;
  }

  /** Positions of a Datanet's log: without gaps, from 0 on. */
  async #logOf(datanetId: bigint): Promise<bigint | undefined> {
    const { datanet } = this.#connection.queries.openledger;
    return (await foundOrNone(datanet.datanet({ datanetId })))?.totals.accepted;
  }

  async #lanesOf({
    roundId,
  }: Epoch): Promise<ReadonlyMap<string, { readonly from: bigint; readonly to: bigint }>> {
    const { settlement } = this.#connection.queries.openledger;
    const lanes = await everyPage(
      (pagination) => settlement.lanes({ roundId, pagination }),
      (page) => page.lanes,
    );
    return new Map(lanes.map(({ channelId, lane, from, to }) => [nameOfLane(channelId, lane), { from, to }]));
  }

  async #signatures(address: string): Promise<EpochChain['signed']> {
    const { comet, queries } = this.#connection;
    const { gateway } = await queries.openledger.settlement.gateway({ address });
    const { network } = (await comet.status()).nodeInfo;
    return (receipt, signature) =>
      verifyEd25519(gateway.receiptKey, receiptStatement(network, address, receipt), signature);
  }
}

/** Answers by what was asked about, without those that there are none of. */
async function found<K, V>(
  keys: readonly K[],
  ask: (key: K) => Promise<V | undefined>,
): Promise<ReadonlyMap<K, V>> {
  const answers = new Map<K, V>();
  await eachOf(keys, QUESTIONS_AT_ONCE, async (key) => {
    const answer = await ask(key);
    if (answer !== undefined) answers.set(key, answer);
  });
  return answers;
}

function nameOfLane(channel: Uint8Array, lane: number): string {
  return `${toHex(channel)}/${lane}`;
}

/** Attributions speak of positions only: nothing else is held here. */
function isPositionOf(logs: ReadonlyMap<bigint, bigint>, { kind, id, level, index }: Place): boolean {
  const size = logs.get(id) ?? 0n;
  return kind === PlaceKind.PLACE_KIND_DATANET && level === 0 && BigInt(index) < size;
}
