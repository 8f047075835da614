/**
 * Prometheus metrics under CometBFT's names (v0.38 `metrics.go`), so that dashboards made for it work here.
 * What can be read when somebody asks is read then; only what passes by is counted.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Evidence } from '../../consensus/types/evidence.ts';
import { timeToNanos } from '../../consensus/types/time.ts';
import { toHex } from '../../core/bytes.ts';
import type { ApplicationMemory } from '../application.ts';
import type { CommittedBlock } from '../committed-block.ts';
import type { MetricsSource, NetworkCounts } from './ports.ts';

const NANOS_PER_SECOND = 1e9;
/** CometBFT's buckets of `mempool_tx_size_bytes`: 1, 3, 9 … */
const TX_SIZE_BUCKETS: number[] = [1, 3, 9, 27, 81, 243, 729, 2187, 6561, 19_683, 59_049, 177_147, 531_441];
const BLOCK_INTERVAL_BUCKETS: number[] = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

/** Settings. */
export interface MetricsOptions {
  /** Prefix of every name: `cometbft`. */
  readonly namespace: string;
  /** Label `chain_id` of every value. */
  readonly chainId: string;
  /** Also CPU, memory and event loop of the process. */
  readonly process: boolean;
}

interface Described {
  readonly name: string;
  readonly help: string;
}

/** The metrics of a node. It is the mempool's `MempoolMetrics`, and a listener of commits. */
export class NodeMetrics {
  readonly registry: Registry = new Registry();
  readonly #prefix: string;
  readonly #latestHeight: Gauge;
  readonly #numTxs: Gauge;
  readonly #totalTxs: Counter;
  readonly #blockInterval: Histogram;
  readonly #missingValidators: Gauge;
  readonly #byzantineValidators: Gauge;
  readonly #txSize: Histogram;
  readonly #failedTxs: Counter;
  readonly #rejectedTxs: Counter;
  readonly #evictedTxs: Counter;
  readonly #expiredTxs: Counter;
  readonly #alreadyReceivedTxs: Counter;
  readonly #recheckTimes: Counter;
  #mempoolSize = 0;
  #mempoolBytes = 0;
  #lastBlockNanos: bigint | undefined;

