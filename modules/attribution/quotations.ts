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
   * Undefined when there is none. @throws StateError (attribution 14) when it is in no snapshot of the model,
   * also when it was withdrawn before they were published
   */
  find(id: bigint): Contribution | undefined {
    const contribution = this.#read(id);
    if (contribution === undefined) return undefined;
    if (!this.#snapshots.some((snapshot) => this.#core.datanets.isIn(snapshot, contribution)))
      refuseNotIn(contribution, this.#model);
    return contribution;
  }

  /** @throws StateError (attribution 8, 14) */
  require(id: bigint): Contribution {
    return this.find(id) ?? refuseAs('unknown-contribution', `there is no contribution ${id}; check the id`);
  }

  /**
   * One that an index or a card of the model's snapshots may hold: a shard with its text, or a head that was
   * trained on it, outlives its withdrawal. A claim has to name all holders, so it may name this one, and as
   * long as it is held it is paid. @throws StateError (attribution 8, 14)
   */
  requireHeld(id: bigint): Contribution {
    const contribution =
      this.#read(id) ?? refuseAs('unknown-contribution', `there is no contribution ${id}; check the id`);
    const { datanetId, position, state } = contribution;
    const isIn = this.#snapshots.some((each) => datanetId === each.datanetId && position < each.count);
    if (!isIn || !HELD_STATES.includes(state)) refuseNotIn(contribution, this.#model);
    return contribution;
  }

  #read(id: bigint): Contribution | undefined {
    const known = this.#found.get(id) ?? this.#core.datanets.contribution(this.#context, id);
    if (known !== undefined) this.#found.set(id, known);
    return known;
  }

  /** What a content that was found counts for: its canonical contribution, while that one is accepted. */
  ownerOf(id: bigint): bigint {
    const contribution = this.requireHeld(id);
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

/** Of contributions that have a place in the log. */
const HELD_STATES: readonly ContributionState[] = [
  ContributionState.CONTRIBUTION_STATE_ACCEPTED,
  ContributionState.CONTRIBUTION_STATE_WITHDRAWN,
];

function refuseNotIn({ id, state }: Contribution, model: Model): never {
  const since = state === ContributionState.CONTRIBUTION_STATE_WITHDRAWN ? ': it is withdrawn' : '';
  refuseAs(
    'contribution-not-in-snapshot',
    `contribution ${id} is not in snapshots ${model.snapshotIds.join(', ')} of model ${model.id}${since}`,
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
