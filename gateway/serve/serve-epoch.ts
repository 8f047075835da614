/** What is answered for a path of `gateway/epochs/routes.ts`, and for a piece that is asked for on the chain. */
import { defined } from '../../core/errors.ts';
import type { EpochPiece } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { EpochOpening, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { kindOfTree } from '../../modules/settlement/proof/kinds.ts';
import { runOf } from '../../modules/settlement/proof/piece.ts';
import { openRun, type PublishedEpoch, type PublishedTree } from '../epochs/published.ts';
import { parseEpochPath } from '../epochs/routes.ts';
import type { KeptEpochs } from './kept-epochs.ts';

/** An answer over HTTP: bytes that never change, or why there are none. */
export type EpochReply =
  | { readonly status: 200; readonly body: Uint8Array }
  | { readonly status: 400 | 404; readonly body: string };

/**
 * Answers a path with its query.
 * @throws LedgerError `gateway.lost_epoch` when an epoch was stated and cannot be served any more
 */
export async function serveEpoch(
  epochs: Pick<KeptEpochs, 'served'>,
  pathAndQuery: string,
): Promise<EpochReply> {
  const route = parseEpochPath(pathAndQuery);
  if (route === undefined) return { status: 400, body: 'no such request: gateway/epochs/routes.ts' };
  const epoch = await epochs.served(route.epochId);
  if (epoch === undefined) return notFound(`epoch ${route.epochId} is not served here`);
  if (route.kind === 'attribution') {
    const body = epoch.attribution(route.hash);
    return body === undefined
      ? notFound('no receipt of the epoch names this attribution')
      : { status: 200, body };
  }
  const tree = epoch[route.tree];
  const { leaves } = tree.tree;
  if (route.from >= leaves) return notFound(`${route.tree} has ${leaves} leaves`);
  const end = Math.min(leaves, route.from + route.count);
  return { status: 200, body: EpochOpening.encode(openRun(tree, { first: route.from, end })) };
}

function notFound(body: string): EpochReply {
  return { status: 404, body };
}

/** What answers a request on the chain: one of both is empty. */
export interface PieceAnswer {
  readonly opening: EpochOpening;
  readonly attribution: Uint8Array;
}

/** Undefined when the epoch has no such piece: then its gateway has stated what it does not have. */
export function answerPiece(
  epoch: PublishedEpoch,
  { tree, first, attribution: hash }: EpochPiece,
): PieceAnswer | undefined {
  const of = kindOfTree(tree);
  if (of === undefined) {
    const attribution = epoch.attribution(hash);
    return attribution && { opening: EpochOpening.create(), attribution };
  }
  const published = treeOf(epoch, tree);
  if (first >= published.tree.leaves) return undefined;
  const opening = openRun(published, runOf(of, published.tree, first));
  return { opening, attribution: new Uint8Array(0) };
}

function treeOf({ receipts, allocations, entitlements }: PublishedEpoch, tree: EpochTree): PublishedTree {
  const trees = new Map<EpochTree, PublishedTree>([
    [EpochTree.EPOCH_TREE_RECEIPTS, receipts],
    [EpochTree.EPOCH_TREE_ALLOCATIONS, allocations],
    [EpochTree.EPOCH_TREE_ENTITLEMENTS, entitlements],
  ]);
  return defined(trees.get(tree), 'tree of a piece');
}