  constructor(source: MetricsSource, options: MetricsOptions) {
    this.#prefix = options.namespace === '' ? '' : `${options.namespace}_`;
    this.registry.setDefaultLabels({ chain_id: options.chainId });
    if (options.process) collectDefaultMetrics({ register: this.registry });
    this.#readOnScrape(source);
    this.#latestHeight = this.#gauge({ name: 'consensus_latest_block_height', help: 'Latest block height.' });
    this.#numTxs = this.#gauge({ name: 'consensus_num_txs', help: 'Transactions in the latest block.' });
    this.#totalTxs = this.#counter({
      name: 'consensus_total_txs',
      help: 'Transactions committed since the start.',
    });
    this.#blockInterval = this.#histogram(
      { name: 'consensus_block_interval_seconds', help: 'Time between this and the last block.' },
      BLOCK_INTERVAL_BUCKETS,
    );
    this.#missingValidators = this.#gauge({
      name: 'consensus_missing_validators',
      help: 'Validators that did not sign the block before the latest.',
    });
    this.#byzantineValidators = this.#gauge({
      name: 'consensus_byzantine_validators',
      help: 'Validators whose misbehaviour is proved in the latest block.',
    });
    this.#txSize = this.#histogram(
      { name: 'mempool_tx_size_bytes', help: 'Sizes of accepted transactions.' },
      TX_SIZE_BUCKETS,
    );
    this.#failedTxs = this.#counter({
      name: 'mempool_failed_txs',
      help: 'Transactions that CheckTx refused.',
    });
    this.#rejectedTxs = this.#counter({
      name: 'mempool_rejected_txs',
      help: 'Transactions refused because the mempool was full.',
    });
    this.#evictedTxs = this.#counter({
      name: 'mempool_evicted_txs',
      help: 'Accepted transactions that made room, or became invalid.',
    });
    this.#expiredTxs = this.#counter({
      name: 'mempool_expired_txs',
      help: 'Accepted transactions that waited for too long.',
    });
    this.#alreadyReceivedTxs = this.#counter({
      name: 'mempool_already_received_txs',
      help: 'Transactions that came again.',
    });
    this.#recheckTimes = this.#counter({
      name: 'mempool_recheck_times',
      help: 'Transactions checked again.',
    });
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    return await this.registry.metrics();
  }

  async onCommit(committed: CommittedBlock): Promise<void> {
    const { block, height } = committed;
    this.#latestHeight.set(Number(height));
    this.#numTxs.set(block.txs.length);
    this.#totalTxs.inc(block.txs.length);
    this.#byzantineValidators.set(validatorsToBlame(block.evidence));
    const absent = block.lastCommit.signatures.filter((entry) => entry.blockIdFlag === 'absent');
    this.#missingValidators.set(absent.length);
    const nanos = timeToNanos(block.header.time);
    if (this.#lastBlockNanos !== undefined) {
      this.#blockInterval.observe(Number(nanos - this.#lastBlockNanos) / NANOS_PER_SECOND);
    }
    this.#lastBlockNanos = nanos;
  }

  setSize(count: number, bytes: number): void {
    this.#mempoolSize = count;
    this.#mempoolBytes = bytes;
  }

  addTx(bytes: number): void {
    this.#txSize.observe(bytes);
  }

  addFailed(): void {
    this.#failedTxs.inc();
  }

  addRejected(): void {
    this.#rejectedTxs.inc();
  }

  addEvicted(): void {
    this.#evictedTxs.inc();
  }

  addExpired(): void {
    this.#expiredTxs.inc();
  }

  addAlreadyReceived(): void {
    this.#alreadyReceivedTxs.inc();
  }

  addRechecks(count: number): void {
    this.#recheckTimes.inc(count);
  }

  #readOnScrape(source: MetricsSource): void {
    const read = (described: Described, value: () => number): void => {
      const gauge = this.#gauge({ ...described, collect: () => gauge.set(value()) });
    };
    const round =
      (value: () => bigint | number | undefined): (() => number) =>
      () =>
        Number(value() ?? 0);
    read(
      { name: 'consensus_height', help: 'Height of the chain.' },
      round(() => source.consensus()?.height),
    );
    read(
      { name: 'consensus_rounds', help: 'Round of the current height.' },
      round(() => source.consensus()?.round),
    );
    read(
      { name: 'consensus_validators', help: 'Number of validators.' },
      round(() => source.consensus()?.validators),
    );
    read(
      { name: 'consensus_validators_power', help: 'Total power of all validators.' },
      round(() => source.consensus()?.validatorsPower),
    );
    read({ name: 'blocksync_syncing', help: 'Whether blocks are fetched.' }, () =>
      source.catchingUp() ? 1 : 0,
    );
    this.#readNetwork(source, read);
    const memory = (part: keyof ApplicationMemory) => (): number => source.applicationMemory()?.[part] ?? 0;
    read(
      { name: 'application_state_bytes', help: 'Memory of the state, all kept versions together.' },
      memory('stateBytes'),
    );
    read(
      { name: 'application_history_bytes', help: 'Memory of the state that only earlier versions hold.' },
      memory('historyBytes'),
    );
    read(
      { name: 'application_decoded_txs_bytes', help: 'Memory of decoded transactions that wait.' },
      memory('decodedTxsBytes'),
    );
    read({ name: 'mempool_size', help: 'Transactions in the mempool.' }, () => this.#mempoolSize);
    read({ name: 'mempool_size_bytes', help: 'Bytes of the mempool.' }, () => this.#mempoolBytes);
  }

  #readNetwork(source: MetricsSource, read: (described: Described, value: () => number) => void): void {
    read({ name: 'p2p_peers', help: 'Number of peers.' }, () => source.peers());
    read({ name: 'p2p_address_book_size', help: 'Known addresses.' }, () => source.addresses());
    read({ name: 'p2p_validator_peers', help: 'Peers that proved the key of a validator.' }, () =>
      source.validatorPeers(),
    );
    const sum = (counts: Readonly<Record<string, number>>): number =>
      Object.values(counts).reduce((total, one) => total + one, 0);
    const total = (name: string, help: string, value: (counts: NetworkCounts) => number): void =>
      read({ name: `p2p_${name}`, help }, () => value(source.network()));
    total('dials_total', 'Peers dialled.', ({ dials }) => dials);
    total('dials_failed_total', 'Dials that failed.', ({ dialsFailed }) => dialsFailed);
    total('connections_refused_total', 'Connections without room or right.', ({ refused }) => sum(refused));
    total('handshakes_refused_total', 'Handshakes refused.', ({ handshakesRefused }) => handshakesRefused);
    total('penalties_total', 'Faults of peers.', ({ penalties }) => penalties);
    total('bans_total', 'Bans of peers.', ({ bans }) => bans);
    total('throttled_total', 'Times that a peer was read no further.', ({ throttled }) => throttled);
    total('answer_bytes', 'Bytes of answers not read yet.', ({ answerBytes }) => answerBytes);
    total('answers_broken_off_total', 'Answers that gave way.', (counts) => counts.answersBrokenOff);
    total('message_send_bytes_total', 'Bytes sent on channels.', ({ bytesSent }) => sum(bytesSent));
    total('message_receive_bytes_total', 'Bytes received on channels.', (counts) =>
      sum(counts.bytesReceived),
    );
    total('messages_dropped_total', 'Messages that did not fit a queue.', (counts) =>
      sum(counts.messagesDropped),
    );
  }

  #gauge(described: Described & { readonly collect?: () => void }): Gauge {
    return new Gauge({ ...described, name: this.#prefix + described.name, registers: [this.registry] });
  }

  #counter(described: Described): Counter {
    return new Counter({ ...described, name: this.#prefix + described.name, registers: [this.registry] });
  }

  #histogram(described: Described, buckets: number[]): Histogram {
    return new Histogram({
      ...described,
      name: this.#prefix + described.name,
      buckets,
      registers: [this.registry],
    });
  }
}

/** Validators that evidence names, each once. */
function validatorsToBlame(list: readonly Evidence[]): number {
  const addresses = list.flatMap((evidence) =>
    evidence.kind === 'duplicateVote'
      ? [evidence.voteA.validatorAddress]
      : evidence.byzantineValidators.map(({ address }) => address),
  );
  return new Set(addresses.map(toHex)).size;
}
