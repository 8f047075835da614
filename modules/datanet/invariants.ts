import { equalBytes } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { ContributionState, DatanetTotals } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { type Datanets, isInLog } from './keeper.ts';
import type { DatanetState } from './state.ts';
import { sumRoot } from './sum-tree.ts';

/**
 * What must hold of Datanets after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function datanetInvariants(datanets: Datanets, state: DatanetState): readonly Invariant[] {
  return [
    { name: 'totals', check: (context) => checkTotals(datanets, state, context) },
    { name: 'canonical', check: (context) => checkCanonical(state, context) },
    { name: 'snapshot-roots', check: (context) => checkSnapshots(datanets, state, context) },
  ];
}

function checkTotals(datanets: Datanets, state: DatanetState, context: ReadContext): string | undefined {
  const counted = new Map<bigint, DatanetTotals>();
  for (const [, contribution] of state.contributions.iterate(context)) {
    const { datanetId, byteLength, tokenCount } = contribution;
    const totals = counted.get(datanetId) ?? DatanetTotals.create();
    const accepted = isInLog(contribution);
    const withdrawn = contribution.state === ContributionState.CONTRIBUTION_STATE_WITHDRAWN;
    counted.set(datanetId, {
      contributions: totals.contributions + 1n,
      accepted: totals.accepted + (accepted ? 1n : 0n),
      acceptedBytes: totals.acceptedBytes + (accepted ? byteLength : 0n),
      acceptedTokens: totals.acceptedTokens + (accepted ? tokenCount : 0n),
      snapshots: totals.snapshots,
      withdrawn: totals.withdrawn + (withdrawn ? 1n : 0n),
    });
  }
  for (const [id] of state.datanets.iterate(context)) {
    const snapshots = [...state.snapshotsByDatanet.match(context, id)].length;
    const expected = { ...(counted.get(id) ?? DatanetTotals.create()), snapshots };
    const stored = datanets.totals(context, id);
    if (!equalBytes(DatanetTotals.encode(expected), DatanetTotals.encode(stored)))
      return `totals of datanet ${id} do not follow from its contributions and snapshots`;
  }
  return undefined;
}

function checkCanonical(state: DatanetState, context: ReadContext): string | undefined {
  for (const [id, { canonicalId, root }] of state.contributions.iterate(context)) {
    const canonical = state.contributions.get(context, canonicalId);
    if (canonical === undefined || canonicalId > id || !equalBytes(canonical.root, root))
      return `contribution ${id} has canonical contribution ${canonicalId}, which is not the first of its content`;
  }
  return undefined;
}

function checkSnapshots(datanets: Datanets, state: DatanetState, context: ReadContext): string | undefined {
  for (const [id, snapshot] of state.snapshots.iterate(context)) {
    const root = sumRoot(snapshot.count, datanets.nodes(context, snapshot.datanetId));
    if (!equalBytes(root.hash, snapshot.root) || root.sum !== snapshot.totalWeight)
      return `the root of snapshot ${id} does not follow from the log of datanet ${snapshot.datanetId}`;
  }
  return undefined;
}
