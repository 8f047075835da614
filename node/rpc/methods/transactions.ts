/** Transactions: submitted, waiting, committed. */
import { LedgerError, messageOf } from '../../../core/errors.ts';
import { toUpperHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { merkleProofs } from '../../../core/merkle.ts';
import { CheckTxType, ExecTxResult, type TxResult } from '../../../proto/gen/tendermint/abci/types.ts';
import { parseQuery } from '../../query.ts';
import { txKey } from '../../tx-key.ts';
import type { RpcConfig } from '../config.ts';
import { pageBounds, perPageOf } from '../heights.ts';
import { execTxResultJson } from '../json/abci.ts';
import { txProofJson } from '../../../light/json/print.ts';
import { base64Json, hexJson, type Json } from '../../../light/json/json.ts';
import { type Method, method } from '../method.ts';
import type { RpcPorts } from '../ports.ts';
import { searchOrder } from '../search-order.ts';
import { readStoredBlock } from '../stored-block.ts';

const CODE_OK = 0;

/** The methods about transactions. */
export function transactionMethods(ports: RpcPorts, config: RpcConfig): readonly Method[] {
  const { mempool, application } = ports;
  return [
    method({
      name: 'broadcast_tx_sync',
      params: { tx: 'bytes' },
      call: async ({ tx }) => {
        const hash = txKey(tx);
        const { code, data, log, codespace } = await mempool.checkTx(tx, hash);
        return { code, data: hexJson(data), log, codespace, hash };
      },
    }),
    method({
      name: 'broadcast_tx_async',
      params: { tx: 'bytes' },
      call: ({ tx }) => {
        const hash = txKey(tx);
        mempool.checkTx(tx, hash).catch((error: unknown) => {
          ports.logger.debug({ error: messageOf(error) }, 'transaction was not taken');
        });
        return { code: CODE_OK, data: '', log: '', codespace: '', hash };
      },
    }),
    method({
      name: 'broadcast_tx_commit',
      params: { tx: 'bytes' },
      call: ({ tx }) => broadcastCommit(ports, config, tx),
    }),
    method({
      name: 'check_tx',
      params: { tx: 'bytes' },
      call: async ({ tx }) => execTxResultJson(await application.checkTx({ tx, type: CheckTxType.NEW })),
    }),
    method({
      name: 'unconfirmed_txs',
      params: { limit: 'int?' },
      call: ({ limit }) => {
        const txs = mempool.list(perPageOf(limit));
        return { ...unconfirmed(ports, txs.length), txs: txs.map(base64Json) };
      },
    }),
    method({
      name: 'num_unconfirmed_txs',
      params: {},
      call: () => ({ ...unconfirmed(ports, mempool.size), txs: null }),
    }),
    txByHash(ports),
    txSearch(ports),
  ];
}

function unconfirmed(ports: RpcPorts, count: number): { readonly [key: string]: Json } {
  return {
    n_txs: count.toString(),
    total: ports.mempool.size.toString(),
    total_bytes: ports.mempool.sizeBytes.toString(),
  };
}

async function broadcastCommit(ports: RpcPorts, config: RpcConfig, tx: Uint8Array): Promise<Json> {
  const key = txKey(tx);
  // The place is taken before the transaction is checked: the block may come faster than the answer.
  const { committed, cancel } = ports.events.waitForTx(key);
  let cancelTimer = (): void => undefined;
  try {
    const check = await ports.mempool.checkTx(tx, key).catch((error: unknown) => {
      throw new LedgerError('rpc.broadcast', `error on broadcastTxCommit: ${messageOf(error)}`, {}, error);
    });
    const answer = (result: ExecTxResult, height: bigint): Json => ({
      check_tx: execTxResultJson(check),
      tx_result: execTxResultJson(result),
      hash: key,
      height: height.toString(),
    });
    if (check.code !== CODE_OK) return answer(ExecTxResult.create({}), 0n);
    const timeout = new Promise<undefined>((resolve) => {
      cancelTimer = ports.timers.after(config.broadcastCommitTimeoutMs, () => resolve(undefined));
    });
    const event = await Promise.race([committed, timeout]);
    if (event === undefined) {
      throw new LedgerError('rpc.timeout', 'timed out waiting for tx to be included in a block', { key });
    }
    const { result, height } = event.result;
    return answer(result, height);
  } finally {
    cancelTimer();
    cancel();
  }
}

function txByHash(ports: RpcPorts): Method {
  return method({
    name: 'tx',
    params: { hash: 'bytes', prove: 'bool' },
    cacheable: 'always',
    call: async ({ hash, prove }) => {
      const index = enabledIndex(ports);
      if (hash.length === 0) throw new LedgerError('rpc.tx', 'transaction hash cannot be empty');
      const key = toUpperHex(hash);
      const found = await index.get(key);
      if (found === undefined) throw new LedgerError('rpc.tx', `tx (${key}) not found`, { key });
      return resultTxJson(found, prove ? new Prover(ports) : undefined);
    },
  });
}

function txSearch(ports: RpcPorts): Method {
  return method({
    name: 'tx_search',
    params: { query: 'string', prove: 'bool', page: 'int?', per_page: 'int?', order_by: 'string' },
    call: async ({ query, prove, page, per_page, order_by }) => {
      const found = await enabledIndex(ports).searchTxs({
        query: parseQuery(query),
        order: searchOrder(order_by, 'asc'),
        page: (total) => pageBounds(total, { page, perPage: per_page }),
      });
      const prover = prove ? new Prover(ports) : undefined;
      return {
        txs: found.items.map((item) => resultTxJson(item, prover)),
        total_count: found.total.toString(),
      };
    },
  });
}

function enabledIndex(ports: RpcPorts): NonNullable<RpcPorts['index']> {
  if (ports.index === undefined) throw new LedgerError('rpc.no_index', 'transaction indexing is disabled');
  return ports.index;
}

function resultTxJson(found: TxResult, prover: Prover | undefined): Json {
  const proof = prover?.proof(found);
  return {
    hash: txKey(found.tx),
    height: found.height.toString(),
    index: found.index,
    tx_result: execTxResultJson(found.result),
    tx: base64Json(found.tx),
    ...(proof === undefined ? {} : { proof }),
  };
}

/** Proves transactions against their blocks; the tree of a block is built once per answer. */
class Prover {
  readonly #ports: RpcPorts;
  readonly #trees = new Map<bigint, ReturnType<typeof merkleProofs>>();

  constructor(ports: RpcPorts) {
    this.#ports = ports;
  }

  /** Undefined when the block is not stored any more. */
  proof(found: TxResult): Json | undefined {
    const tree = this.#trees.get(found.height) ?? this.#tree(found.height);
    const proof = tree?.proofs[found.index];
    if (tree === undefined || proof === undefined) return undefined;
    return txProofJson({ root: tree.root, tx: found.tx, proof });
  }

  #tree(height: bigint): ReturnType<typeof merkleProofs> | undefined {
    const bytes = this.#ports.blocks.blockBytes(height);
    if (bytes === undefined) return undefined;
    // The leaves are the transactions' hashes, as in the header's data hash.
    const tree = merkleProofs(readStoredBlock(bytes).txs.map(sha256));
    this.#trees.set(height, tree);
    return tree;
  }
}
