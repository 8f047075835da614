/** What the operator of a late node writes into its configuration: whom it trusts, and since which block. */
import { toHex } from '../../core/bytes.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import type { NodeConfig } from '../../node/config/config.ts';

/** The configuration of a node that begins with a state sync, when it has anybody to trust. */
export function trusting(
  config: NodeConfig,
  trust: { readonly trusts: readonly string[] | undefined; readonly block: CommittedBlock | undefined },
): NodeConfig {
  const { trusts, block } = trust;
  if (trusts === undefined || block === undefined) return config;
  const stateSync = {
    ...config.stateSync,
    enable: true,
    rpcServers: trusts.map((name) => `http://${name}`),
    trustHeight: Number(block.height),
    trustHash: toHex(block.blockId.hash),
    discoveryTimeMs: 300,
    chunkRequestTimeoutMs: 500,
  };
  return { ...config, stateSync };
}

/** The last height but one that somebody committed; 1 at first. */
export function lastButOne(chain: ReadonlyMap<bigint, CommittedBlock>): bigint {
  return BigInt(Math.max(1, chain.size - 1));
}
