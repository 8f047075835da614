/**
 * Fetches what is missing of an epoch from its gateway: many leaves at a time; where these do not lead to the
 * root, run by run, so that one wrong run hides no other. Tells what was asked for and not served.
 */
import type { Run } from '../../core/leaf-run.ts';
import { leavesOfRuns } from '../../modules/settlement/proof/piece.ts';
import type { EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ROUTE_LEAVES_MAX, TREE_KINDS, type TreeName } from '../epochs/routes.ts';
import { type FetchedEpoch, TREE_NAMES } from './fetched-epoch.ts';
import type { EpochPiecePlace, EpochSource } from './ports.ts';

/** Pieces of one tree, and attributions, that are missed in a round: then more are not asked for in it. */
export const MISSED_MAX = 64;

/** What is empty in an answer. */
export const NO_OPENING: EpochOpening = { leaves: [], siblings: new Uint8Array(0) };
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Puts into the epoch what is served. What was asked for and is not served, at most some of it. */
export async function fetchEpoch(
  epochId: bigint,
  epoch: FetchedEpoch,
  source: EpochSource,
): Promise<readonly EpochPiecePlace[]> {
  const missed: EpochPiecePlace[] = [];
  for (const tree of TREE_NAMES) missed.push(...(await fetchTree(epochId, epoch, { source, tree })));
  let unserved = 0;
  for (const place of epoch.missingAttributions()) {
    if (unserved === MISSED_MAX) break;
    const attribution = await source.attribution(epochId, place.hash);
    if (attribution !== undefined && epoch.put(place, { opening: NO_OPENING, attribution })) continue;
    missed.push(place);
    unserved++;
  }
  return missed;
}

interface TreeSource {
  readonly source: EpochSource;
  readonly tree: TreeName;
}

async function fetchTree(
  epochId: bigint,
  epoch: FetchedEpoch,
  { source, tree }: TreeSource,
): Promise<readonly EpochPiecePlace[]> {
  const fetched = epoch[tree];
  const { leaves } = fetched.tree;
  const size = leavesOfRuns(TREE_KINDS[tree]);
  const missed: EpochPiecePlace[] = [];
  const take = async ({ first, end }: Run): Promise<boolean> => {
    const opening = await source.leaves(epochId, tree, { from: first, count: end - first });
    const isAll = opening?.leaves.length === end - first;
    return isAll && epoch.put({ kind: 'run', tree, first }, { opening, attribution: NO_BYTES });
  };
  for (let from = 0; from < leaves && fetched.missing > 0; from += ROUTE_LEAVES_MAX) {
    const part = { first: from, end: Math.min(leaves, from + ROUTE_LEAVES_MAX) };
    if (isKnown(epoch, tree, part) || (await take(part))) continue;
    for (let first = from; first < part.end; first += size) {
      if (missed.length === MISSED_MAX) return missed;
      const run = fetched.runAt(first);
      if (!fetched.has(first) && !(await take(run))) missed.push({ kind: 'run', tree, first });
    }
  }
  return missed;
}

function isKnown(epoch: FetchedEpoch, tree: TreeName, { first, end }: Run): boolean {
  for (let at = first; at < end; at += leavesOfRuns(TREE_KINDS[tree])) if (!epoch[tree].has(at)) return false;
  return true;
}
