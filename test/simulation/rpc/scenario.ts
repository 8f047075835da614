/** Nodes whose RPC is flooded: small limits, which clients reach, a small mempool, an index. */
import type { SeededRandom } from '../../../consensus/simulation/random.ts';
import type { Fault } from '../faults.ts';
import type { Scenario } from '../profiles.ts';
import { RpcFlood } from './flood.ts';

const ACCOUNTS = 4;
const FAULTS: readonly Fault[] = [
  'storm',
  'one way',
  'partition',
  'disconnect',
  'kill',
  'power cut',
  'kill point',
  'pause',
  'slow disk',
  'slow application',
];

/** The scenario of a seed, from that of honest validators. */
export function rpcFlood(base: Scenario, random: SeededRandom): Scenario {
  const options = {
    accounts: ACCOUNTS,
    everyMs: 30 + random.below(60),
    burst: 1 + random.below(3),
    websockets: 3 + random.below(8),
  };
  const room = 8 + random.below(20);
  return {
    ...base,
    options: {
      ...base.options,
      accounts: ACCOUNTS,
      config: (config) => ({
        ...config,
        rpc: {
          ...config.rpc,
          maxSubscriptionClients: 2,
          maxSubscriptionsPerClient: 3,
          maxRequestBatchSize: 8,
          timeoutBroadcastTxCommitMs: 2_000,
        },
        mempool: { ...config.mempool, size: room, maxTxBytes: 5_000, cacheSize: 40 },
        txIndex: { indexer: 'kv' },
      }),
    },
    faults: FAULTS.filter(() => random.percent(40)),
    companions: [(simulation) => new RpcFlood(simulation, options)],
    transferEveryMs: Number.MAX_SAFE_INTEGER,
    heights: 3n,
  };
}
