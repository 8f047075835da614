/** Blocks, headers, commits and results. */
import { LedgerError } from '../../../core/errors.ts';
import { parseQuery } from '../../query.ts';
import { BLOCK_METAS_MAX } from '../config.ts';
import { heightOrLatest, pageBounds } from '../heights.ts';
import { blockResultsJson } from '../json/abci.ts';
import { blockIdJson, blockJson, blockMetaJson, commitJson, headerJson } from '../../../light/json/print.ts';
import type { Json } from '../../../light/json/json.ts';
import { type Method, method } from '../method.ts';
import type { RpcPorts } from '../ports.ts';
import { searchOrder } from '../search-order.ts';
import { readStoredBlock } from '../stored-block.ts';

const NO_BLOCK_ID: Json = { hash: '', parts: { total: 0, hash: '' } };

/** The methods about blocks. */
export function blockMethods(ports: RpcPorts): readonly Method[] {
  const { blocks } = ports;
  const latest = (asked: bigint | undefined): bigint => heightOrLatest(ports, blocks.range().height, asked);
  const headerAt = (height: bigint | undefined): Json => {
    const meta = height === undefined ? undefined : blocks.meta(height);
    return { header: meta === undefined ? null : headerJson(meta.header) };
  };
  return [
    method({
      name: 'block',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => blockAt(ports, latest(height)),
    }),
    method({
      name: 'block_by_hash',
      params: { hash: 'bytes' },
      cacheable: 'always',
      call: ({ hash }) => blockAt(ports, blocks.heightOf(hash)),
    }),
    method({
      name: 'header',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => headerAt(latest(height)),
    }),
    method({
      name: 'header_by_hash',
      params: { hash: 'hexBytes' },
      cacheable: 'always',
      call: ({ hash }) => headerAt(blocks.heightOf(hash)),
    }),
    method({
      name: 'commit',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => commitAt(ports, latest(height)),
    }),
    method({
      name: 'block_results',
      params: { height: 'int64?' },
      cacheable: 'height',
      call: ({ height }) => resultsAt(ports, latest(height)),
    }),
    method({
      name: 'blockchain',
      params: { minHeight: 'int64', maxHeight: 'int64' },
      cacheable: 'always',
      call: ({ minHeight, maxHeight }) => blockchain(ports, minHeight, maxHeight),
    }),
    blockSearch(ports),
  ];
}

function blockAt(ports: RpcPorts, height: bigint | undefined): Json {
  if (height === undefined) return { block_id: NO_BLOCK_ID, block: null };
  const meta = ports.blocks.meta(height);
  const bytes = ports.blocks.blockBytes(height);
  return {
    block_id: meta === undefined ? NO_BLOCK_ID : blockIdJson(meta.blockId),
    block: bytes === undefined ? null : blockJson(readStoredBlock(bytes)),
  };
}

function commitAt(ports: RpcPorts, height: bigint): Json {
  const meta = ports.blocks.meta(height);
  if (meta === undefined) return null;
  const commit = ports.blocks.commit(height);
  return {
    signed_header: {
      header: headerJson(meta.header),
      commit: commit === undefined ? null : commitJson(commit),
    },
    // The canonical commit of a block stands in the next one.
    canonical: height < ports.blocks.range().height,
  };
}

function resultsAt(ports: RpcPorts, height: bigint): Json {
  const results = ports.state.results(height);
  if (results === undefined) {
    throw new LedgerError('rpc.results', `could not find results for height #${height}`, { height });
  }
  return blockResultsJson(height, results);
}

/** Newest first, at most 20. */
function blockchain(ports: RpcPorts, minHeight: bigint, maxHeight: bigint): Json {
  if (minHeight < 0n || maxHeight < 0n) {
    throw new LedgerError('rpc.height', 'heights must be non-negative');
  }
  const { base, height } = ports.blocks.range();
  const high = maxHeight === 0n || maxHeight > height ? height : maxHeight;
  const low = [base, minHeight, 1n, high - BLOCK_METAS_MAX + 1n].reduce((a, b) => (a > b ? a : b));
  if (low > high) {
    throw new LedgerError('rpc.height', `min height ${low} can't be greater than max height ${high}`);
  }
  const metas: Json[] = [];
  for (let at = high; at >= low; at--) {
    const meta = ports.blocks.meta(at);
    metas.push(meta === undefined ? null : blockMetaJson(meta));
  }
  return { last_height: height.toString(), block_metas: metas };
}

function blockSearch(ports: RpcPorts): Method {
  return method({
    name: 'block_search',
    params: { query: 'string', page: 'int?', per_page: 'int?', order_by: 'string' },
    call: async ({ query, page, per_page, order_by }) => {
      if (ports.index === undefined) throw new LedgerError('rpc.no_index', 'block indexing is disabled');
      const found = await ports.index.searchBlocks({
        query: parseQuery(query),
        order: searchOrder(order_by, 'desc'),
        page: (total) => pageBounds(total, { page, perPage: per_page }),
      });
      const stored = found.items.filter((height) => ports.blocks.meta(height) !== undefined);
      return {
        blocks: stored.map((height) => blockAt(ports, height)),
        total_count: found.total.toString(),
      };
    },
  });
}
