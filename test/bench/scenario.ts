/** One devnet under measurement: made, loaded, watched, stopped. */
import { rmSync, writeFileSync } from 'node:fs';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { openHome } from '../../cli/home/open.ts';
import { homePaths } from '../../node/config/home.ts';
import { writeNodeConfig } from '../../node/config/toml.ts';
import { accountAt } from '../e2e/account.ts';
import { RunningDevnet, temporaryHome } from '../e2e/program.ts';
import { heapProbeEnvironment } from './heap-sample.ts';
import { type LatencyResult, measureLatency } from './latency.ts';
import { type MemoryMinute, MemoryWatch } from './memory-watch.ts';
import { type ProcessStats, processStats } from './process-stats.ts';
import { makeSenders, type Sender, signedSend } from '../e2e/senders.ts';
import { laneCount, runLoad, type ThroughputResult } from './throughput.ts';

const CHAIN_ID = 'bench-1';
export const PREFIX = 'open';
const DENOM = 'uopen';
const SENDERS_PER_LANE = 50;
const IDLE_BLOCKS = 5;
/** Room for the window of the load. */
const MEMPOOL_TXS = 20_000;
const RPC_BATCH_MAX = 1_000;
const RPC_BODY_BYTES_MAX = 10_000_000;

const NO_STATS: ProcessStats = {
  cpuSeconds: 0,
  rssBytes: 0,
  peakRssBytes: 0,
  anonymousBytes: 0,
  fileBytes: 0,
};

/** What to measure. */
export interface ScenarioOptions {
  readonly validators: number;
  readonly seconds: number;
  readonly blockTimeMs: number;
  /** Most transactions a second to prepare for. */
  readonly rateMax: number;
  /** Send that many a second instead of as many as the chain takes. */
  readonly rate: number | undefined;
  readonly latencySamples: number;
  /** Have the nodes say what their heaps hold. */
  readonly probeHeaps: boolean;
  readonly note: (line: string) => void;
}

/** What was measured; memory and CPU by node. */
export interface ScenarioResult {
  readonly validators: number;
  readonly blockTimeMs: number;
  readonly latency: LatencyResult;
  readonly throughput: ThroughputResult;
  readonly idleRssBytes: readonly number[];
  readonly peakRssBytes: readonly number[];
  /** CPU seconds a second of load, over all nodes: 2.0 is two full cores. */
  readonly cpuCores: number;
  /** The same for one transaction. */
  readonly cpuMicrosPerTx: number;
  /** Of the node that was the largest at the end, by minutes under load. */
  readonly memory: readonly MemoryMinute[];
}

