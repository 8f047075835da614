/** A network under chaos: perturbations in random sequence, load all the while, and what must hold. */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../../consensus/simulation/random.ts';
import { call } from '../rpc.ts';
import { doubleSignatures, signedMessagesUnder } from '../signed-messages.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import { type Action, describeAction, drawPerturbation, isCut, type Perturbation } from './plan.ts';

/** What is done, and how long recovery may take. */
export interface ChaosOptions {
  /** Empty. */
  readonly home: string;
  readonly validators: number;
  readonly seed: number;
  /** No perturbation begins after this, or after so many. */
  readonly durationMs: number;
  readonly perturbationsMax: number;
  readonly blockTimeMs: number;
  readonly actionMsMax: number;
  readonly calmMsMax: number;
  /**
   * From the heal until every node has two more blocks. Healed is a wire that is whole, a process that
   * goes on, and one that was started again and whose RPC answers.
   */
  readonly recoveryMsMax: number;
  readonly note: (line: string) => void;
}

/** What came of it. */
export interface ChaosReport {
  readonly perturbations: number;
  readonly recoveriesMs: readonly number[];
  /** The full node that joined under load. */
  readonly joined: { readonly blocks: number; readonly ms: number } | undefined;
  readonly height: number;
  readonly txs: number;
  readonly signedMessages: number;
  /** What must not be, each as a sentence; the nodes' states with their logs follow the first. */
  readonly violations: readonly string[];
}

const SENDERS = 6;
const FIRST_BLOCKS = 3;
const START_MS_MAX = 60_000;
/** How much longer than allowed a recovery is waited for, so that slow and never can be told apart. */
const PATIENCE_FACTOR = 4;
const RECOVERY_BLOCKS = 2;
/** The full node joins after so many perturbations; the later ones hit it, too. */
const JOIN_AFTER = 2;
const JOIN_MS_MAX = 90_000;
const METAS_PER_CALL = 20;
/** A node in a crash loop is killed so long after its start. */
const CRASH_MS = [400, 1_200] as const;

