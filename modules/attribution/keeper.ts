import { sha256 } from '../../core/hash.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import {
  Claim,
  ClaimRecord,
  type Params,
  type QuotedSpan,
  Share,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  type Contribution,
  ContributionState,
  type Snapshot,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { AttributionMethod, type Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { attributionErrors } from './errors.ts';
import { claimVerified } from './events.ts';
import type { AttributionCore } from './core.ts';
import { limitsOf } from './params.ts';
import type { AttributionState } from './state.ts';
import type { AttributionVerifier, ClaimRequest, VerifiedClaim } from './types.ts';
import {
  answerCommitment,
  type ClaimProblem,
  type CoveredSpan,
  claimCost,
  coverageWeights,
  HARD_LIMITS,
  OVERLAP_MAX,
  problemOfOpenings,
  problemOfShape,
} from './verify.ts';
import { currentParams } from './versions.ts';

/**
 * Checks attribution claims inside the transaction that pays on them, and keeps what a payout follows from.
 */
export class Attribution implements AttributionVerifier {
  readonly #core: AttributionCore;
  readonly #state: AttributionState;

  constructor(core: AttributionCore) {
    this.#core = core;
    this.#state = core.state;
  }

  params(context: ReadContext): Params {
    return currentParams(this.#state, context);
  }

  claim(context: ReadContext, id: bigint): ClaimRecord | undefined {
    return this.#state.claims.get(context, id);
  }

  validate(request: Pick<ClaimRequest, 'answer' | 'claim'>): void {
    refuse(problemOfShape(request, HARD_LIMITS));
  }

  verify(context: ReadContext, request: ClaimRequest): VerifiedClaim {
    const { answer, claim, model } = request;
    const params = this.params(context);
    refuse(problemOfShape(request, limitsOf(params)));
    const cost = claimCost(request);
    context.gas.consume(cost.spans * params.gasPerSpan, 'attribution spans');
    context.gas.consume(cost.hashes * params.gasPerHash, 'attribution hashes');
    context.gas.consume(cost.bytes * params.gasPerByte, 'attribution bytes');
    if (claim.spans.length > 0) requireAttributed(model);
    const quoted = this.#quotedContributions(context, request);
    const sourceOf = (id: bigint) => {
      const found = quoted.get(id);
      return found === undefined ? undefined : { root: found.root, byteLength: Number(found.byteLength) };
    };
    refuse(problemOfOpenings(request, sourceOf));
    const { root, byteLength } = answerCommitment(answer);
    const shares = this.#sharesOf(context, claim.spans, quoted);
    return {
      modelId: model.id,
      claimHash: sha256(Claim.encode(claim)),
      answerRoot: root,
      answerLength: BigInt(byteLength),
      spans: claim.spans.map(({ contributionId, answerOffset, sourceOffset, length }) => ({
        contributionId,
        answerOffset,
        sourceOffset,
        length,
      })),
      shares,
      totalWeight: shares.reduce((sum, { weight }) => sum + weight, 0n),
    };
  }

  record(context: Context, verified: VerifiedClaim): bigint {
    const id = this.#state.sequence.next(context) + 1n;
    const claim = ClaimRecord.create({ ...verified, id, height: context.block.height });
    this.insert(context, claim);
    context.emit(claimVerified(claim));
    return id;
  }

  /** Writes a claim and its index. */
  insert(context: Context, claim: ClaimRecord): void {
    this.#state.claims.set(context, claim.id, claim);
    for (const { contributionId } of claim.shares)
      this.#state.byContribution.add(context, [contributionId, claim.id]);
  }

  /** The contributions that a claim names, each read once; those that do not exist are left out. */
  #quotedContributions(
    context: ReadContext,
    { claim, model }: ClaimRequest,
  ): ReadonlyMap<bigint, Contribution> {
    const { datanets } = this.#core;
    const quoted = new Map<bigint, Contribution>();
    if (claim.spans.length === 0) return quoted;
    const snapshots = model.snapshotIds.flatMap((id) => datanets.snapshot(context, id) ?? []);
    for (const { contributionId } of claim.spans) {
      if (quoted.has(contributionId)) continue;
      const contribution = datanets.contribution(context, contributionId);
      if (contribution === undefined) continue;
      requireInSnapshots(contribution, snapshots, model);
      quoted.set(contributionId, contribution);
    }
    return quoted;
  }

  /** What is quoted of a content counts for its canonical contribution, while that one is accepted. */
  #sharesOf(
    context: ReadContext,
    spans: readonly QuotedSpan[],
    quoted: ReadonlyMap<bigint, Contribution>,
  ): readonly Share[] {
    const owners = new Map(
      [...quoted].map(([id, contribution]) => [id, this.#ownerOf(context, contribution)]),
    );
    const covered = spans.flatMap(({ contributionId, answerOffset, length }): CoveredSpan[] => {
      const owner = owners.get(contributionId);
      const start = Number(answerOffset);
      return owner === undefined ? [] : [{ owner: owner.id, start, end: start + length }];
    });
    const weights = coverageWeights(covered);
    if (weights === undefined)
      throw new StateError(
        attributionErrors['too-many-owners'],
        `more than ${OVERLAP_MAX} contributions are claimed for one byte of the answer; drop some spans`,
      );
    const contributors = new Map([...owners.values()].map(({ id, contributor }) => [id, contributor]));
    return weights.map(({ owner, weight }) =>
      Share.create({ contributionId: owner, contributor: contributors.get(owner) ?? '', weight }),
    );
  }

  #ownerOf(context: ReadContext, contribution: Contribution): Contribution {
    if (contribution.canonicalId === contribution.id) return contribution;
    const canonical = this.#core.datanets.contribution(context, contribution.canonicalId);
    return canonical?.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED ? canonical : contribution;
  }
}

function refuse(problem: ClaimProblem | undefined): void {
  if (problem !== undefined) throw new StateError(attributionErrors[problem.kind], problem.detail);
}

function requireAttributed(model: Model): void {
  if (model.attributionMethod === AttributionMethod.ATTRIBUTION_METHOD_SPAN) return;
  throw new StateError(
    attributionErrors['not-attributable'],
    `model ${model.id} names no snapshots, so its answers cannot be attributed; send an empty claim`,
  );
}

function requireInSnapshots(contribution: Contribution, snapshots: readonly Snapshot[], model: Model): void {
  const accepted = contribution.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
  const isIn = snapshots.some(
    ({ datanetId, count }) => datanetId === contribution.datanetId && contribution.position < count,
  );
  if (accepted && isIn) return;
  throw new StateError(
    attributionErrors['contribution-not-in-snapshot'],
    `contribution ${contribution.id} is not in snapshots ${model.snapshotIds.join(', ')} of model ${model.id}`,
  );
}