/** Runs one scenario from an empty home to a stopped devnet. */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const home = temporaryHome();
  try {
    return await measure(home, options);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function measure(home: string, options: ScenarioOptions): Promise<ScenarioResult> {
  const lanes = laneCount(options.validators);
  const senders = makeSenders(lanes * SENDERS_PER_LANE, PREFIX);
  await prepareHome(home, options, senders);
  options.note(`starting ${options.validators} validator(s), ${senders.length} senders`);
  const probes = options.probeHeaps ? heapProbeEnvironment(home) : undefined;
  const devnet = await RunningDevnet.start(['--home', home], undefined, probes);
  try {
    await devnet.waitForHeight(IDLE_BLOCKS);
    const pids = devnet.ready.nodes.map((node) => node.pid);
    const idleRssBytes = pids.map((pid) => stats(pid).rssBytes);
    const rpc = devnet.ready.nodes[0]?.rpc ?? '';
    const { accountNumber } = await accountAt(rpc, senders[0]?.address ?? '');
    const workload = new Workload(senders, accountNumber);
    options.note(`latency: ${options.latencySamples} transactions, one at a time`);
    const latency = await measureLatency({
      rpc,
      transactions: Array.from({ length: options.latencySamples }, (_, i) =>
        workload.next(i % senders.length),
      ),
      pauseMs: options.blockTimeMs / 2,
    });
    await devnet.moreBlocks(1);
    const count = options.seconds * options.rateMax;
    options.note(`signing ${count} transactions`);
    const lists = workload.lists(lanes, count);
    options.note(`load for ${options.seconds} s over ${lanes} connections`);
    const before = cpuSeconds(pids);
    const startMs = performance.now();
    const memory = new MemoryWatch(pids, options.probeHeaps ? home : undefined);
    const throughput = await runLoad({
      devnet,
      lists,
      seconds: options.seconds,
      rate: options.rate,
      onBlock: () => memory.take((performance.now() - startMs) / 1000),
    });
    const elapsed = (performance.now() - startMs) / 1000;
    const cpu = cpuSeconds(pids) - before;
    return {
      validators: options.validators,
      blockTimeMs: options.blockTimeMs,
      latency,
      throughput,
      idleRssBytes,
      peakRssBytes: pids.map((pid) => stats(pid).peakRssBytes),
      cpuCores: cpu / elapsed,
      cpuMicrosPerTx: (1e6 * cpu) / Math.max(1, throughput.committed),
      memory: memory.largest(),
    };
  } finally {
    await devnet.stop();
  }
}

/** A devnet whose genesis funds the senders, with room for the load. */
export async function prepareHome(
  home: string,
  options: Pick<ScenarioOptions, 'validators' | 'blockTimeMs'>,
  senders: readonly Sender[],
): Promise<void> {
  const record = await createDevnet({
    home,
    settings: {
      chainId: CHAIN_ID,
      prefix: PREFIX,
      denom: DENOM,
      validators: options.validators,
      accounts: 1,
      blockTimeMs: options.blockTimeMs,
      rpcPort: 0,
    },
    extraAccounts: senders.map((sender) => sender.address),
    now: new Date(),
  });
  for (const { home: nodeHome } of record.nodes) {
    const { node } = openHome(nodeHome);
    const file = homePaths(nodeHome).configFile;
    writeFileSync(
      file,
      writeNodeConfig({
        ...node,
        base: { ...node.base, logLevel: 'warn' },
        rpc: { ...node.rpc, maxRequestBatchSize: RPC_BATCH_MAX, maxBodyBytes: RPC_BODY_BYTES_MAX },
        mempool: { ...node.mempool, size: MEMPOOL_TXS, cacheSize: 2 * MEMPOOL_TXS },
      }),
    );
  }
}

/** Gives each sender its next sequence. Account numbers follow the order in the genesis. */
export class Workload {
  readonly #senders: readonly Sender[];
  readonly #firstAccount: bigint;
  readonly #sequences: bigint[];

  constructor(senders: readonly Sender[], firstAccount: bigint) {
    this.#senders = senders;
    this.#firstAccount = firstAccount;
    this.#sequences = senders.map(() => 0n);
  }

  next(index: number): Uint8Array {
    const from = this.#senders[index];
    const to = this.#senders[(index + 1) % this.#senders.length];
    const sequence = this.#sequences[index];
    if (from === undefined || to === undefined || sequence === undefined)
      throw new Error(`no sender ${index}`);
    this.#sequences[index] = sequence + 1n;
    const accountNumber = this.#firstAccount + BigInt(index);
    return signedSend({ chainId: CHAIN_ID, denom: DENOM }, { from, to: to.address, accountNumber, sequence });
  }

  /** So many transactions over so many lists; all of a sender's are in one list, in order. */
  lists(lanes: number, count: number): readonly (readonly Uint8Array[])[] {
    const perLane = Math.ceil(count / lanes);
    return Array.from({ length: lanes }, (_, lane) =>
      Array.from({ length: perLane }, (_, i) => this.next(lane * SENDERS_PER_LANE + (i % SENDERS_PER_LANE))),
    );
  }
}

function stats(pid: number): ProcessStats {
  return processStats(pid) ?? NO_STATS;
}

function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + stats(pid).cpuSeconds, 0);
}