/** Runs it from an empty home to a stopped network. Rejects only when the network does not even start. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const cluster = await Cluster.create({ ...options, senders: SENDERS });
  try {
    await cluster.start();
    if ((await cluster.reach(FIRST_BLOCKS, { withinMs: START_MS_MAX })) === undefined) {
      throw new Error(`no blocks at the start\n${await stateOf(cluster)}`);
    }
    return await new Chaos(cluster, options).run();
  } finally {
    await cluster.stop();
  }
}

class Chaos {
  readonly #cluster: Cluster;
  readonly #options: ChaosOptions;
  readonly #random: SeededRandom;
  readonly #beganMs = performance.now();
  readonly #recoveriesMs: number[] = [];
  readonly #violations: string[] = [];
  #perturbations = 0;
  #joined: ChaosReport['joined'];

  constructor(cluster: Cluster, options: ChaosOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<ChaosReport> {
    const cluster = this.#cluster;
    const { home } = this.#options;
    const load = new Load({
      chain: cluster.chain,
      senders: cluster.senders,
      rpcs: () => cluster.rpcs(),
    });
    try {
      while (!this.#isOver()) {
        await this.#perturb();
        if (this.#perturbations === JOIN_AFTER) await this.#join();
      }
    } finally {
      await load.stop();
    }
    if (this.#violations.length === 0) await this.#compareChains();
    const messages = signedMessagesUnder(home);
    for (const sentence of doubleSignatures(messages)) this.#violations.push(`signed twice: ${sentence}`);
    if (cluster.ledger.txs === 0) this.#violations.push('no transaction was committed');
    return {
      perturbations: this.#perturbations,
      recoveriesMs: this.#recoveriesMs,
      joined: this.#joined,
      height: cluster.height,
      txs: cluster.ledger.txs,
      signedMessages: messages.length,
      violations: this.#violations,
    };
  }

  #isOver(): boolean {
    const { durationMs, perturbationsMax } = this.#options;
    const done = this.#elapsedMs() >= durationMs || this.#perturbations >= perturbationsMax;
    return done || this.#violations.length > 0;
  }

  #elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

  async #perturb(): Promise<void> {
    const cluster = this.#cluster;
    const { validators, actionMsMax, calmMsMax, recoveryMsMax, note } = this.#options;
    const nodes = cluster.nodes.length;
    const plan = drawPerturbation(this.#random, { nodes, validators, actionMsMax, calmMsMax });
    await delay(plan.calmMs);
    const number = ++this.#perturbations;
    const atSeconds = (this.#elapsedMs() / 1000).toFixed(1);
    const before = cluster.height;
    const startMs = await this.#carryOut(plan);
    const healed = cluster.height;
    const recoveryMs = await cluster.reach(healed + RECOVERY_BLOCKS, {
      withinMs: PATIENCE_FACTOR * recoveryMsMax,
    });
    const what = plan.actions.map(describeAction).join('; ');
    const outcome =
      recoveryMs === undefined ? 'NOT RECOVERED' : `recovered in ${(recoveryMs / 1000).toFixed(2)} s`;
    const started = startMs === 0 ? '' : `, up after ${(startMs / 1000).toFixed(1)} s`;
    const line = `#${number} at ${atSeconds} s: ${what}: height ${before} -> ${healed}${started}, ${outcome}`;
    note(line);
    if (recoveryMs !== undefined) this.#recoveriesMs.push(recoveryMs);
    const trouble = [...cluster.ledger.contradictions, ...cluster.faults];
    if (recoveryMs === undefined || recoveryMs > recoveryMsMax) {
      const limit = `all nodes shall have ${RECOVERY_BLOCKS} more blocks within ${recoveryMsMax / 1000} s of the heal`;
      trouble.push(`${limit} (${line})`);
    }
    if (trouble.length > 0) this.#violations.push(...trouble, await stateOf(cluster));
  }

  /** Returns the longest that a node which was started again took until its RPC answered. */
  async #carryOut({ actions }: Perturbation): Promise<number> {
    const startMs = await Promise.all(
      actions.map(async (action) => {
        await delay(action.afterMs);
        return this.#act(action);
      }),
    );
    return Math.max(...startMs);
  }

  /** Does and undoes it. Returns how long nodes took to start again, in milliseconds. */
  async #act({ kind, nodes: indices, forMs }: Action): Promise<number> {
    if (isCut(kind)) {
      const heal = this.#cluster.cut(indices, kind);
      await delay(forMs);
      heal();
      return 0;
    }
    const nodes = indices.flatMap((i) => this.#cluster.nodes[i] ?? []);
    switch (kind) {
      case 'kill':
      case 'crash-loop':
        await Promise.all(nodes.map((node) => node.kill()));
        for (const crashMs of kind === 'crash-loop' ? CRASH_MS : []) {
          for (const node of nodes) node.start().ready.catch(() => undefined);
          await delay(crashMs);
          await Promise.all(nodes.map((node) => node.kill()));
        }
        await delay(forMs);
        return startAll(nodes);
      case 'terminate':
        await Promise.all(nodes.map((node) => node.terminate()));
        await delay(forMs);
        return startAll(nodes);
      case 'pause':
        for (const node of nodes) node.pause();
        await delay(forMs);
        for (const node of nodes) node.resume();
        return 0;
    }
  }

  async #join(): Promise<void> {
    const cluster = this.#cluster;
    const target = cluster.height + RECOVERY_BLOCKS;
    const beganMs = performance.now();
    const node = await cluster.join();
    const reached = await cluster.reach(target, { withinMs: JOIN_MS_MAX, nodes: [node] });
    const ms = performance.now() - beganMs;
    this.#joined = { blocks: target, ms };
    this.#options.note(
      `${node.moniker}, a new full node, ${reached === undefined ? 'DID NOT JOIN' : 'joined'} by block sync ` +
        `under load: ${target} blocks in ${(ms / 1000).toFixed(1)} s from its start`,
    );
    if (reached === undefined) {
      const sentence = `the new full node has height ${node.height} after ${JOIN_MS_MAX / 1000} s, not ${target}`;
      this.#violations.push(sentence, await stateOf(cluster));
    }
  }

  /** All nodes, all heights, from their stores. */
  async #compareChains(): Promise<void> {
    const { nodes, height, ledger } = this.#cluster;
    await this.#cluster.reach(height, { withinMs: this.#options.recoveryMsMax });
    for (const node of nodes) {
      for (let low = 1; low <= height; low += METAS_PER_CALL) {
        const high = Math.min(height, low + METAS_PER_CALL - 1);
        for (const block of await storedBlocks(node.rpc, low, high)) ledger.note(node.moniker, block);
      }
    }
    this.#violations.push(...ledger.contradictions);
  }
}

/** Starts nodes and waits until their RPC answers. What goes wrong before is told as their end. */
async function startAll(nodes: Cluster['nodes']): Promise<number> {
  const beganMs = performance.now();
  const late = delay(START_MS_MAX, undefined, { ref: false });
  await Promise.all(nodes.map((node) => Promise.race([node.start().ready.catch(() => undefined), late])));
  return performance.now() - beganMs;
}

async function storedBlocks(
  rpc: string,
  minHeight: number,
  maxHeight: number,
): Promise<readonly { height: number; hash: string; app_hash: string; txs: number }[]> {
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

async function stateOf({ nodes }: Cluster): Promise<string> {
  return (await Promise.all(nodes.map((node) => node.describe()))).join('\n');
}
