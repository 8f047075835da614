/** What is served, by method and path; docs/operations/attestor.md has it for people. */
import { toBase64 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { SHARD_TREES, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { levelOf } from '../../modules/attribution/proof/tree.ts';
import { immutableBytes, json, type Reply } from '../../serve/reply.ts';
import type { Asker, Route, RouteRequest } from '../../serve/route.ts';
import { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Attribution, AttributionOrder } from './attribute.ts';
import { attributionReply } from './attribution-reply.ts';
import { badRequest } from './errors.ts';
import type { HeadLibrary } from './head-library.ts';
import { influenceRoutes } from './influence-routes.ts';
import { orderOf } from './order.ts';
import { leavesReply, rangeOf } from './pieces.ts';
import { requireShard, type ServedShard, type ShardLibrary } from './shard-library.ts';

/** What routes answer from. */
export interface RouteSources {
  readonly library: ShardLibrary;
  readonly heads: HeadLibrary;
  /** Reads and attributes in its turn: `Gate.run`. */
  readonly attribute: (order: () => AttributionOrder, asker: Asker) => Promise<Attribution>;
  /** Leaves or nodes in one answer. */
  readonly piecesMax: number;
  /** What else /v1/health says. */
  readonly health: () => Readonly<Record<string, unknown>>;
}

/** All routes but /metrics. */
export function attestRoutes(sources: RouteSources): readonly Route[] {
  const { library, heads, piecesMax, health } = sources;
  const sizes = () => ({ shards: library.list().length, cards: heads.list().length });
  return [
    get('/v1/health', () => json({ status: 'ok', ...sizes(), ...health() })),
    get('/v1/shards', () => json({ shards: library.list().map(describeShard) })),
    get('/v1/shards/:id', ({ params: [id = ''] }) => json(describeShard(requireShard(library, id)))),
    get('/v1/shards/:id/leaves/:tree', (request) => leaves(library, request, piecesMax)),
    get('/v1/shards/:id/nodes/:tree/:level', (request) => nodes(library, request, piecesMax)),
    get('/v1/contents/:root', ({ params: [root = ''] }) => content(library, root)),
    ...influenceRoutes(sources),
    { method: 'POST', path: '/v1/attribute', answer: (request) => attribute(sources, request) },
  ];
}

function get(path: string, answer: Route['answer']): Route {
  return { method: 'GET', path, answer };
}

function describeShard({ key, reader }: ServedShard): Readonly<Record<string, unknown>> {
  const { datanetId, firstPosition, documents, tokens, entriesPerLeaf, salted } = reader.commitment;
  const sizes = { documents, tokens, entries_per_leaf: entriesPerLeaf, salted };
  const commitment = toBase64(ShardCommitment.encode(reader.commitment));
  return { id: key, datanet_id: datanetId, first_position: firstPosition, ...sizes, commitment };
}

function treeNamed(name: string): ShardTree {
  for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const) if (tree === name) return tree;
  throw badRequest(
    `there is no tree "${name.slice(0, 40)}"; there are ${Object.keys(SHARD_TREES).join(', ')}`,
  );
}

/** Salted shards are of private texts. */
function openShard(library: ShardLibrary, id: string): ServedShard {
  const shard = requireShard(library, id);
  if (!shard.reader.commitment.salted) return shard;
  throw new LedgerError('attest.private', `shard ${id} is salted: its leaves are shown in disputes only`);
}

function leaves(library: ShardLibrary, { params, search }: RouteRequest, most: number): Reply {
  const [id = '', name = ''] = params;
  const { reader } = openShard(library, id);
  const tree = treeNamed(name);
  const range = rangeOf(search, leafCount(reader.commitment, tree), most);
  return leavesReply(range.map((i) => reader.leaf(tree, i)));
}

/** 32 bytes of each node. */
function nodes(library: ShardLibrary, { params, search }: RouteRequest, most: number): Reply {
  const [id = '', name = '', levelText = ''] = params;
  const { reader } = openShard(library, id);
  const tree = treeNamed(name);
  const count = leafCount(reader.commitment, tree);
  const level = /^\d{1,2}$/.test(levelText) ? Number(levelText) : Number.NaN;
  if (!(level <= levelOf(count))) throw badRequest(`the ${tree} tree has levels 0 to ${levelOf(count)}`);
  const range = rangeOf(search, Math.ceil(count / 2 ** level), most);
  return immutableBytes(Buffer.concat(range.map((i) => reader.node(tree, level, i))));
}

function content(library: ShardLibrary, root: string): Reply {
  const found = library.content(root.toLowerCase());
  if (found !== undefined) return immutableBytes(found);
  throw new LedgerError('attest.no_content', `no content with the root ${root.slice(0, 64)} is served here`);
}

async function attribute({ attribute: make }: RouteSources, { body, asker }: RouteRequest): Promise<Reply> {
  return attributionReply(await make(() => orderOf(body), asker));
}
