/** What came of a run, and the lines that say it. */
import { percentile } from '../../bench/percentile.ts';
import type { JoinKind } from './cluster.ts';
import { type Kind, VERBS } from './plan.ts';

/** How long a heal took to show. */
export interface Recovery {
  /** Until every node had the blocks asked for. */
  readonly fromHealMs: number;
  /** The same, counted from when the RPC of every node that was started again answered. */
  readonly fromAnswerMs: number;
}

/** A full node that joined. */
export interface Joined {
  readonly moniker: string;
  readonly kind: JoinKind;
  /** From its first start to the tip of the chain. */
  readonly ms: number;
  readonly height: number;
  /** Perturbations of the network meanwhile. */
  readonly perturbations: number;
}

/** What came of it. */
export interface ChaosReport {
  readonly perturbations: number;
  readonly faults: ReadonlyMap<Kind, { readonly actions: number; readonly nodes: number }>;
  readonly recoveries: readonly Recovery[];
  readonly joined: readonly Joined[];
  readonly elapsedMs: number;
  readonly height: number;
  readonly txs: number;
  readonly signedMessages: number;
  /** Joins that the run was too short to begin, and after how many perturbations they begin. */
  readonly notBegun: readonly { readonly kind: JoinKind; readonly after: number }[];
  /** What must not be, each as a sentence; the nodes' states with their logs follow the first. */
  readonly violations: readonly string[];
}

/** What a violation begins with that tells of two signed messages that contradict each other. */
export const SIGNED_TWICE = 'signed twice';

/** Lines for people. */
export function summaryOf(report: ChaosReport): readonly string[] {
  const { perturbations, faults, recoveries, joined, elapsedMs, height, txs, violations } = report;
  const isTwice = violations.some((violation) => violation.startsWith(SIGNED_TWICE));
  const kinds = [...faults].map(
    ([kind, { actions, nodes }]) => `${VERBS[kind]} ${actions} times on ${nodes} nodes`,
  );
  return [
    `${perturbations} perturbations in ${seconds(elapsedMs)}: ${kinds.join(', ')}`,
    `${recoveries.length} heals; recovery from the heal: ${spread(recoveries.map((each) => each.fromHealMs))}; ` +
      `from when RPC answers: ${spread(recoveries.map((each) => each.fromAnswerMs))}`,
    ...joined.map(describeJoined),
    ...report.notBegun.map(
      ({ kind, after }) =>
        `NOT TRIED: no node joined by ${kind}: that begins after ${after} perturbations, the run had ${perturbations}`,
    ),
    `${height} blocks with ${txs} transactions; the same block and app hash on all nodes at every height: ` +
      `${violations.length === 0 ? 'yes' : 'see below'}; ${report.signedMessages} signed messages in the logs, ` +
      `${isTwice ? 'some' : 'none'} twice`,
    ...violations.map((violation) => `VIOLATED: ${violation}`),
  ];
}

/** One line. */
export function describeJoined({ moniker, kind, ms, height, perturbations }: Joined): string {
  return (
    `${moniker}, a new full node, joined by ${kind} under load: at the tip, height ${height}, ` +
    `${seconds(ms)} after its start, ${perturbations} perturbations meanwhile`
  );
}

/** Seconds as lines have them. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function spread(ms: readonly number[]): string {
  const at = (share: number): string => seconds(percentile(ms, share));
  return `median ${at(0.5)}, 90 % within ${at(0.9)}, longest ${at(1)}`;
}
