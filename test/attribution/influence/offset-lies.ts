/** Lies about the logits of the base model that examples and queries of an adapter bring. */
import { certify } from '../../../attest/influence/certificate.ts';
import { residualLeaves } from '../../../attest/influence/certificate.ts';
import type { ServedCard } from '../../../attest/influence/published.ts';
import { queryOf } from '../../../attest/influence/query.ts';
import { headOf, type TrainedHead } from '../../../attest/influence/train.ts';
import { equalBytes } from '../../../core/bytes.ts';
import { FEATURE_MAX } from '../../../modules/attribution/proof/influence/bounds.ts';
import type { InfluenceClaim, InfluenceQuery } from '../../../modules/attribution/proof/influence/claim.ts';
import { type Numbers, queryResidual } from '../../../modules/attribution/proof/influence/fixed-point.ts';
import { type CardLie, changedLeaf, type ClaimLie, type Dice } from './lie.ts';
import { certificateOf, changedCard, changedClaim, type World } from './world.ts';

/** Another integer of 32 bits, 0.06 to 4 away. */
function farFrom(offset: number, dice: Dice): number {
  const step = 2 ** 20 + dice.below(2 ** 26);
  return offset > 0 ? offset - step : offset + step;
}

function isAdapter({ card }: World): boolean {
  return card.card.kind === 'adapter';
}

/** The same weights on examples of which one has another offset. */
function otherOffsets({ influencer: { head } }: World, dice: Dice): TrainedHead {
  const offsets = head.set.offsets.slice();
  const at = dice.below(offsets.length);
  offsets[at] = farFrom(offsets[at] ?? 0, dice);
  return headOf({ ...head.set, offsets }, head.rows, head);
}

/** The leaves of examples with one of their offsets changed. */
function bumpedOffset({ card, examples }: ServedCard, dice: Dice): readonly Uint8Array[] {
  return changedLeaf(examples.leaves, dice.below(examples.leaves.length), (_, view) => {
    const at = 11 + card.features + 4 * dice.below(card.classes);
    view.setInt32(at, view.getInt32(at) + dice.step());
  });
}

export const OFFSET_CARD_LIES: readonly CardLie[] = [
  {
    name: 'offset',
    tell: (world, dice) =>
      isAdapter(world) ? changedCard(world.card, { examples: bumpedOffset(world.card, dice) }) : undefined,
  },
  {
    name: 'offset, with its logits and residuals',
    tell: (world, dice) => {
      if (!isAdapter(world)) return undefined;
      const other = otherOffsets(world, dice);
      const residuals = residualLeaves(other);
      const before = world.influencer.head.pass.residuals;
      if (other.pass.residuals.every((value, at) => value === before[at])) return undefined;
      const { examples } = certify(other, certificateOf('adapter'));
      return changedCard(world.card, { examples: examples.leaves, residuals });
    },
  },
  {
    name: 'offset, all else recomputed',
    tell: (world, dice) => {
      if (!isAdapter(world)) return undefined;
      const { card } = world.card;
      const served = certify(otherOffsets(world, dice), certificateOf('adapter'));
      if (served.card.gradientBound <= card.gradientBound) return undefined;
      return { ...served, card: { ...card, roots: served.card.roots } };
    },
  },
  {
    name: 'offsets of two examples exchanged',
    tell: (world, dice) => {
      if (!isAdapter(world)) return undefined;
      const { features } = world.card.card;
      const leaves = [...world.card.examples.leaves];
      const one = dice.below(leaves.length);
      const two = (one + 1) % leaves.length;
      const [a, b] = [leaves[one] ?? new Uint8Array(0), leaves[two] ?? new Uint8Array(0)];
      const from = 11 + features;
      if (equalBytes(a.subarray(from), b.subarray(from))) return undefined;
      leaves[one] = Uint8Array.from([...a.subarray(0, from), ...b.subarray(from)]);
      leaves[two] = Uint8Array.from([...b.subarray(0, from), ...a.subarray(from)]);
      return changedCard(world.card, { examples: leaves });
    },
  },
  {
    name: 'kind of model',
    tell: (world) => {
      const kind = isAdapter(world) ? 'head' : 'adapter';
      const { base = new Uint8Array(0) } = certificateOf(kind);
      return changedCard(world.card, { card: { kind, base } });
    },
  },
];

/** True when a claim's solution cannot be one of another query too: their gradients are too far apart. */
export function saysAnother({ query, bound }: InfluenceClaim, other: InfluenceQuery): boolean {
  const residual = (of: InfluenceQuery): Numbers => queryResidual(of.logits, of.label);
  const before = residual(query);
  const apart = Array.from(residual(other), (value, k) => Math.abs(value - (before[k] ?? 0)));
  return Math.max(...apart) * FEATURE_MAX > 2 * bound;
}

export const OFFSET_CLAIM_LIES: readonly ClaimLie[] = [
  {
    name: 'offset of the query',
    tell: (world, dice) => {
      const { query } = world.claim.claim;
      const changed = dice.below(query.offsets.length);
      const offsets = Array.from(query.offsets, (offset, k) =>
        k === changed ? offset + (offset > 0 ? -1 : 1) * Math.abs(dice.step()) : offset,
      );
      if (!isAdapter(world)) return undefined;
      return changedClaim(world.card, world.claim, { claim: { query: { ...query, offsets } } });
    },
  },
  {
    name: 'another query by its offsets',
    tell: (world, dice) => {
      if (!isAdapter(world)) return undefined;
      const { query } = world.claim.claim;
      const offsets = Array.from(query.offsets, (offset) => farFrom(offset, dice));
      const other = queryOf(world.influencer.head, { ...query, offsets }, query.label);
      if (!saysAnother(world.claim.claim, other)) return undefined;
      return changedClaim(world.card, world.claim, { claim: { query: other } });
    },
  },
  {
    name: 'query of the other kind of model',
    tell: (world) => {
      const { query } = world.claim.claim;
      const offsets = isAdapter(world) ? [] : Array.from(query.logits, () => 0);
      return changedClaim(world.card, world.claim, { claim: { query: { ...query, offsets } } });
    },
  },
];
