/** The credits that a claim was paid of, as a node's queries and events tell them: the verifier adds them up. */
import type { Target } from '../../client/verifier/types.ts';
import { LedgerError } from '../../core/errors.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { type Credit, Debt, Pool, PoolKind, Slot } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { QueryCreditsRequest, QueryCreditsResponse } from '../../proto/gen/openledger/pools/v1/query.ts';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import type { ExplainChain } from './chain.ts';
import { fetchRow } from './rows.ts';

/** What a slot was paid of one denomination in a block. */
export interface SlotClaim {
  /** `datanet/1` or `model/1`. */
  readonly pool: string;
  readonly slot: bigint;
  readonly denom: string;
  readonly height: bigint;
}

const SERVICE = '/openledger.pools.v1.Query';
const KINDS: ReadonlyMap<string, PoolKind> = new Map([
  ['datanet', PoolKind.POOL_KIND_DATANET],
  ['model', PoolKind.POOL_KIND_MODEL],
]);
const PAGE = 100n;
/** Most credits of a claim. */
const CREDITS_MAX = 10_000;

/** The target of a claim, and its credits. @throws LedgerError `explain.*` */
export async function targetOf(
  chain: ExplainChain,
  claim: SlotClaim,
): Promise<{ readonly target: Target; readonly credits: readonly Credit[] }> {
  const { pool, slot, denom, height } = claim;
  const [name = '', subject = ''] = pool.split('/');
  const kind = KINDS.get(name);
  if (kind === undefined || !/^\d{1,20}$/.test(subject))
    throw new LedgerError('explain.pool', `"${pool}" is no pool: datanet/N or model/N`);
  const id = `${hexOf(BigInt(kind), 4)}${hexOf(BigInt(subject), 8)}`;
  const tree = await row(chain, Pool, height, `01${id}`);
  if (tree === undefined) throw new LedgerError('explain.pool', `there is no pool ${pool}`);
  const slotHex = hexOf(slot, 8);
  const key = `05${id}${slotHex}${toHex(utf8(denom))}`;
  const paid = async (at: bigint): Promise<bigint> => (await row(chain, Debt, at, key))?.paidCredit ?? 0n;
  const [since, until] = [await paid(height - 1n), await paid(height)];
  // As the verifier does: slots of a model never change.
  const weighedAt = kind === PoolKind.POOL_KIND_MODEL ? height : height - 1n;
  const counts = await weighed(chain, { height: weighedAt, slot: slotHex, pool: id });
  const credits: Credit[] = [];
  for (let level = 0; level <= tree.height; level++) {
    const node = { kind, subject: BigInt(subject), level, index: slot >> BigInt(level), denom };
    credits.push(...(await creditsSince(chain, { node, height, since })));
  }
  // Those behind the claim, in its block, tell what of the debt is of them: what is paid whole, and all when
  // the slot was withdrawn at the end of the block.
  const ends = (await row(chain, Slot, height, `04${id}${slotHex}`))?.untilCredit ?? 0n;
  const last = ends > until ? ends : until;
  const own = credits.filter(({ id: at, whole }) => whole || (at <= last && counts(at)));
  own.sort((a, b) => (a.id < b.id ? -1 : 1));
  const target: Target = {
    kind: 'claim',
    receipt: '',
    pool: [`${kind}`, subject],
    slot: `${slot}`,
    denom,
    credits: own.map((credit) => `${credit.id}`),
  };
  return { target, credits: own };
}

const hexOf = (value: bigint, bytes: number): string => value.toString(16).padStart(2 * bytes, '0');

async function row<T>(
  chain: ExplainChain,
  type: MessageType<T>,
  height: bigint,
  key: string,
): Promise<T | undefined> {
  const found = (await fetchRow(chain, { height, store: 'pools', key })).row.found;
  return found === null ? undefined : type.decode(fromHex(found.value));
}

/** From the newest back to where the slot was last paid. */
async function creditsSince(
  chain: ExplainChain,
  of: {
    readonly node: Omit<QueryCreditsRequest, 'pagination'>;
    readonly height: bigint;
    readonly since: bigint;
  },
): Promise<readonly Credit[]> {
  const found: Credit[] = [];
  for (let key: Uint8Array = new Uint8Array(0); ; ) {
    const pagination = { key, offset: 0n, limit: PAGE, countTotal: false, reverse: true };
    const data = QueryCreditsRequest.encode({ ...of.node, pagination });
    const question = { path: `${SERVICE}/Credits`, data, height: of.height, prove: false };
    const page = QueryCreditsResponse.decode((await chain.ask(question)).value);
    const newer = page.credits.filter(({ id }) => id > of.since);
    found.push(...newer);
    key = page.pagination?.nextKey ?? new Uint8Array(0);
    if (newer.length < page.credits.length || key.length === 0) return found;
    if (found.length > CREDITS_MAX)
      throw new LedgerError('explain.too_long', `the claim is of more than ${CREDITS_MAX} credits`);
  }
}

/** Whether the slot weighed something when a credit came, as its rows tell. */
async function weighed(
  chain: ExplainChain,
  { height, slot, pool }: { readonly height: bigint; readonly slot: string; readonly pool: string },
): Promise<(id: bigint) => boolean> {
  const found = await row(chain, Slot, height, `04${pool}${slot}`);
  if (found === undefined) return () => false;
  const weight = await fetchRow(chain, { height, store: 'pools', key: `02${pool}00000000${slot}` });
  const weighs = weight.row.found !== null;
  return (id) => id > found.sinceCredit && (weighs || id <= found.untilCredit);
}
