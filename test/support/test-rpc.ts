/**
 * The few JSON-RPC methods that CosmJS needs to sign, send and ask, over a test chain: for tests of clients
 * that shall not wait for consensus. Real nodes are tested end to end.
 */
import { createServer, type Server } from 'node:http';
import { fromHex, toBase64, toUpperHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import type { TestChain } from './test-chain.ts';

/** How long transactions are gathered for a block. */
const BLOCK_MS = 20;

interface Committed {
  readonly height: bigint;
  readonly index: number;
  readonly tx: Uint8Array;
  readonly result: ExecTxResult;
}

type Params = Readonly<Record<string, unknown>>;

/** How blocks come about. */
export interface TestRpcOptions {
  /** Whoever asks for the status finds one block more: for clients that wait for heights. */
  readonly blockEachStatus?: boolean;
}

/** Serves a test chain on a free port of the loopback interface. */
export class TestRpc {
  readonly #chain: TestChain;
  readonly #options: TestRpcOptions;
  readonly #server: Server;
  readonly #committed = new Map<string, Committed>();
  #pending: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(chain: TestChain, options: TestRpcOptions = {}) {
    this.#chain = chain;
    this.#options = options;
    this.#server = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on('data', (part: Buffer) => body.push(part));
      request.on('end', () => {
        const { id, method, params } = JSON.parse(Buffer.concat(body).toString()) as {
          readonly id: unknown;
          readonly method: string;
          readonly params: Params;
        };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: this.#answer(method, params) }));
      });
    });
  }

  /** Starts listening; the URL. */
  async start(): Promise<string> {
    this.#chain.block();
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new RangeError('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Stops at once. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(method: string, params: Params): unknown {
    switch (method) {
      case 'status':
        if (this.#options.blockEachStatus === true && this.#pending.length === 0) this.#chain.block();
        return statusOf(this.#chain);
      case 'abci_query':
        return this.#query(params);
      case 'broadcast_tx_sync':
        return this.#broadcast(Buffer.from(String(params['tx']), 'base64'));
      case 'tx_search':
        return this.#search(String(params['query']));
      default:
        throw new RangeError(`the test RPC has no method ${method}`);
    }
  }

  #query(params: Params): unknown {
    const { code, codespace, log, value, height } = this.#chain.rawQuery(
      String(params['path']),
      fromHex(String(params['data'])),
    );
    return { response: { code, codespace, log, value: toBase64(value), height: height.toString() } };
  }

  #broadcast(tx: Uint8Array): unknown {
    const { code, codespace, log } = this.#chain.check(tx);
    if (code === 0) {
      this.#pending.push(tx);
      this.#timer ??= setTimeout(() => this.#commit(), BLOCK_MS);
    }
    return { code, codespace, log, data: '', hash: toUpperHex(sha256(tx)) };
  }

  #commit(): void {
    this.#timer = undefined;
    const txs = this.#pending;
    this.#pending = [];
    const { txResults } = this.#chain.block(...txs);
    for (const [index, tx] of txs.entries()) {
      const result = defined(txResults[index], 'result');
      this.#committed.set(toUpperHex(sha256(tx)), { height: this.#chain.height, index, tx, result });
    }
  }

  #search(query: string): unknown {
    const found = this.#committed.get(/^tx\.hash='([0-9A-F]{64})'$/.exec(query)?.[1] ?? '');
    const txs = found === undefined ? [] : [txOf(found)];
    return { txs, total_count: txs.length.toString() };
  }
}

function txOf({ height, index, tx, result }: Committed): unknown {
  const { code, codespace, data, log, info, gasWanted, gasUsed, events } = result;
  return {
    hash: toUpperHex(sha256(tx)),
    height: height.toString(),
    index,
    tx: toBase64(tx),
    tx_result: {
      code,
      codespace,
      data: toBase64(data),
      log,
      info,
      gas_wanted: gasWanted.toString(),
      gas_used: gasUsed.toString(),
      events,
    },
  };
}

function statusOf(chain: TestChain): unknown {
  const hash = '00'.repeat(32);
  const time = new Date(Number(chain.time) * 1000).toISOString();
  return {
    node_info: {
      protocol_version: { p2p: '8', block: '11', app: '0' },
      id: '00'.repeat(20),
      listen_addr: 'tcp://127.0.0.1:0',
      network: chain.chainId,
      version: '0.38.0',
      channels: '',
      moniker: 'test',
      other: { tx_index: 'on', rpc_address: '' },
    },
    sync_info: {
      latest_block_hash: hash,
      latest_app_hash: hash,
      latest_block_height: chain.height.toString(),
      latest_block_time: time,
      earliest_block_hash: hash,
      earliest_app_hash: hash,
      earliest_block_height: '1',
      earliest_block_time: time,
      catching_up: false,
    },
    validator_info: {
      address: '00'.repeat(20),
      pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(new Uint8Array(32)) },
      voting_power: '10',
    },
  };
}
