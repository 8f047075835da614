/**
 * Where a gateway serves an epoch, below its endpoint on the chain, to whoever asks:
 *
 * | request | answer, `application/octet-stream` |
 * | --- | --- |
 * | `GET /v1/epochs/{id}/receipts?from=F&count=N` | `EpochOpening`: leaves F to F + N − 1 and what leads from them to the root |
 * | `GET /v1/epochs/{id}/allocations?from=F&count=N` | the same of allocations |
 * | `GET /v1/epochs/{id}/entitlements?from=F&count=N` | the same of entitlements |
 * | `GET /v1/epochs/{id}/attributions/{hash}` | what a receipt names by this SHA-256, in hexadecimal: `proof/attribution.ts` |
 *
 * `F` and `N` are whole numbers in decimal, `N` from 1 to `ROUTE_LEAVES_MAX`. At the end of a tree there are as
 * many leaves as there are (`openRun` opens them). 404: no such epoch, leaf or attribution is served; 400: no
 * such request; 429 and 503 with `Retry-After`: later. An epoch is served from when it is stated until it is
 * final, and then as long as its entitlements are to be claimed; what is served never changes.
 *
 * The leaves of the answer are protobuf fields 1, its siblings field 2: a few bytes more than the leaves.
 */
import { fromHex, toHex } from '../../core/bytes.ts';
import { ATTRIBUTION_BYTES_MAX } from '../../modules/settlement/proof/attribution.ts';
import {
  ALLOCATIONS,
  ENTITLEMENTS,
  RECEIPTS,
  type SumTreeKind,
} from '../../modules/settlement/proof/kinds.ts';
import { ALLOCATION_BYTES, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import { nodeBytes } from '../../modules/settlement/proof/sum-tree.ts';

/** Most leaves of an answer: 800 KB of receipts. */
export const ROUTE_LEAVES_MAX = 4_096;

/** A tree, as a path names it. */
export type TreeName = 'receipts' | 'allocations' | 'entitlements';

/** All trees of an epoch, by their names. */
export const TREE_KINDS: Readonly<Record<TreeName, SumTreeKind>> = {
  receipts: RECEIPTS,
  allocations: ALLOCATIONS,
  entitlements: ENTITLEMENTS,
};

/** What a request is for. */
export type EpochRoute =
  | {
      readonly kind: 'leaves';
      readonly epochId: bigint;
      readonly tree: TreeName;
      readonly from: number;
      readonly count: number;
    }
  | { readonly kind: 'attribution'; readonly epochId: bigint; readonly hash: Uint8Array };

/** Path and query of a request. */
export function epochPath(route: EpochRoute): string {
  const base = `/v1/epochs/${route.epochId}`;
  if (route.kind === 'attribution') return `${base}/attributions/${toHex(route.hash)}`;
  return `${base}/${route.tree}?from=${route.from}&count=${route.count}`;
}

const LEAVES = /^\/v1\/epochs\/([1-9]\d{0,19})\/(receipts|allocations|entitlements)$/;
const ATTRIBUTION = /^\/v1\/epochs\/([1-9]\d{0,19})\/attributions\/([0-9a-fA-F]{64})$/;
const NUMBER = /^\d{1,10}$/;

/** What a path with its query asks for; undefined when it is none of these, or out of bounds. */
export function parseEpochPath(pathAndQuery: string): EpochRoute | undefined {
  const [path = '', query = ''] = pathAndQuery.split('?', 2);
  const named = ATTRIBUTION.exec(path);
  if (named !== null)
    return { kind: 'attribution', epochId: BigInt(named[1] ?? ''), hash: fromHex(named[2] ?? '') };
  const [, id, name] = LEAVES.exec(path) ?? [];
  const search = new URLSearchParams(query);
  const [from = '', count = ''] = [search.get('from') ?? '', search.get('count') ?? ''];
  if (id === undefined || !isTreeName(name) || !NUMBER.test(from) || !NUMBER.test(count)) return undefined;
  const range = { from: Number(from), count: Number(count) };
  if (range.count < 1 || range.count > ROUTE_LEAVES_MAX) return undefined;
  return { kind: 'leaves', epochId: BigInt(id), tree: name, ...range };
}

function isTreeName(name: string | undefined): name is TreeName {
  return name !== undefined && Object.hasOwn(TREE_KINDS, name);
}

/** Nodes on the way from neighbouring leaves to the root, at most. */
const SIBLINGS_MAX = 64;

/** Tag and length of a leaf, and of what leads to the root. */
const FIELD_BYTES = 6;

/** Most bytes of a right answer: who sends more is not listened to. */
export function answerBytesMax(route: EpochRoute): number {
  if (route.kind === 'attribution') return ATTRIBUTION_BYTES_MAX;
  const leafBytes = route.tree === 'receipts' ? RECEIPT_BYTES : ALLOCATION_BYTES;
  const siblings = SIBLINGS_MAX * nodeBytes(TREE_KINDS[route.tree]);
  return route.count * (FIELD_BYTES + leafBytes) + FIELD_BYTES + siblings;
}
