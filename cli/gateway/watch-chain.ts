/** The chain behind a node's RPC, as a watcher of epochs with an account sees it. */
import type { EncodeObject } from '@cosmjs/proto-signing';
import type { IndexedTx } from '@cosmjs/stargate';
import { type Connection, disputeEpoch, everyPage, requestEpochPiece } from '../../client/index.ts';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import type {
  EpochAnswer,
  EpochDemand,
  EpochPiecePlace,
  EpochWatchChain,
  PendingEpoch,
  WantedFacts,
} from '../../gateway/watch/ports.ts';
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import {
  type EpochFraud,
  type EpochOpening,
  EpochTree,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import {
  type Epoch,
  type EpochRequest,
  EpochState,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import {
  MsgDisputeEpoch,
  MsgRequestEpochPiece,
  MsgServeEpochPiece,
} from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { DemandStakes, OwnRequests } from '../../watch/ports.ts';
import { messagesIn } from '../attest/submitted-claims.ts';
import { askedPieces, TREE_NUMBERS } from './asked-pieces.ts';
import { EpochFacts } from './epoch-facts.ts';

/** Epochs of a page: each comes with all of its rows. */
const PAGE = 20n;

/** Answers to requests that are kept, of some 23 kB at most each. */
const ANSWERS_MAX = 4_096;

const BPS_WHOLE = 10_000n;

/** Who disputes and asks. */
interface WatchAccount {
  readonly address: string;
  /** Resolves when the transaction is in a block and did not fail. */
  send(messages: readonly EncodeObject[]): Promise<Pick<IndexedTx, 'hash'>>;
}

/** See the file comment. The node has to have an index of transactions. */
export class AccountEpochWatchChain implements EpochWatchChain {
  readonly #connection: Connection;
  readonly #account: WatchAccount;
  readonly #facts: EpochFacts;
  readonly #answers = new Map<bigint, EpochAnswer>();
  /** No epoch before this one can be disputed any more. */
  #firstPending = 0n;
  /** Epochs that the account may have open requests about: also convicted ones, until the deadlines. */
  readonly #asked = new Set<bigint>();

  constructor(connection: Connection, account: WatchAccount) {
    this.#connection = connection;
    this.#account = account;
    this.#facts = new EpochFacts(connection);
  }

  get #settlement(): Connection['queries']['openledger']['settlement'] {
    return this.#connection.queries.openledger.settlement;
  }

  async pendingEpochs(): Promise<readonly PendingEpoch[]> {
    const listed = await this.#epochsFrom(this.#firstPending);
    const pending = listed.filter(({ state }) => state === EpochState.EPOCH_STATE_PENDING);
    const [newest] = listed;
    this.#firstPending = pending.at(-1)?.id ?? (newest === undefined ? this.#firstPending : newest.id + 1n);
    const endpoints = new Map<string, string>();
    for (const address of new Set(pending.map(({ gateway }) => gateway)))
      endpoints.set(address, (await this.#settlement.gateway({ address })).gateway.endpoint);
    for (const { id, openRequests } of pending) if (openRequests > 0) this.#asked.add(id);
    return pending.map((epoch) => ({ epoch, endpoint: endpoints.get(epoch.gateway) ?? '' })).reverse();
  }

  /** The newest first. Epochs stay on the chain, so those that are over are read once. */
  async #epochsFrom(first: bigint): Promise<readonly Epoch[]> {
    const listed: Epoch[] = [];
    let key: Uint8Array = EMPTY_BYTES;
    do {
      const pagination = { key, offset: 0n, limit: PAGE, countTotal: false, reverse: true };
      const page = await this.#settlement.epochs({ pagination });
      for (const epoch of page.epochs) {
        if (epoch.id < first) return listed;
        listed.push(epoch);
      }
      key = page.pagination?.nextKey ?? EMPTY_BYTES;
    } while (key.length > 0);
    return listed;
  }

  facts(epoch: Epoch, wanted: WantedFacts): Promise<EpochChain> {
    return this.#facts.of(epoch, wanted);
  }

  /** From the transactions that made them; the answers, from those that gave them. */
  async demands(epochId: bigint): Promise<readonly EpochDemand[]> {
    const made = await this.#search('request_epoch_piece.epoch_id', epochId);
    const asked = made.flatMap(askedPieces).filter((request) => request.epochId === epochId);
    if (asked.length === 0) return [];
    const open = new Set((await this.#openRequests(epochId)).map(({ id }) => id));
    const demands: EpochDemand[] = [];
    for (const { id, piece, bond, requester } of asked) {
      const answer = open.has(id) ? undefined : await this.#answerTo(id);
      demands.push({ id, piece, bond, own: requester === this.#account.address, answer });
    }
    return demands;
  }

  async #answerTo(requestId: bigint): Promise<EpochAnswer | undefined> {
    const known = this.#answers.get(requestId);
    if (known !== undefined) return known;
    const found = await this.#search('serve_epoch_piece.request_id', requestId);
    const message = found
      .flatMap(({ tx }) => messagesIn(tx, MsgServeEpochPiece))
      .find((each) => each.requestId === requestId);
    if (message === undefined) return undefined;
    const { opening, attribution } = message;
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= ANSWERS_MAX) this.#answers.delete(oldest);
    this.#answers.set(requestId, { opening, attribution });
    return { opening, attribution };
  }

  /** Transactions that passed, by an event. */
  async #search(key: string, value: bigint): Promise<readonly Pick<IndexedTx, 'tx' | 'events'>[]> {
    const { txs } = await this.#connection.comet.txSearchAll({ query: `${key}='${value}'` });
    return txs.map(({ tx, result }) => ({ tx, events: [...result.events] }));
  }

  #openRequests(epochId: bigint): Promise<readonly EpochRequest[]> {
    return everyPage(
      (pagination) => this.#settlement.requests({ epochId, pagination }),
      (page) => page.requests,
    );
  }

  async height(): Promise<bigint> {
    return BigInt((await this.#connection.comet.status()).syncInfo.latestBlockHeight);
  }

  async ownRequests(): Promise<OwnRequests> {
    const { accountRequestsMax } = (await this.#settlement.params()).params;
    const open: string[] = [];
    for (const epochId of [...this.#asked]) {
      const requests = await this.#openRequests(epochId);
      if (requests.length === 0) this.#asked.delete(epochId);
      for (const { requester } of requests)
        if (requester === this.#account.address) open.push(`epoch ${epochId}`);
    }
    return { open, most: accountRequestsMax };
  }

  /** A convicted epoch is gone: nothing can be won by one more request. */
  async stakes(epochId: bigint): Promise<DemandStakes> {
    const { requestBond: least } = (await this.#settlement.params()).params;
    const { epoch } = await this.#settlement.epoch({ epochId });
    return {
      bond: least * BigInt(1 + epoch.openRequests),
      least,
      reward: (BigInt(epoch.bond.amount) * BigInt(epoch.rewardBps)) / BPS_WHOLE,
      requestBlocks: BigInt(epoch.requestBlocks),
    };
  }

  async disputeEpoch(epochId: bigint, fraud: EpochFraud): Promise<string> {
    const challenger = this.#account.address;
    return await this.#send(disputeEpoch(MsgDisputeEpoch.create({ challenger, epochId, fraud })));
  }

  async requestPiece(
    epochId: bigint,
    place: EpochPiecePlace,
    { receipt, bond: amount }: { readonly receipt: EpochOpening; readonly bond: bigint },
  ): Promise<string> {
    const { bondDenom: denom } = (await this.#settlement.params()).params;
    const bond = { denom, amount: `${amount}` };
    const requester = this.#account.address;
    const asked =
      place.kind === 'run'
        ? { tree: TREE_NUMBERS[place.tree], index: place.first }
        : { tree: EpochTree.EPOCH_TREE_UNSPECIFIED, index: place.receipt };
    const message = MsgRequestEpochPiece.create({ requester, epochId, ...asked, receipt, bond });
    const hash = await this.#send(requestEpochPiece(message));
    this.#asked.add(epochId);
    return hash;
  }

  async #send(message: EncodeObject): Promise<string> {
    return (await this.#account.send([message])).hash;
  }
}
