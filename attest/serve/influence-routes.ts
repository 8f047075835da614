/** Leaves of model cards and of pending claims on them, for whoever judges them. */
import { toBase64 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import type { ServedCard, ServedClaim, ServedSums, ServedTree } from '../influence/published.ts';
import type { HeadLibrary, ServedHead } from './head-library.ts';
import { leavesReply, rangeOf } from './pieces.ts';
import { badRequest, json, type Reply } from './reply.ts';
import type { Route, RouteRequest, RouteSources } from './routes.ts';

/** See the file comment. */
export function influenceRoutes({ heads, inTurn, piecesMax }: RouteSources): readonly Route[] {
  const route = (path: string, answer: Route['answer']): Route => ({ method: 'GET', path, answer });
  const claimAt = ({ params: [id = ''] }: RouteRequest): Promise<ServedClaim> =>
    inTurn(() => requireClaim(heads, id));
  return [
    route('/v1/cards', () => json({ cards: heads.list().map(describeHead) })),
    route('/v1/cards/:id/leaves/:tree', (request) => {
      const { weights, examples, residuals, groups, sums } = requireCard(heads, request);
      return leaves({ weights, examples, residuals, groups, sums }, request, piecesMax);
    }),
    route('/v1/cards/:id/coordinates/:node', (request) =>
      coordinates(requireCard(heads, request).sums, request, piecesMax),
    ),
    route('/v1/claims/:id/leaves/:tree', async (request) => {
      const { solution, effects, sums } = await claimAt(request);
      return leaves({ solution, effects, sums }, request, piecesMax);
    }),
    route('/v1/claims/:id/coordinates/:node', async (request) =>
      coordinates((await claimAt(request)).sums, request, piecesMax),
    ),
  ];
}

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

function requireClaim(heads: HeadLibrary, id: string): ServedClaim {
  const found = heads.claim(id);
  if (found !== undefined) return found;
  throw new LedgerError(
    'attest.no_claim',
    `claim ${id.slice(0, 64)} is not pending on a card that is served here, or was made in another way`,
  );
}

function leaves(
  trees: Readonly<Record<string, ServedTree>>,
  { params, search }: RouteRequest,
  most: number,
): Reply {
  const [, name = ''] = params;
  const tree = Object.hasOwn(trees, name) ? trees[name] : undefined;
  if (tree === undefined)
    throw badRequest(
      `there is no tree "${name.slice(0, 40)}"; there are ${Object.keys(trees).join(', ')}; those of ` +
        'coordinates are at coordinates/{node}',
    );
  return leavesReply(rangeOf(search, tree.leaves.length, most).map((i) => tree.leaves[i] ?? NOTHING));
}

const NOTHING: Uint8Array = new Uint8Array(0);

function coordinates(sums: ServedSums, { params, search }: RouteRequest, most: number): Reply {
  const [, text = ''] = params;
  const found = /^\d{1,9}$/.test(text) ? sums.coordinates[Number(text)] : undefined;
  if (found === undefined)
    throw badRequest(
      `the tree of sums has nodes 0 to ${sums.coordinates.length - 1}, not "${text.slice(0, 40)}"`,
    );
  return leavesReply(rangeOf(search, found.length, most).map((i) => found[i] ?? NOTHING));
}
