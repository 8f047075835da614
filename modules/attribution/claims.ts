/**
 * What a claim says, checked: its parts against indexes, contributions and policy, and the shares that
 * follow.
 */
import { sha256 } from '../../core/hash.ts';
import type { ReadContext } from '../../framework/context.ts';
import {
  Claim,
  ClaimRecord,
  Share,
  SpanRecord,
  type TokenProvenance,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { AttributionMethod, type Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { AttributionCore } from './core.ts';
import { attributionErrors, refuseAs } from './errors.ts';
import { StateError } from '../../framework/errors.ts';
import { chargeWork } from './evidence.ts';
import { influenceWeights, type InfluenceWeights } from './influence.ts';
import { activeIndex, shardsOf } from './indexes.ts';
import { limitsOf } from './params.ts';
import { combineParts } from './parts.ts';
import { bpsOf, type Part, PARTS } from './proof/policy.ts';
import {
  type ClaimedShard,
  problemOfProofs,
  problemOfProvenanceShape,
  problemOfTexts,
  provenanceBytes,
  provenanceWeights,
  workOfProofs,
  workOfTexts,
} from './proof/provenance.ts';
import { NamedContributions, quotedWeights } from './quotations.ts';
import { problemOfItem, problemOfRetrieval, retrievalWeights } from './retrieval.ts';
import type { ClaimRequest, VerifiedClaim } from './types.ts';
import {
  answerCommitment,
  type ClaimProblem,
  claimCost,
  problemOfOpenings,
  problemOfShape,
} from './verify.ts';
import { currentParams } from './versions.ts';
import type { Weight } from './weights.ts';

/** A claim as it is to be checked. */
export interface ClaimCase extends ClaimRequest {
  /** Its proofs are there; an optimistic claim has none. */
  readonly proved: boolean;
  /** Who states it owns the model, so it may say what was retrieved. */
  readonly byOwner: boolean;
}

/** Throws for a problem. */
export function refuse(found: ClaimProblem | undefined): void {
  if (found !== undefined) throw new StateError(attributionErrors[found.kind], found.detail);
}

/** The parts that a claim has. */
export function partsOf({ spans, token, influence, retrieval }: Claim): readonly Part[] {
  const has: Readonly<Record<Part, boolean>> = {
    token: spans.length > 0 || token !== undefined,
    influence: influence !== undefined,
    retrieval: retrieval !== undefined,
  };
  return PARTS.filter((part) => has[part]);
}

/** Charges gas by the work, then checks everything. @throws StateError (attribution 2 …) */
export function checkClaim(k: AttributionCore, context: ReadContext, claimed: ClaimCase): VerifiedClaim {
  const { answer, claim, model } = claimed;
  const params = currentParams(k.state, context);
  refuse(problemOfShape(claimed, limitsOf(params)));
  const cost = claimCost(claimed);
  context.gas.consume(cost.spans * params.gasPerSpan, 'attribution spans');
  context.gas.consume(cost.hashes * params.gasPerHash, 'attribution hashes');
  context.gas.consume(cost.bytes * params.gasPerByte, 'attribution bytes');
  checkParts(claimed);
  const named = new NamedContributions(k, context, model);
  const sourceOf = (id: bigint) => {
    const found = named.find(id);
    return found === undefined ? undefined : { root: found.root, byteLength: Number(found.byteLength) };
  };
  refuse(problemOfOpenings(claimed, sourceOf));
  const token =
    claim.token === undefined
      ? quotedWeights(claim, named)
      : provenance(k, context, claimed, claim.token, named);
  const { root, byteLength } = answerCommitment(answer);
  return VerifiedClaimOf({
    ...sharesOf(k, context, claimed, { token, named }),
    modelId: model.id,
    claimHash: sha256(Claim.encode(claim)),
    answerRoot: root,
    answerLength: BigInt(byteLength),
    spans: spansOf(claim),
    indexIds: claim.token?.indexIds ?? [],
    cardId: claim.influence?.cardId ?? 0n,
    payer: k.addresses.toText(k.addresses.toBytes(claimed.payer)),
    requestHash: claimed.requestHash,
  });
}

/** All fields of a claim that nobody has submitted. */
function VerifiedClaimOf(given: Partial<VerifiedClaim>): VerifiedClaim {
  const { id: _id, height: _height, ...rest } = ClaimRecord.create(given);
  return rest;
}

function spansOf({ spans, token }: Claim): readonly SpanRecord[] {
  if (token === undefined)
    return spans.map(({ contributionId, answerOffset, sourceOffset, length }) => ({
      contributionId,
      answerOffset,
      sourceOffset,
      length,
    }));
  return token.spans.map(({ answerOffset, text }) =>
    SpanRecord.create({ answerOffset, length: text.length }),
  );
}

/** A model is attributed by quotations, or by the parts of its policy; a claim has no others. */
function checkParts({ claim, model, proved }: ClaimCase): void {
  const parts = partsOf(claim);
  if (parts.length === 0) return;
  if (claim.spans.length > 0 && claim.token !== undefined)
    refuseAs('malformed-claim', 'give quoted spans or token provenance, not both');
  const { attributionMethod, attributionPolicy: policy } = model;
  if (attributionMethod === AttributionMethod.ATTRIBUTION_METHOD_SPAN) {
    if (parts.length > 1 || claim.spans.length === 0)
      refuseAs('part-not-allowed', `model ${model.id} is attributed by quoted spans only`);
    return;
  }
  if (policy === undefined)
    refuseAs(
      'not-attributable',
      `model ${model.id} names no snapshots, so its answers cannot be attributed; send an empty claim`,
    );
  for (const part of parts)
    if (bpsOf(policy, part) === 0)
      refuseAs('part-not-allowed', `the policy of model ${model.id} pays nothing for ${part}`);
  if (policy.bondedClaimsOnly && (claim.spans.length > 0 || (claim.token !== undefined && proved)))
    refuseAs(
      'part-not-allowed',
      `model ${model.id} takes token provenance only with a bond and without proofs (MsgSubmitClaim), so that ` +
        'what a claim leaves out can be disputed',
    );
}

/** Checks token provenance against the indexes, and its proofs unless the claim is optimistic. */
function provenance(
  k: AttributionCore,
  context: ReadContext,
  { answer, model, proved }: ClaimCase,
  token: TokenProvenance,
  named: NamedContributions,
): readonly Weight[] {
  const params = currentParams(k.state, context);
  refuse(
    problemOfProvenanceShape(token, answer, { ...limitsOf(params), occurrencesMax: params.occurrencesMax }),
  );
  context.gas.consume(token.spans.length * params.gasPerSpan, 'attribution spans');
  chargeWork(k, context, { hashes: 0, bytes: provenanceBytes(token) });
  chargeWork(k, context, workOfTexts(token));
  refuse(problemOfTexts(token, answer));
  const shards = claimedShards(k, context, token, model);
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  for (const [i, span] of token.spans.entries())
    for (const hit of span.hits) {
      const shard =
        byId.get(hit.shardId) ??
        refuseAs('malformed-claim', `span ${i} names shard ${hit.shardId}, which is of none of the indexes`);
      if (hit.firstRank + hit.contributionIds.length > shard.commitment.tokens)
        refuseAs('malformed-claim', `span ${i} names ranks that shard ${hit.shardId} does not have`);
      for (const id of hit.contributionIds) requireInShard(named, shard, id);
    }
  if (proved) {
    const work = workOfProofs(token, shards);
    if ('kind' in work) refuse(work);
    else chargeWork(k, context, work);
    refuse(problemOfProofs(token, shards, (shard, document) => contributionIn(k, context, shard, document)));
  } else if (token.proofs.length > 0)
    refuseAs('malformed-claim', 'an optimistic claim has no proofs; send it without a bond');
  return provenanceWeights(token.spans, shards, (id) => named.ownerOf(id));
}

function requireInShard(
  named: NamedContributions,
  { id, commitment }: ClaimedShard,
  contributionId: bigint,
): void {
  const { datanetId, position } = named.requireHeld(contributionId);
  const { firstPosition, documents } = commitment;
  const isIn = position >= firstPosition && position < firstPosition + BigInt(documents);
  if (datanetId !== commitment.datanetId || !isIn)
    refuseAs('malformed-claim', `contribution ${contributionId} is not in shard ${id}`);
}

/** The contribution of a document of a shard. */
export function contributionIn(
  { datanets }: AttributionCore,
  context: ReadContext,
  { commitment }: ClaimedShard,
  document: number,
): bigint | undefined {
  const { datanetId, firstPosition } = commitment;
  return datanets.contributionAt(context, datanetId, firstPosition + BigInt(document))?.id;
}

/** The shards of a claim's indexes by id. @throws StateError (attribution 18, 20, 23) */
function claimedShards(
  k: AttributionCore,
  context: ReadContext,
  { indexIds }: TokenProvenance,
  model: Model,
): readonly ClaimedShard[] {
  const shards = new Map<bigint, ClaimedShard>();
  const snapshots = new Set<bigint>();
  for (const id of indexIds) {
    const index = activeIndex(k, context, id);
    if (!model.snapshotIds.includes(index.snapshotId) || snapshots.has(index.snapshotId))
      refuseAs(
        'malformed-claim',
        `index ${id} is of snapshot ${index.snapshotId}: name one index for a snapshot of the model`,
      );
    snapshots.add(index.snapshotId);
    for (const shard of shardsOf(k, context, index)) shards.set(shard.id, shard);
  }
  if (snapshots.size < model.snapshotIds.length)
    refuseAs(
      'malformed-claim',
      `model ${model.id} has ${model.snapshotIds.length} snapshots; name an index of each: no holder is left out`,
    );
  const sorted = [...shards.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  refuseSaltedBeside(sorted, model);
  return sorted;
}

/**
 * Only members of a Datanet may ask for pieces of its salted shards, so a lie of one must cost nobody else:
 * beside shards of another Datanet it could. docs/adr/0024.
 */
function refuseSaltedBeside(shards: readonly ClaimedShard[], { id }: Model): void {
  const salted = shards.find(({ commitment }) => commitment.salted);
  if (salted === undefined) return;
  const { datanetId } = salted.commitment;
  if (shards.some(({ commitment }) => commitment.datanetId !== datanetId))
    refuseAs(
      'not-usable',
      `shard ${salted.id} is salted and model ${id} draws on more than Datanet ${datanetId}: contributors of the ` +
        'others could not ask for its pieces; name indexes that are not salted',
    );
}

function retrieved(
  k: AttributionCore,
  context: ReadContext,
  { claim, model, byOwner, requestHash }: ClaimCase,
  named: NamedContributions,
): readonly Weight[] {
  const { retrieval } = claim;
  if (retrieval === undefined) return [];
  if (!byOwner)
    refuseAs(
      'part-not-allowed',
      `only ${model.owner}, who owns model ${model.id}, may say what it retrieved`,
    );
  const params = currentParams(k.state, context);
  const wrong = problemOfRetrieval(retrieval, { itemsMax: params.itemsMax, requestHash });
  if (wrong !== undefined) refuseAs('malformed-retrieval', wrong);
  context.gas.consume(retrieval.items.length * params.gasPerSpan, 'attribution items');
  const { snapshotId } = retrieval;
  const snapshot = model.snapshotIds.includes(snapshotId)
    ? k.datanets.snapshot(context, snapshotId)
    : undefined;
  if (snapshot === undefined)
    refuseAs('malformed-retrieval', `snapshot ${snapshotId} is none of model ${model.id}`);
  for (const item of retrieval.items) {
    const { datanetId, position, byteLength } = named.require(item.contributionId);
    if (datanetId !== snapshot.datanetId || position >= snapshot.count)
      refuseAs(
        'contribution-not-in-snapshot',
        `contribution ${item.contributionId} is not in snapshot ${snapshotId}`,
      );
    const problem = problemOfItem(item, Number(byteLength));
    if (problem !== undefined) refuseAs('malformed-retrieval', problem);
  }
  return retrievalWeights(retrieval, (id) => named.ownerOf(id));
}

function influenced(
  k: AttributionCore,
  context: ReadContext,
  { claim, model, proved }: ClaimCase,
  named: NamedContributions,
): InfluenceWeights {
  if (claim.influence === undefined) return { listed: [], unlisted: 0n };
  if (proved)
    refuseAs('not-proved', 'influence is claimed with a bond (MsgSubmitClaim): its proof is the window');
  return influenceWeights(k, context, claim.influence, { model, named });
}

interface Weighed {
  readonly token: readonly Weight[];
  readonly named: NamedContributions;
}

function sharesOf(
  k: AttributionCore,
  context: ReadContext,
  claimed: ClaimCase,
  { token, named }: Weighed,
): Pick<VerifiedClaim, 'shares' | 'totalWeight' | 'unattributedWeight'> {
  const { attributionPolicy: policy } = claimed.model;
  if (policy === undefined || partsOf(claimed.claim).length === 0) {
    const shares = token.map(({ owner, weight }) =>
      Share.create({ contributionId: owner, contributor: named.contributorOf(owner), weight }),
    );
    return {
      shares,
      totalWeight: token.reduce((sum, { weight }) => sum + weight, 0n),
      unattributedWeight: 0n,
    };
  }
  const retrieval = retrieved(k, context, claimed, named);
  const { listed: influence, unlisted } = influenced(k, context, claimed, named);
  const parts = { token, influence, retrieval };
  const { shares, unattributed } = combineParts(policy, parts, { influence: unlisted });
  const { sharesMax } = currentParams(k.state, context);
  if (shares.length > sharesMax)
    refuseAs(
      'too-many-shares',
      `${shares.length} contributions would be paid, at most ${sharesMax} are allowed`,
    );
  return {
    shares: shares.map((share) => ({ ...share, contributor: named.contributorOf(share.contributionId) })),
    totalWeight: shares.reduce((sum, { weight }) => sum + weight, unattributed),
    unattributedWeight: unattributed,
  };
}
