/**
 * What the server is joined to while the node restores a snapshot: it tells of itself and its peers. There is
 * no chain yet, and nothing of a state that is half restored gets out.
 */
import { LedgerError } from '../../core/errors.ts';
import type { RpcPorts } from './ports.ts';

/** What a node knows from its start on. */
export interface KnownPorts extends Pick<RpcPorts, 'status' | 'peers' | 'genesis' | 'timers' | 'logger'> {
  /** Whether it will have an index. */
  readonly indexes: boolean;
}

/** `status`, `health`, `net_info`, `genesis` as always; no block; everything else is refused in words. */
export function portsWhileSyncing({ indexes, ...known }: KnownPorts): RpcPorts {
  const later = async (): Promise<never> => refuse();
  return {
    ...known,
    application: { info: later, query: later, checkTx: later },
    blocks: {
      range: () => ({ base: 0n, height: 0n }),
      meta: () => undefined,
      blockBytes: () => undefined,
      heightOf: () => undefined,
      commit: () => undefined,
    },
    state: { results: () => undefined, validators: () => undefined, consensusParams: () => undefined },
    mempool: { checkTx: later, size: 0, sizeBytes: 0, list: () => [] },
    evidence: { add: refuse },
    index: indexes ? { get: later, searchTxs: later, searchBlocks: later } : undefined,
    events: {
      subscribe: refuse,
      unsubscribe: refuse,
      unsubscribeAll: () => undefined,
      clientCount: () => 0,
      subscriptionCount: () => 0,
      waitForTx: refuse,
    },
    consensus: { consensus: () => undefined },
  };
}

function refuse(): never {
  throw new LedgerError(
    'rpc.state_sync',
    'this node is restoring its state (state sync) and cannot answer yet: ask again when status says ' +
      'catching_up: false, or ask another node',
  );
}
