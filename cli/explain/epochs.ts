/** What a gateway serves of the rows of its epochs that credits come from. */
import type { EpochPart, Run } from '../../client/verifier/types.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import {
  answerBytesMax,
  epochPath,
  type EpochRoute,
  ROUTE_LEAVES_MAX,
  type TreeName,
} from '../../gateway/epochs/routes.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { decodeAllocation, decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Credit } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { QueryEpochRequest, QueryEpochResponse } from '../../proto/gen/openledger/settlement/v1/query.ts';
import type { ExplainChain } from './chain.ts';

/** Where epochs are served; undefined when this one is not. */
export type EpochSource = (route: EpochRoute) => Promise<Uint8Array | undefined>;

/** Parts of epochs and the attributions that their receipts name. */
export interface EpochParts {
  readonly epochs: readonly EpochPart[];
  readonly attributions: readonly string[];
}

const TIMEOUT_MS = 30_000;

/** A gateway's HTTP. @param url its endpoint */
export function httpEpochs(url: string): EpochSource {
  return async (route) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${url.replace(/\/$/, '')}${epochPath(route)}`, {
      signal,
      redirect: 'error',
    });
    if (response.status === 404) return undefined;
    if (response.status !== 200)
      throw new LedgerError('explain.gateway', `${url} answers with HTTP status ${response.status}`);
    const max = answerBytesMax(route);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > max) throw new LedgerError('explain.gateway', `${url} answers with too many bytes`);
    return bytes;
  };
}

/**
 * For each row of an epoch that a credit comes from, its first allocations with their receipts; none of them
 * without a source.
 */
export async function epochParts(
  chain: ExplainChain,
  credits: readonly Credit[],
  { source, receiptsMax }: { readonly source: EpochSource | undefined; readonly receiptsMax: number },
): Promise<EpochParts> {
  const epochs: EpochPart[] = [];
  const attributions = new Set<string>();
  for (const { epochId, epochRow: row } of credits) {
    if (epochId === 0n || epochs.some((part) => part.epoch === `${epochId}` && part.row === row)) continue;
    const part = await partOf(chain, { source, epochId, row, receiptsMax });
    epochs.push(part);
    for (const leaf of part.receipts.flatMap(({ leaves }) => leaves)) {
      const hash = decodeReceipt(fromHex(leaf))?.attribution ?? NO_ATTRIBUTION;
      if (source === undefined || toHex(hash) === toHex(NO_ATTRIBUTION)) continue;
      const bytes = await source({ kind: 'attribution', epochId, hash });
      if (bytes !== undefined) attributions.add(toHex(bytes));
    }
  }
  return { epochs, attributions: [...attributions] };
}

async function partOf(
  chain: ExplainChain,
  of: {
    readonly source: EpochSource | undefined;
    readonly epochId: bigint;
    readonly row: number;
    readonly receiptsMax: number;
  },
): Promise<EpochPart> {
  const { source, epochId, row, receiptsMax } = of;
  const path = '/openledger.settlement.v1.Query/Epoch';
  const data = QueryEpochRequest.encode({ epochId });
  const { value } = await chain.ask({ path, data, height: 0n, prove: false });
  const { rows } = QueryEpochResponse.decode(value).epoch.commitment;
  if (source === undefined) {
    const none = { allocations: [], receipts: [], entitlements: [] };
    if (row < rows.length) return { epoch: `${epochId}`, row, ...none };
    throw new LedgerError(
      'explain.gateway',
      `row ${row} of epoch ${epochId} is an entitlement: name its --gateway`,
    );
  }
  const run = async (tree: TreeName, from: number, count: number): Promise<Run> => {
    const bytes = await source({ kind: 'leaves', epochId, tree, from, count });
    if (bytes === undefined)
      throw new LedgerError('explain.gateway', `the gateway does not serve ${tree} of epoch ${epochId}`);
    const { leaves, siblings } = EpochOpening.decode(bytes);
    return { from, leaves: leaves.map(toHex), siblings: toHex(siblings) };
  };
  const index = row - rows.length;
  const entitlements =
    index < 0 ? [] : [await run('entitlements', Math.max(0, index - 1), index === 0 ? 1 : 2)];
  const { begin, end } = rangeOf(rows, row, entitlements[0]);
  const count = Math.min(end - begin, receiptsMax, ROUTE_LEAVES_MAX);
  if (count === 0) return { epoch: `${epochId}`, row, allocations: [], receipts: [], entitlements };
  const allocations = await run('allocations', begin, count);
  const numbers = allocations.leaves.map((leaf) => decodeAllocation(fromHex(leaf))?.receipt ?? 0);
  const receipts: Run[] = [];
  for (const { from, length } of neighbours([...new Set(numbers)]))
    receipts.push(await run('receipts', from, length));
  return { epoch: `${epochId}`, row, allocations: [allocations], receipts, entitlements };
}

/** The allocations of a row: from where the row before it ends. */
function rangeOf(
  rows: readonly { readonly end: number }[],
  row: number,
  entitlement: Run | undefined,
): { readonly begin: number; readonly end: number } {
  if (entitlement === undefined) return { begin: rows[row - 1]?.end ?? 0, end: rows[row]?.end ?? 0 };
  const ends = entitlement.leaves.map((leaf) => Number.parseInt(leaf.slice(30, 38), 16));
  const [first = 0, second] = ends;
  return second === undefined ? { begin: rows.at(-1)?.end ?? 0, end: first } : { begin: first, end: second };
}

/** Rising numbers as runs of neighbours that one answer may have. */
function neighbours(
  numbers: readonly number[],
): readonly { readonly from: number; readonly length: number }[] {
  const runs: { from: number; length: number }[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last !== undefined && last.from + last.length === number && last.length < ROUTE_LEAVES_MAX)
      last.length++;
    else runs.push({ from: number, length: 1 });
  }
  return runs;
}
