/** A network under chaos: perturbations in random sequence, load all the while, and what must hold. */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../../consensus/simulation/random.ts';
import { doubleSignatures, signedMessagesUnder } from '../signed-messages.ts';
import { Cluster, type JoinKind } from './cluster.ts';
import { compareChains } from './compare.ts';
import { measureCpu } from './cpu.ts';
import { Faults } from './faults.ts';
import { Load } from './load.ts';
import { describeAction, drawPerturbation } from './plan.ts';
import {
  type ChaosReport,
  describeJoined,
  type Joined,
  type Recovery,
  seconds,
  SIGNED_TWICE,
} from './report.ts';

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
  readonly snapshotInterval: number;
  readonly actionMsMax: number;
  readonly calmMsMax: number;
  /** From the heal until every node has two more blocks. */
  readonly recoveryMsMax: number;
  /** What the limit is counted from; both are reported. */
  readonly recoveryFrom: 'heal' | 'answer';
  /** After how many perturbations a new full node begins to join; the next ones come meanwhile. */
  readonly joinAfter: Readonly<Record<JoinKind, number>>;
  readonly note: (line: string) => void;
}

const JOINS: readonly JoinKind[] = ['block sync', 'state sync'];
const SENDERS = 6;
const FIRST_BLOCKS = 3;
const START_MS_MAX = 60_000;
/** How much longer than allowed a recovery is waited for, so that slow and never can be told apart. */
const PATIENCE_FACTOR = 4;
const RECOVERY_BLOCKS = 2;
/** Faults go on while a node joins; what decides nothing for a while holds it up, too. */
const JOIN_MS_MAX = 180_000;

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
  readonly #faults: Faults;
  readonly #beganMs = performance.now();
  readonly #recoveries: Recovery[] = [];
  readonly #violations: string[] = [];
  readonly #joined: Joined[] = [];
  #perturbations = 0;

  constructor(cluster: Cluster, options: ChaosOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#faults = new Faults(cluster);
  }

  async run(): Promise<ChaosReport> {
    const cluster = this.#cluster;
    const { home, joinAfter, recoveryMsMax } = this.#options;
    const load = new Load({
      chain: cluster.chain,
      senders: cluster.senders,
      rpcs: () => cluster.rpcs(),
    });
    const joining: Promise<void>[] = [];
    try {
      while (!this.#isOver()) {
        await this.#perturb();
        for (const kind of JOINS) if (this.#perturbations === joinAfter[kind]) joining.push(this.#join(kind));
      }
      await Promise.all(joining);
    } finally {
      await load.stop();
    }
    if (this.#violations.length === 0)
      this.#violations.push(...(await compareChains(cluster, recoveryMsMax)));
    const messages = signedMessagesUnder(home);
    for (const sentence of doubleSignatures(messages)) this.#violations.push(`${SIGNED_TWICE}: ${sentence}`);
    if (cluster.ledger.txs === 0) this.#violations.push('no transaction was committed');
    return {
      perturbations: this.#perturbations,
      faults: this.#faults.counts,
      recoveries: this.#recoveries,
      joined: this.#joined,
      elapsedMs: this.#elapsedMs(),
      height: cluster.height,
      txs: cluster.ledger.txs,
      signedMessages: messages.length,
      notBegun: JOINS.map((kind) => ({ kind, after: joinAfter[kind] })).filter(
        ({ after }) => after > this.#perturbations,
      ),
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
    const at = seconds(this.#elapsedMs());
    const before = cluster.height;
    const heal = await this.#faults.carryOut(plan);
    const healed = cluster.height;
    const busyShare = measureCpu();
    const withinMs = PATIENCE_FACTOR * recoveryMsMax;
    const fromHealMs = await cluster.reach(healed + RECOVERY_BLOCKS, { withinMs });
    const busy = `CPU ${Math.round(100 * busyShare())} %`;
    const answerMs = (await heal.answered) - heal.atMs;
    const what = plan.actions.map(describeAction).join('; ');
    const outcome =
      fromHealMs === undefined ? 'NOT RECOVERED' : `recovered ${seconds(fromHealMs)} after the heal`;
    const answered = answerMs === 0 ? '' : `, RPC answers after ${seconds(answerMs)}`;
    const line = `#${number} at ${at}: ${what}: height ${before} -> ${healed}, ${outcome}${answered}, ${busy}`;
    note(line);
    const recovery = fromHealMs === undefined ? undefined : recoveryOf(fromHealMs, answerMs);
    if (recovery !== undefined) this.#recoveries.push(recovery);
    await this.#judge(recovery, line);
  }

  async #judge(recovery: Recovery | undefined, line: string): Promise<void> {
    const { ledger, faults } = this.#cluster;
    const { recoveryMsMax, recoveryFrom } = this.#options;
    const trouble = [...ledger.contradictions, ...faults];
    const ms = recoveryFrom === 'heal' ? recovery?.fromHealMs : recovery?.fromAnswerMs;
    if (ms === undefined || ms > recoveryMsMax) {
      const limit = `all nodes shall have ${RECOVERY_BLOCKS} more blocks within ${seconds(recoveryMsMax)} of the heal`;
      trouble.push(`${limit} (${line})`);
    }
    if (trouble.length > 0) this.#violations.push(...trouble, await stateOf(this.#cluster));
  }

  /** A new full node joins while load and faults go on. */
  async #join(kind: JoinKind): Promise<void> {
    const cluster = this.#cluster;
    const beganMs = performance.now();
    const perturbations = this.#perturbations;
    const node = await cluster.join(kind);
    const { moniker } = node;
    if ((await cluster.reachTip(node, JOIN_MS_MAX)) === undefined) {
      const sentence = `${moniker}, a new full node, has not joined by ${kind} in ${seconds(JOIN_MS_MAX)}`;
      this.#violations.push(sentence, await stateOf(cluster));
      return;
    }
    const joined: Joined = {
      moniker,
      kind,
      ms: performance.now() - beganMs,
      height: node.height,
      perturbations: this.#perturbations - perturbations,
    };
    this.#joined.push(joined);
    this.#options.note(describeJoined(joined));
  }
}

function recoveryOf(fromHealMs: number, answerMs: number): Recovery {
  return { fromHealMs, fromAnswerMs: Math.max(0, fromHealMs - answerMs) };
}

async function stateOf({ nodes }: Cluster): Promise<string> {
  return (await Promise.all(nodes.map((node) => node.describe()))).join('\n');
}
