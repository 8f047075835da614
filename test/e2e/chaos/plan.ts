/** What is done to a network, drawn from a seed: which nodes, what, for how long. */
import type { SeededRandom } from '../../../consensus/simulation/random.ts';

/**
 * `kill`: SIGKILL, and started again; `crash-loop`: also killed while it starts, twice; `terminate`: SIGTERM;
 * `pause`: SIGSTOP and SIGCONT; `stall`, `reset`: the wires between these nodes and the others are cut.
 */
export type Kind = 'kill' | 'crash-loop' | 'terminate' | 'pause' | 'stall' | 'reset';

/** One thing that is done, and undone later. */
export interface Action {
  readonly kind: Kind;
  /** Indices of nodes, ascending. */
  readonly nodes: readonly number[];
  /** Since the beginning of the perturbation. */
  readonly afterMs: number;
  readonly forMs: number;
}

/** What is done before the network has to recover: one action, or two that overlap. */
export interface Perturbation {
  readonly actions: readonly Action[];
  /** Rest before it. */
  readonly calmMs: number;
}

/** Longest and shortest times. */
export interface PlanOptions {
  readonly nodes: number;
  readonly validators: number;
  readonly actionMsMax: number;
  readonly calmMsMax: number;
}

const KINDS: readonly Kind[] = [
  'kill',
  'kill',
  'crash-loop',
  'terminate',
  'pause',
  'pause',
  'stall',
  'stall',
  'reset',
];
const ACTION_MS_MIN = 300;
const CALM_MS_MIN = 200;
const TWO_ACTIONS_PERCENT = 35;

/** The next perturbation. */
export function drawPerturbation(random: SeededRandom, options: PlanOptions): Perturbation {
  const first = drawAction(random, options);
  const calmMs = CALM_MS_MIN + random.below(options.calmMsMax);
  if (!random.percent(TWO_ACTIONS_PERCENT)) return { actions: [first], calmMs };
  const second = drawAction(random, options);
  const afterMs = random.below(first.forMs);
  // One process is not killed, stopped and paused at once; cutting its wires as well is fine.
  const busy = isCut(first.kind) || isCut(second.kind) ? [] : first.nodes;
  const nodes = second.nodes.filter((node) => !busy.includes(node));
  const actions = nodes.length === 0 ? [first] : [first, { ...second, nodes, afterMs }];
  return { actions, calmMs };
}

/** True when wires are cut, not processes hit. */
export function isCut(kind: Kind): kind is 'stall' | 'reset' {
  return kind === 'stall' || kind === 'reset';
}

function drawAction(random: SeededRandom, options: PlanOptions): Action {
  const kind = random.pick(KINDS) ?? 'kill';
  const forMs = ACTION_MS_MIN + random.below(options.actionMsMax);
  const size = drawSize(random, options);
  const count = isCut(kind) ? Math.min(size, options.nodes - 1) : size;
  return { kind, nodes: drawNodes(random, options.nodes, count), afterMs: 0, forMs };
}

/** Mostly one; else as many as may fail, one more than that (nothing is decided meanwhile), or all. */
function drawSize(random: SeededRandom, { nodes, validators }: PlanOptions): number {
  const mayFail = Math.floor((validators - 1) / 3);
  const dice = random.below(100);
  if (dice < 50) return 1;
  if (dice < 65) return Math.max(1, mayFail);
  if (dice < 88) return mayFail + 1;
  return nodes;
}

function drawNodes(random: SeededRandom, nodes: number, count: number): readonly number[] {
  const left = Array.from({ length: nodes }, (_, i) => i);
  const drawn: number[] = [];
  while (drawn.length < count) drawn.push(...left.splice(random.below(left.length), 1));
  return drawn.sort((a, b) => a - b);
}

/** As a line says it. */
export function describeAction({ kind, nodes, afterMs, forMs }: Action): string {
  const names = nodes.map((node) => `node${node}`).join(' ');
  const after = afterMs === 0 ? '' : ` after ${(afterMs / 1000).toFixed(1)} s`;
  return `${VERBS[kind]} ${names} for ${(forMs / 1000).toFixed(1)} s${after}`;
}

/** What each is called in a line. */
export const VERBS: Readonly<Record<Kind, string>> = {
  kill: 'kill -9',
  'crash-loop': 'kill -9 three times',
  terminate: 'SIGTERM',
  pause: 'SIGSTOP',
  stall: 'cut (silent)',
  reset: 'cut (reset)',
};
