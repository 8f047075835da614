/** Whether all nodes have the same chain and the same state, as their own stores say. */
import { call } from '../rpc.ts';
import type { Cluster } from './cluster.ts';

const METAS_PER_CALL = 20;

interface StoredBlock {
  readonly height: number;
  readonly hash: string;
  readonly app_hash: string;
  readonly txs: number;
}

/**
 * Every stored block of every node goes into the ledger; the hash of every application is held against the
 * next header. Returns what is wrong, each as a sentence.
 */
export async function compareChains(cluster: Cluster, withinMs: number): Promise<readonly string[]> {
  const { members, height, ledger } = cluster;
  await cluster.reach(height, { withinMs });
  for (const node of members) {
    const first = await earliestHeight(node.rpc);
    for (let low = first; low <= height; low += METAS_PER_CALL) {
      const high = Math.min(height, low + METAS_PER_CALL - 1);
      for (const block of await storedBlocks(node.rpc, low, high)) ledger.note(node.moniker, block);
    }
  }
  const states = await Promise.all(members.map(({ rpc }) => applicationState(rpc)));
  // The header after the highest of them has its hash.
  await cluster.reach(Math.max(...states.map((state) => state.height)) + 1, { withinMs });
  const wrong = members.flatMap(({ moniker }, i) => {
    const state = states[i];
    const expected = ledger.appHashAt((state?.height ?? 0) + 1);
    if (state !== undefined && state.appHash === expected) return [];
    return `${moniker}: the application at height ${state?.height} has ${state?.appHash}, the next header ${expected}`;
  });
  return [...ledger.contradictions, ...wrong];
}

async function earliestHeight(rpc: string): Promise<number> {
  const { sync_info } = await call<{ sync_info: { earliest_block_height: string } }>(rpc, 'status');
  return Number(sync_info.earliest_block_height);
}

async function applicationState(rpc: string): Promise<{ readonly height: number; readonly appHash: string }> {
  const { response } = await call<{
    response: { last_block_height: string; last_block_app_hash: string };
  }>(rpc, 'abci_info');
  const appHash = Buffer.from(response.last_block_app_hash, 'base64').toString('hex').toUpperCase();
  return { height: Number(response.last_block_height), appHash };
}

async function storedBlocks(
  rpc: string,
  minHeight: number,
  maxHeight: number,
): Promise<readonly StoredBlock[]> {
  const { block_metas } = await call<{
    block_metas: readonly {
      block_id: { hash: string };
      header: { height: string; app_hash: string };
      num_txs: string;
    }[];
  }>(rpc, 'blockchain', { minHeight: String(minHeight), maxHeight: String(maxHeight) });
  const wanted = maxHeight - minHeight + 1;
  if (block_metas.length !== wanted)
    throw new Error(`${rpc} has ${block_metas.length} of ${wanted} blocks from height ${minHeight}`);
  return block_metas.map(({ block_id, header, num_txs }) => ({
    height: Number(header.height),
    hash: block_id.hash,
    app_hash: header.app_hash,
    txs: Number(num_txs),
  }));
}
