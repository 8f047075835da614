/**
 * A server over real neighbours — mempool, index, event bus — and the chain of `chain.ts`. For tests and
 * measurements.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBase64, toUpperHex } from '../../../core/bytes.ts';
import { defined } from '../../../core/errors.ts';
import type { CommittedBlock } from '../../committed-block.ts';
import { DEFAULT_EVENT_BUS_CONFIG, type EventBusConfig } from '../../eventbus/config.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import { EventBus } from '../../eventbus/event-bus.ts';
import { EventPublisher } from '../../eventbus/publisher.ts';
import { DEFAULT_INDEXER_CONFIG } from '../../indexer/config.ts';
import { Indexer, type IndexerPorts } from '../../indexer/indexer.ts';
import { LevelDatabase } from '../../indexer/level-database.ts';
import { DEFAULT_MEMPOOL_CONFIG } from '../../mempool/config.ts';
import { Mempool } from '../../mempool/mempool.ts';
import { DEFAULT_RPC_CONFIG, type RpcConfig } from '../config.ts';
import type { RpcLogger, RpcPorts } from '../ports.ts';
import { RpcServer } from '../server.ts';
import { CHAIN_ID, TestApplication, TestChain } from './chain.ts';

/** What a test may set. */
export interface TestNodeOptions {
  readonly config?: Partial<RpcConfig>;
  readonly events?: Partial<EventBusConfig>;
  readonly ports?: Partial<RpcPorts>;
}

const NOTHING = (): void => {};

/** Log that nobody reads; errors are kept. */
export class TestLogger implements RpcLogger {
  readonly errors: string[] = [];
  readonly debug: () => void = NOTHING;
  readonly info: () => void = NOTHING;
  readonly warn: () => void = NOTHING;
  error(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.errors.push(`${message} ${String(facts['error'])}`);
  }
}

/** The node. */
export class TestNode {
  readonly chain: TestChain;
  readonly mempool: Mempool;
  readonly bus: EventBus;
  readonly server: RpcServer;
  readonly ports: RpcPorts;
  readonly logger: TestLogger;
  readonly #publisher: EventPublisher;
  readonly #indexer: Indexer;
  readonly #directory: string;

  private constructor(
    parts: { readonly directory: string; readonly database: LevelDatabase },
    options: TestNodeOptions,
  ) {
    this.#directory = parts.directory;
    this.logger = new TestLogger();
    const { logger } = this;
    this.chain = new TestChain();
    const application = new TestApplication(this.chain);
    this.bus = new EventBus({ ...DEFAULT_EVENT_BUS_CONFIG, ...options.events });
    this.#publisher = new EventPublisher(this.bus);
    const { chain } = this;
    const blocks: IndexerPorts['blocks'] = {
      slice: (height, offset, length) => chain.blockBytes(height)?.slice(offset, offset + length),
      txResult: (height, index) => chain.results(height)?.txResults[index],
    };
    this.#indexer = new Indexer({ database: parts.database, blocks, logger }, DEFAULT_INDEXER_CONFIG);
    const metrics = {
      setSize: NOTHING,
      addTx: NOTHING,
      addFailed: NOTHING,
      addRejected: NOTHING,
      addEvicted: NOTHING,
      addExpired: NOTHING,
      addAlreadyReceived: NOTHING,
      addRechecks: NOTHING,
    };
    this.mempool = new Mempool(
      { application, gossip: { publish: NOTHING }, metrics, logger },
      DEFAULT_MEMPOOL_CONFIG,
    );
    const validator = defined(this.chain.validatorSet.validators[0], 'validator');
    const ports: RpcPorts = {
      application,
      blocks: this.chain,
      state: this.chain,
      status: { nodeInfo: () => nodeInfo('node'), catchingUp: () => false, validator: () => validator },
      peers: {
        listening: () => true,
        listeners: () => ['/ip4/127.0.0.1/tcp/1'],
        peers: () => [peer()],
        bans: () => [{ peerId: '12D3b', reason: 'lied', remainingMs: 1500, times: 2 }],
        addressBook: () => ({ size: 9, triedSize: 4 }),
      },
      genesis: { text: () => genesisText(this.chain) },
      mempool: this.mempool,
      evidence: { add: () => 'added' },
      index: this.#indexer,
      events: this.bus,
      consensus: { consensus: () => undefined },
      timers: systemTimers,
      logger,
      ...options.ports,
    };
    this.ports = ports;
    this.server = new RpcServer(ports, { ...DEFAULT_RPC_CONFIG, port: 0, ...options.config });
  }

  static async start(options: TestNodeOptions = {}): Promise<TestNode> {
    const directory = await mkdtemp(join(tmpdir(), 'rpc-'));
    const node = new TestNode({ directory, database: await LevelDatabase.open(directory) }, options);
    await node.server.start();
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  get websocketUrl(): string {
    return `ws://127.0.0.1:${this.server.port}`;
  }

  /** Makes a block, of what waits in the mempool when nothing else is said. */
  async commit(txs: readonly Uint8Array[] = this.mempool.reap(-1, -1n)): Promise<CommittedBlock> {
    const release = await this.mempool.lock();
    const committed = this.chain.commitBlock(txs);
    await this.mempool.update(committed);
    release();
    await this.#indexer.onCommit(committed);
    await this.#publisher.onCommit(committed);
    return committed;
  }

  async stop(): Promise<void> {
    this.bus.stop();
    await this.server.stop();
    this.mempool.stop();
    await this.#indexer.close();
    await rm(this.#directory, { recursive: true });
  }
}

function nodeInfo(moniker: string): ReturnType<RpcPorts['status']['nodeInfo']> {
  return {
    id: 'ab'.repeat(20),
    listenAddress: 'tcp://0.0.0.0:26656',
    network: CHAIN_ID,
    moniker,
    appVersion: 0n,
  };
}

function peer(): ReturnType<RpcPorts['peers']['peers']>[number] {
  return {
    node: nodeInfo('peer'),
    outbound: true,
    remoteIp: '10.0.0.1',
    connectedMs: 2000,
    sent: flow(1000),
    received: flow(500),
    peerId: '12D3a',
    address: '/ip4/10.0.0.1/tcp/26656/p2p/12D3a',
    persistent: true,
    score: 12.5,
    claimedHeight: 77n,
    validator: new Uint8Array(20).fill(0xab),
  };
}

function flow(bytes: number): ReturnType<typeof peer>['sent'] {
  const rates = { instantRate: 10, currentRate: 20, averageRate: bytes / 2, peakRate: 40 };
  return { bytes, samples: 3, ...rates, durationMs: 2000, idleMs: 5 };
}

/** In the shape of the Cosmos SDK. */
function genesisText(chain: TestChain): string {
  return JSON.stringify({
    app_name: 'test',
    app_version: '1',
    genesis_time: '2023-11-14T22:13:20.000000001Z',
    chain_id: CHAIN_ID,
    initial_height: 1,
    app_hash: null,
    app_state: { bank: { supply: [] } },
    consensus: {
      validators: chain.validatorSet.validators.map(({ address, publicKey, votingPower }, index) => ({
        address: toUpperHex(address),
        pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(publicKey.bytes) },
        power: votingPower.toString(),
        name: `v${index}`,
      })),
      params: {
        block: { max_bytes: '22020096', max_gas: '-1' },
        evidence: { max_age_num_blocks: '100000', max_age_duration: '172800000000000', max_bytes: '1048576' },
        validator: { pub_key_types: ['ed25519'] },
        version: { app: '0' },
        abci: { vote_extensions_enable_height: '0' },
      },
    },
  });
}
