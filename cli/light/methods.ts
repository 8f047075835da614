/** The table of methods that the proxy serves: the same parameters as a node's, verified answers. */
import { internalError, RpcError } from '../../node/rpc/errors.ts';
import { type Method, method } from '../../node/rpc/method.ts';
import { JsonRpcError } from '../../light/json-rpc.ts';
import type { Json } from '../../light/json/json.ts';
import * as blocks from '../../light/proxy/blocks.ts';
import type { ProxyPorts } from '../../light/proxy/ports.ts';
import * as state from '../../light/proxy/state.ts';
import * as transactions from '../../light/proxy/transactions.ts';

/** What a node answered with as an error is answered so here. */
async function answered(answer: Promise<Json>): Promise<Json> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof JsonRpcError)) throw error;
    const { code, message, data } = error.rpc;
    throw code === 0 ? internalError(data) : new RpcError(code, message, data);
  }
}

/** All methods. Subscriptions are not among them: nothing vouches for an event. */
export function lightMethods(ports: ProxyPorts): readonly Method[] {
  return [
    ...chainMethods(ports),
    ...searchMethods(ports),
    ...transactionMethods(ports),
    ...nodeMethods(ports),
  ];
}

function chainMethods(ports: ProxyPorts): readonly Method[] {
  return [
    method({
      name: 'block',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => answered(blocks.block(ports, height)),
    }),
    method({
      name: 'block_by_hash',
      params: { hash: 'bytes' },
      call: ({ hash }) => answered(blocks.blockByHash(ports, hash)),
    }),
    method({
      name: 'block_results',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => answered(blocks.blockResults(ports, height)),
    }),
    method({
      name: 'blockchain',
      params: { minHeight: 'int64', maxHeight: 'int64' },
      call: ({ minHeight, maxHeight }) => answered(blocks.blockchain(ports, minHeight, maxHeight)),
    }),
    method({
      name: 'commit',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => answered(blocks.commit(ports, height)),
    }),
    method({
      name: 'consensus_params',
      params: { height: 'int64?' },
      call: ({ height }) => answered(blocks.consensusParams(ports, height)),
    }),
    method({
      name: 'header',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => answered(blocks.header(ports, height)),
    }),
    method({
      name: 'header_by_hash',
      params: { hash: 'hexBytes' },
      call: ({ hash }) => answered(blocks.headerByHash(ports, hash)),
    }),
    method({
      name: 'validators',
      params: { height: 'int64?', page: 'int?', per_page: 'int?' },
      cacheable: 'height',
      call: ({ height, page, per_page }) =>
        answered(blocks.validators(ports, height, { page, perPage: per_page })),
    }),
  ];
}

function searchMethods(ports: ProxyPorts): readonly Method[] {
  return [
    method({
      name: 'block_search',
      params: { query: 'string', page: 'int?', per_page: 'int?', order_by: 'string' },
      call: ({ query, page, per_page, order_by }) =>
        answered(blocks.blockSearch(ports, { query, ...pageOf({ page, per_page }), order_by })),
    }),
    method({
      name: 'tx_search',
      params: { query: 'string', prove: 'bool', page: 'int?', per_page: 'int?', order_by: 'string' },
      call: ({ query, prove, page, per_page, order_by }) =>
        answered(transactions.txSearch(ports, { query, prove, ...pageOf({ page, per_page }), order_by })),
    }),
  ];
}

function pageOf(asked: {
  readonly page: number | undefined;
  readonly per_page: number | undefined;
}): Record<string, string> {
  const { page, per_page } = asked;
  return {
    ...(page === undefined ? {} : { page: page.toString() }),
    ...(per_page === undefined ? {} : { per_page: per_page.toString() }),
  };
}

function transactionMethods(ports: ProxyPorts): readonly Method[] {
  const passedOn = (['broadcast_tx_sync', 'broadcast_tx_async', 'broadcast_tx_commit'] as const).map((name) =>
    method({
      name,
      params: { tx: 'bytes' },
      call: ({ tx }) => answered(transactions.broadcast(ports, name, tx)),
    }),
  );
  return [
    ...passedOn,
    method({
      name: 'tx',
      params: { hash: 'bytes', prove: 'bool' },
      call: ({ hash, prove }) => answered(transactions.tx(ports, hash, prove)),
    }),
    method({
      name: 'check_tx',
      params: { tx: 'bytes' },
      call: ({ tx }) => answered(state.passed(ports, 'check_tx', { tx: Buffer.from(tx).toString('base64') })),
    }),
    method({
      name: 'abci_query',
      params: { path: 'string', data: 'hexBytes', height: 'int64', prove: 'bool' },
      call: ({ path, data, height }) => answered(state.abciQuery(ports, { path, data, height })),
    }),
  ];
}

/** A node's own affairs are passed on; what is of the chain and cannot be proven, only when wanted. */
function nodeMethods(ports: ProxyPorts): readonly Method[] {
  const own = ['abci_info', 'net_info', 'consensus_state', 'dump_consensus_state', 'num_unconfirmed_txs'];
  return [
    method({ name: 'health', params: {}, call: () => ({}) }),
    method({ name: 'status', params: {}, call: () => answered(state.status(ports)) }),
    ...own.map((name) => method({ name, params: {}, call: () => answered(state.passed(ports, name)) })),
    method({
      name: 'unconfirmed_txs',
      params: { limit: 'int?' },
      call: ({ limit }) =>
        answered(
          state.passed(ports, 'unconfirmed_txs', limit === undefined ? {} : { limit: limit.toString() }),
        ),
    }),
    method({
      name: 'genesis',
      params: {},
      call: () => answered(state.passedIfWanted(ports, 'genesis')),
    }),
    method({
      name: 'genesis_chunked',
      params: { chunk: 'uint' },
      call: ({ chunk }) =>
        answered(state.passedIfWanted(ports, 'genesis_chunked', { chunk: chunk.toString() })),
    }),
    method({
      name: 'broadcast_evidence',
      params: { evidence: 'json' },
      call: ({ evidence }) =>
        answered(
          ports
            .rpc()
            .call('broadcast_evidence', { evidence })
            .then((answer) => answer.json()),
        ),
    }),
  ];
}
