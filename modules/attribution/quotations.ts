/** Quoted spans against the contributions of the chain, and whom contents count for. */
import type { ReadContext } from '../../framework/context.ts';
import type { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  type Contribution,
  ContributionState,
  type Snapshot,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { type CoveredSpan, coverageWeights, OVERLAP_MAX, type Weight } from './weights.ts';

/** Reads each contribution that a claim names once. */
export class NamedContributions {
  readonly #core: AttributionCore;
  readonly #context: ReadContext;
  readonly #model: Model;
  readonly #snapshots: readonly Snapshot[];
  readonly #found = new Map<bigint, Contribution>();
  readonly #owners = new Map<bigint, Contribution>();

  constructor(core: AttributionCore, context: ReadContext, model: Model) {
    this.#core = core;
    this.#context = context;
    this.#model = model;
    this.#snapshots = model.snapshotIds.flatMap((id) => core.datanets.snapshot(context, id) ?? []);
  }

  /**
   * Undefined when there is none. @throws StateError (attribution 14) when it is in no snapshot of the model
   */
  find(id: bigint): Contribution | undefined {
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const contribution = this.#core.datanets.contribution(this.#context, id);
    if (contribution === undefined) return undefined;
    requireInSnapshots(contribution, this.#snapshots, this.#model);
    this.#found.set(id, contribution);
    return contribution;
  }

  /** @throws StateError (attribution 8, 14) */
  require(id: bigint): Contribution {
    return this.find(id) ?? refuseAs('unknown-contribution', `there is no contribution ${id}; check the id`);
  }

  /** What its content counts for: its canonical contribution, while that one is accepted. */
  ownerOf(id: bigint): bigint {
    const contribution = this.require(id);
    const owner = this.#canonicalOf(contribution);
    this.#owners.set(owner.id, owner);
    return owner.id;
  }

  /** Who contributed an owner, as text. */
  contributorOf(ownerId: bigint): string {
    return this.#owners.get(ownerId)?.contributor ?? '';
  }

  #canonicalOf(contribution: Contribution): Contribution {
    if (contribution.canonicalId === contribution.id) return contribution;
    const canonical = this.#core.datanets.contribution(this.#context, contribution.canonicalId);
    return canonical?.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED ? canonical : contribution;
  }
}

function requireInSnapshots(contribution: Contribution, snapshots: readonly Snapshot[], model: Model): void {
  const accepted = contribution.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
  const isIn = snapshots.some(
    ({ datanetId, count }) => datanetId === contribution.datanetId && contribution.position < count,
  );
  if (accepted && isIn) return;
  refuseAs(
    'contribution-not-in-snapshot',
    `contribution ${contribution.id} is not in snapshots ${model.snapshotIds.join(', ')} of model ${model.id}`,
  );
}

/** What the quoted spans of a claim cover, by owner. @throws StateError (attribution 15) */
export function quotedWeights({ spans }: Claim, named: NamedContributions): readonly Weight[] {
  const covered = spans.map(({ contributionId, answerOffset, length }): CoveredSpan => {
    const start = Number(answerOffset);
    return { owner: named.ownerOf(contributionId), start, end: start + length };
  });
  return (
    coverageWeights(covered) ??
    refuseAs(
      'too-many-owners',
      `more than ${OVERLAP_MAX} contributions are claimed for one byte of the answer; drop some spans`,
    )
  );
}
