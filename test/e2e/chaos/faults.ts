/** Carries out what the plan says to a network, and undoes it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { ChaosNode } from './node.ts';
import { type Action, isCut, type Kind, type Perturbation } from './plan.ts';

/** A node in a crash loop is killed so long after its start. */
const CRASH_MS = [400, 1_200] as const;
/** Longer than this nobody waits for the RPC of a started node. */
const ANSWER_MS_MAX = 60_000;

/** The network is whole again: nothing is cut or paused, and every process was started. */
export interface Heal {
  /** By `performance.now()`. */
  readonly atMs: number;
  /** Resolves, with the time by `performance.now()`, when the RPC of every node that was started answers. */
  readonly answered: Promise<number>;
}

/** See the file comment. */
export class Faults {
  /** How often each kind was done, and to how many nodes in all. */
  readonly counts: Map<Kind, { actions: number; nodes: number }> = new Map();
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Resolves at the heal: when the last of its actions is undone. */
  async carryOut({ actions }: Perturbation): Promise<Heal> {
    const started = await Promise.all(
      actions.map(async (action) => {
        await delay(action.afterMs);
        this.#count(action);
        return this.#act(action);
      }),
    );
    const atMs = performance.now();
    const answered = Promise.all(started.flat()).then(() => performance.now());
    return { atMs, answered: started.flat().length === 0 ? Promise.resolve(atMs) : answered };
  }

  #count({ kind, nodes }: Action): void {
    const count = this.counts.get(kind) ?? { actions: 0, nodes: 0 };
    this.counts.set(kind, { actions: count.actions + 1, nodes: count.nodes + nodes.length });
  }

  /** Returns what is to be waited for until the nodes that were started again answer. */
  async #act({ kind, nodes: indices, forMs }: Action): Promise<readonly Promise<unknown>[]> {
    if (isCut(kind)) {
      const heal = this.#cluster.cut(indices, kind);
      await delay(forMs);
      heal();
      return [];
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
        return nodes.map(startAgain);
      case 'terminate':
        await Promise.all(nodes.map((node) => node.terminate()));
        await delay(forMs);
        return nodes.map(startAgain);
      case 'pause':
        for (const node of nodes) node.pause();
        await delay(forMs);
        for (const node of nodes) node.resume();
        return [];
    }
  }
}

/** What goes wrong before its RPC answers is told as the node's end. One that joins is not waited for. */
async function startAgain(node: ChaosNode): Promise<void> {
  const ready = node.start().ready.catch(() => undefined);
  if (node.isJoining) return;
  await Promise.race([ready, delay(ANSWER_MS_MAX, undefined, { ref: false })]);
}
