/** Leaves of model cards and of pending claims on them, for whoever judges them. */
import { toBase64 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import type { ServedCard } from '../influence/published.ts';
import type { HeadLibrary, ServedHead } from './head-library.ts';
import { CLAIM_TREES, packedCoordinates, packedLeaves, type PackedClaim } from './packed-claim.ts';
import { leavesReply, rangeOf } from './pieces.ts';
import { json } from '../../serve/reply.ts';
import type { Route, RouteRequest } from '../../serve/route.ts';
import { badRequest } from './errors.ts';
import type { RouteSources } from './routes.ts';

const CARD_TREES = ['weights', 'examples', 'residuals', 'groups', 'sums'] as const;

/** See the file comment. */
export function influenceRoutes({ heads, piecesMax }: RouteSources): readonly Route[] {
  const route = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, answer });
  return [
    route('/v1/cards', () => json({ cards: heads.list().map(describeHead) })),
    route('/v1/cards/:id/leaves/:tree', (request) => {
      const { leaves } = requireCard(heads, request)[treeNamed(CARD_TREES, request)];
      const range = rangeOf(request.search, leaves.length, piecesMax);
      return leavesReply(range.map((i) => leaves[i] ?? NOTHING));
    }),
    route('/v1/cards/:id/coordinates/:node', (request) => {
      const { coordinates } = requireCard(heads, request).sums;
      const leaves = coordinates[nodeNamed(coordinates.length, request)] ?? [];
      const range = rangeOf(request.search, leaves.length, piecesMax);
      return leavesReply(range.map((i) => leaves[i] ?? NOTHING));
    }),
    route('/v1/claims/:id/leaves/:tree', async (request) => {
      const claim = await requireClaim(heads, request);
      const tree = treeNamed(CLAIM_TREES, request);
      const range = rangeOf(request.search, claim.counts[tree], piecesMax);
      return leavesReply(packedLeaves(claim, tree, range));
    }),
    route('/v1/claims/:id/coordinates/:node', async (request) => {
      const claim = await requireClaim(heads, request);
      const node = nodeNamed(claim.counts.sums, request);
      const range = rangeOf(request.search, claim.coordinates, piecesMax);
      return leavesReply(packedCoordinates(claim, node, range));
    }),
  ];
}

const NOTHING: Uint8Array = new Uint8Array(0);

function describeHead({ key, served: { card } }: ServedHead): Readonly<Record<string, unknown>> {
  const { datanetId, examples, features, classes, groups } = card;
  const sizes = { examples, features, classes, contributions: groups };
  return { id: key, datanet_id: datanetId, ...sizes, card: toBase64(encodeCard(card)) };
}

function requireCard(heads: HeadLibrary, { params: [id = ''] }: RouteRequest): ServedCard {
  const found = heads.card(id);
  if (found !== undefined) return found;
  throw new LedgerError(
    'attest.no_card',
    `no model card ${id.slice(0, 64)} is served here; /v1/cards lists them`,
  );
}

async function requireClaim(heads: HeadLibrary, { params: [id = ''] }: RouteRequest): Promise<PackedClaim> {
  const found = await heads.claim(id);
  if (found !== undefined) return found;
  throw new LedgerError(
    'attest.no_claim',
    `claim ${id.slice(0, 64)} is not pending on a card that is served here, or was made in another way`,
  );
}

/** @throws LedgerError `attest.request` */
function treeNamed<T extends string>(trees: readonly T[], { params: [, name = ''] }: RouteRequest): T {
  const found = trees.find((tree) => tree === name);
  if (found !== undefined) return found;
  throw badRequest(
    `there is no tree "${name.slice(0, 40)}"; there are ${trees.join(', ')}; those of coordinates are at ` +
      'coordinates/{node}',
  );
}

/** @throws LedgerError `attest.request` */
function nodeNamed(count: number, { params: [, text = ''] }: RouteRequest): number {
  const node = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (node < count) return node;
  throw badRequest(`the tree of sums has nodes 0 to ${count - 1}, not "${text.slice(0, 40)}"`);
}
