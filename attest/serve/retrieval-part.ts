/**
 * What a model retrieved to answer, as the retrieval part of a claim. Nobody can check that it was: the chain
 * takes the word of the model's owner, and checks form and membership, as is done here before.
 */
import { HASH_BYTES } from '../../core/hash.ts';
import type { LedgerError } from '../../core/errors.ts';
import { problemOfItem, problemOfRetrieval } from '../../modules/attribution/verify.ts';
import { Retrieval, type RetrievedItem } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { ContributionState, type Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { MadePart } from './parts.ts';
import type { AttributionScope, ServeChain } from './ports.ts';
import { badRequest } from './errors.ts';

/** What was retrieved. */
export interface RetrievalOrder {
  /** May be left out where the model has one snapshot. */
  readonly snapshotId?: bigint;
  /** In any order. */
  readonly items: readonly RetrievedItem[];
}

/** For whom it is stated. */
export interface RetrievalFor {
  readonly scope: AttributionScope;
  /** `request_hash` of the payment that the claim is for, 32 bytes. */
  readonly requestHash: Uint8Array | undefined;
  /** Whose message will carry the claim, as text; undefined when it is not known. */
  readonly claimant: string | undefined;
}

/**
 * The receipt, bound to snapshot and request. It is left out for a claimant who may not state it.
 * @throws LedgerError `attest.request` for one that the chain would refuse
 */
export async function retrievalPart(
  chain: ServeChain,
  order: RetrievalOrder | undefined,
  { scope, requestHash, claimant }: RetrievalFor,
): Promise<MadePart<Retrieval>> {
  if (order === undefined)
    return {
      stated: undefined,
      note: 'the request has no "retrieval": give what was retrieved, with weights',
    };
  if (requestHash?.length !== HASH_BYTES)
    throw wrong('it is bound to the request that is paid: give request_hash, 64 hexadecimal digits');
  const { params, model } = scope;
  const { owner } = model;
  const snapshot = snapshotOf(order, scope);
  const items = [...order.items].sort(byPlace);
  const retrieval = Retrieval.create({ snapshotId: snapshot.id, queryHash: requestHash, items });
  const problem = problemOfRetrieval(retrieval, { itemsMax: params.itemsMax, requestHash });
  if (problem !== undefined) throw wrong(problem);
  const who = `only ${owner}, who owns model ${model.id}, may say what it retrieved`;
  if (claimant !== undefined && claimant !== owner)
    return { stated: undefined, note: `${who}; ${claimant} is another account` };
  await requireInSnapshot(chain, items, snapshot);
  return { stated: retrieval, note: `${who}: the claimant of MsgSubmitClaim has to be that account` };
}

function wrong(why: string): LedgerError {
  return badRequest(`retrieval: ${why}`);
}

function byPlace(a: RetrievedItem, b: RetrievedItem): number {
  if (a.contributionId !== b.contributionId) return a.contributionId < b.contributionId ? -1 : 1;
  return a.firstChunk - b.firstChunk;
}

function snapshotOf({ snapshotId }: RetrievalOrder, { model, snapshots }: AttributionScope): Snapshot {
  const [only, ...others] = snapshots;
  const found =
    snapshotId === undefined && others.length === 0 ? only : snapshots.find(({ id }) => id === snapshotId);
  if (found !== undefined) return found;
  const known = `model ${model.id} has ${model.snapshotIds.join(', ') || 'none'}`;
  throw wrong(
    snapshotId === undefined
      ? `name its snapshot by snapshot_id; ${known}`
      : `there is no snapshot ${snapshotId}; ${known}`,
  );
}

async function requireInSnapshot(
  chain: ServeChain,
  items: readonly RetrievedItem[],
  { id: snapshotId, datanetId, count }: Snapshot,
): Promise<void> {
  const ids = [...new Set(items.map(({ contributionId }) => contributionId))];
  const found = new Map(
    await Promise.all(ids.map(async (id) => [id, await chain.contribution(id)] as const)),
  );
  for (const item of items) {
    const contribution = found.get(item.contributionId);
    const isIn =
      contribution?.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED &&
      contribution.datanetId === datanetId &&
      contribution.position < count;
    if (!isIn) throw wrong(`contribution ${item.contributionId} is not in snapshot ${snapshotId}`);
    const problem = problemOfItem(item, Number(contribution.byteLength));
    if (problem !== undefined) throw wrong(problem);
  }
}
