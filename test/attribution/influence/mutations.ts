/** Lies about cards and claims: one value changed, alone or with everything that follows from it. */
import { certify } from '../../../attest/influence/certificate.ts';
import type { ServedClaim, ServedSums } from '../../../attest/influence/published.ts';
import { claimOf, influenceOf, queryOf } from '../../../attest/influence/query.ts';
import { headOf, type TrainedHead } from '../../../attest/influence/train.ts';
import { products } from '../../../attest/influence/training-set.ts';
import { byFeature } from '../../../attest/influence/hessian.ts';
import { viewOf } from '../../../modules/attribution/proof/influence/binary.ts';
import { sumChildren } from '../../../modules/attribution/proof/influence/sum-tree.ts';
import { bump64, type CardLie, changedLeaf, type ClaimLie, type Dice, type Leaves } from './lie.ts';
import { OFFSET_CARD_LIES, OFFSET_CLAIM_LIES, saysAnother } from './offset-lies.ts';
import { certificateOf, changedCard, changedClaim, type World } from './world.ts';

function bump32(leaves: Leaves, dice: Dice): Leaves {
  return changedLeaf(leaves, dice.below(leaves.length), (leaf, view) => {
    const at = 1 + 4 * dice.below((leaf.length - 1) / 4);
    view.setInt32(at, view.getInt32(at) + dice.step());
  });
}

/**
 * Another coordinate in one node; with `upwards` in all that it is summed into, so that only this one is
 * wrong.
 */
function bumpCoordinate(
  sums: ServedSums,
  { examples, dice, upwards }: { readonly examples: number; readonly dice: Dice; readonly upwards: boolean },
): readonly Leaves[] {
  const first = dice.below(sums.coordinates.length);
  const leaf = dice.below(sums.coordinates[0]?.length ?? 1);
  const place = dice.below(((sums.coordinates[0]?.[leaf]?.length ?? 9) - 1) / 8);
  const step = dice.step();
  const wrong = new Set([first]);
  if (upwards) {
    for (let node = first + 1; node < sums.coordinates.length; node++) {
      const children = sumChildren(examples, node);
      if (children?.of !== 'nodes') continue;
      for (let child = children.first; child < children.end; child++) if (wrong.has(child)) wrong.add(node);
    }
  }
  return sums.coordinates.map((leaves, node) =>
    wrong.has(node) ? changedLeaf(leaves, leaf, (_, view) => bump64(view, 1 + 8 * place, step)) : leaves,
  );
}

function malformed(leaves: Leaves, dice: Dice): Leaves {
  const index = dice.below(leaves.length);
  return leaves.map((leaf, i) => {
    if (i !== index) return leaf;
    const kind = dice.below(3);
    if (kind === 0) return leaf.slice(0, leaf.length - 1 - dice.below(leaf.length - 1));
    if (kind === 1) return Uint8Array.from([...leaf, dice.below(256)]);
    const copy = leaf.slice();
    copy[0] = (copy[0] ?? 0) + 1 + dice.below(200);
    return copy;
  });
}

/** The same head with other weights, all else following from them. */
function otherHead(world: World, dice: Dice): TrainedHead {
  const { head } = world.influencer;
  const weights = head.weights.slice();
  const c = dice.below(weights.length);
  weights[c] = (weights[c] ?? 0) + (dice.random() < 0.5 ? -1 : 1) * (2 ** 17 + dice.below(2 ** 20));
  return headOf(head.set, head.rows, { lambda: head.lambda, weights });
}

export const CARD_LIES: readonly CardLie[] = [
  {
    name: 'weight',
    tell: ({ card }, dice) => changedCard(card, { weights: bump32(card.weights.leaves, dice) }),
  },
  {
    name: 'weight, all else recomputed',
    tell: (world, dice) => {
      const { card } = world.card;
      const served = certify(otherHead(world, dice), certificateOf(card.kind));
      return { ...served, card: { ...card, roots: served.card.roots } };
    },
  },
  {
    name: 'feature',
    tell: ({ card }, dice) => {
      const width = card.card.features - 1;
      const leaves = changedLeaf(card.examples.leaves, dice.below(card.examples.leaves.length), (leaf) => {
        const at = 11 + dice.below(width);
        leaf[at] = (leaf[at] ?? 0) + 1 + dice.below(255);
      });
      return changedCard(card, { examples: leaves });
    },
  },
  {
    name: 'label',
    tell: ({ card }, dice) => {
      const leaves = changedLeaf(card.examples.leaves, dice.below(card.examples.leaves.length), (_, view) =>
        view.setUint16(9, (view.getUint16(9) + 1 + dice.below(2)) % card.card.classes),
      );
      return changedCard(card, { examples: leaves });
    },
  },
  {
    name: 'contribution of an example',
    tell: ({ card }, dice) => {
      const leaves = changedLeaf(card.examples.leaves, dice.below(card.examples.leaves.length), (_, view) =>
        view.setBigUint64(1, view.getBigUint64(1) + BigInt(dice.below(2) === 0 ? 1 : 20_000)),
      );
      return changedCard(card, { examples: leaves });
    },
  },
  {
    name: 'logit',
    tell: ({ card }, dice) => {
      const leaves = changedLeaf(card.residuals.leaves, dice.below(card.residuals.leaves.length), (_, view) =>
        bump64(view, 1 + 8 * dice.below(card.card.classes), dice.step()),
      );
      return changedCard(card, { residuals: leaves });
    },
  },
  {
    name: 'residual',
    tell: ({ card }, dice) => {
      const { classes } = card.card;
      const leaves = changedLeaf(
        card.residuals.leaves,
        dice.below(card.residuals.leaves.length),
        (_, view) => {
          const at = 1 + 8 * classes + 2 * dice.below(classes);
          view.setInt16(at, view.getInt16(at) + dice.step());
        },
      );
      return changedCard(card, { residuals: leaves });
    },
  },
  {
    name: 'sum in one node',
    tell: ({ card }, dice) => {
      const coordinates = bumpCoordinate(card.sums, { examples: card.card.examples, dice, upwards: false });
      return changedCard(card, { coordinates });
    },
  },
  {
    name: 'sum in a node and above it',
    tell: ({ card }, dice) => {
      const coordinates = bumpCoordinate(card.sums, { examples: card.card.examples, dice, upwards: true });
      return changedCard(card, { coordinates });
    },
  },
  {
    name: 'gradient bound',
    tell: ({ card }, dice) =>
      card.card.gradientBound === 0
        ? undefined
        : changedCard(card, {
            card: { gradientBound: card.card.gradientBound - 1 - dice.below(card.card.gradientBound) },
          }),
  },
  {
    name: 'group',
    tell: ({ card }, dice) => {
      const { examples } = card.card;
      const leaves = changedLeaf(card.groups.leaves, dice.below(card.groups.leaves.length), (_, view) => {
        const field = dice.below(3);
        if (field === 0) view.setBigUint64(1, view.getBigUint64(1) + BigInt(1 + dice.below(9)));
        else {
          const at = field === 1 ? 9 : 13;
          view.setUint32(at, (view.getUint32(at) + 1 + dice.below(examples)) % (examples + 1));
        }
      });
      return changedCard(card, { groups: leaves });
    },
  },
  {
    name: 'a group fewer',
    tell: ({ card }) =>
      card.card.groups < 2
        ? undefined
        : changedCard(card, {
            groups: card.groups.leaves.slice(0, -1),
            card: { groups: card.card.groups - 1 },
          }),
  },
  {
    name: 'snapshot without a contribution',
    tell: ({ card }, dice) => {
      const last = viewOf(card.groups.leaves.at(-1) ?? new Uint8Array(17)).getBigUint64(1);
      return changedCard(card, { card: { snapshotCount: last - 1n - BigInt(dice.below(Number(last))) } });
    },
  },
  ...(['weights', 'examples', 'residuals', 'groups'] as const).map(
    (tree): CardLie => ({
      name: `malformed leaf of ${tree}`,
      tell: ({ card }, dice) => changedCard(card, { [tree]: malformed(card[tree].leaves, dice) }),
    }),
  ),
  {
    name: 'malformed node',
    tell: ({ card }, dice) => changedCard(card, { nodes: malformed(card.sums.leaves, dice) }),
  },
  {
    name: 'malformed coordinates',
    tell: ({ card }, dice) => {
      const node = dice.below(card.sums.coordinates.length);
      const coordinates = card.sums.coordinates.map((leaves, i) =>
        i === node ? malformed(leaves, dice) : leaves,
      );
      return changedCard(card, { coordinates });
    },
  },
  ...OFFSET_CARD_LIES,
];

/** The answer was sure to the last bit, so that no solution but 0 is one. */
function saysNothing({ solution }: World['influence']): boolean {
  return solution.every((value) => value === 0);
}

function changedEffect(
  { card, claim }: World,
  dice: Dice,
  change: (view: DataView, classes: number) => void,
): ServedClaim {
  const index = dice.below(claim.effects.leaves.length);
  const effects = changedLeaf(claim.effects.leaves, index, (_, view) => change(view, card.card.classes));
  return changedClaim(card, claim, { effects });
}

export const CLAIM_LIES: readonly ClaimLie[] = [
  {
    name: 'solution',
    tell: ({ card, claim }, dice) =>
      changedClaim(card, claim, { solution: bump32(claim.solution.leaves, dice) }),
  },
  {
    name: 'solution, all else recomputed',
    tell: ({ influencer, influence, card, claim }, dice) => {
      const { head } = influencer;
      const { classes, examples } = head.set.shape;
      if (saysNothing(influence)) return undefined;
      const factor = 0.3 + 0.5 * dice.random();
      const solution = influence.solution.map((value) => Math.round(value * factor));
      const responses = products(head.rows, byFeature(head.set.shape, solution), classes);
      const scores = new Float64Array(examples).map((_, i) => {
        let score = 0;
        for (let at = i * classes; at < (i + 1) * classes; at++)
          score += (head.pass.residuals[at] ?? 0) * (responses[at] ?? 0);
        return score;
      });
      const lied = claimOf(influencer, card, { ...influence, solution, responses, scores });
      return { ...lied, claim: { ...lied.claim, bound: claim.claim.bound } };
    },
  },
  {
    name: 'no solution, with a bound that allows it',
    tell: ({ influencer, influence, card }) => {
      if (saysNothing(influence)) return undefined;
      const solution = influence.solution.map(() => 0);
      const responses = influence.responses.map(() => 0);
      const scores = influence.scores.map(() => 0);
      return claimOf(influencer, card, { ...influence, solution, responses, scores });
    },
  },
  {
    name: 'response',
    tell: (world, dice) =>
      changedEffect(world, dice, (view, classes) => bump64(view, 1 + 8 * dice.below(classes), dice.step())),
  },
  {
    name: 'curvature',
    tell: (world, dice) =>
      changedEffect(world, dice, (view, classes) =>
        bump64(view, 1 + 8 * (classes + dice.below(classes)), dice.step()),
      ),
  },
  {
    name: 'score',
    tell: (world, dice) =>
      changedEffect(world, dice, (view, classes) => bump64(view, 1 + 16 * classes, dice.step())),
  },
  {
    name: 'running sum of weights',
    tell: (world, dice) =>
      changedEffect(world, dice, (view, classes) => bump64(view, 9 + 16 * classes, Math.abs(dice.step()))),
  },
  {
    name: 'sum in one node',
    tell: ({ card, claim }, dice) => {
      const coordinates = bumpCoordinate(claim.sums, { examples: card.card.examples, dice, upwards: false });
      return changedClaim(card, claim, { coordinates });
    },
  },
  {
    name: 'sum in a node and above it',
    tell: ({ card, claim }, dice) => {
      const coordinates = bumpCoordinate(claim.sums, { examples: card.card.examples, dice, upwards: true });
      return changedClaim(card, claim, { coordinates });
    },
  },
  {
    name: 'bound of the solution',
    tell: ({ card, claim }, dice) =>
      claim.claim.bound === 0
        ? undefined
        : changedClaim(card, claim, {
            claim: { bound: claim.claim.bound - 1 - dice.below(claim.claim.bound) },
          }),
  },
  {
    name: 'logits of the query',
    tell: ({ card, claim }, dice) => {
      const { query } = claim.claim;
      const changed = dice.below(query.logits.length);
      const logits = Array.from(query.logits, (z, k) => (k === changed ? z + dice.step() : z));
      return changedClaim(card, claim, { claim: { query: { ...query, logits } } });
    },
  },
  {
    name: 'another query',
    tell: ({ influencer, card, claim }, dice) => {
      const features = claim.claim.query.features.map((value, j, all) =>
        j === all.length - 1 ? value : (value + 30 + dice.below(150)) % 256,
      );
      const query = queryOf(influencer.head, { ...claim.claim.query, features }, claim.claim.query.label);
      const other = claimOf(influencer, card, influenceOf(influencer, query)).claim;
      if (other.bound > claim.claim.bound + 2 ** 16 || !saysAnother(claim.claim, query)) return undefined;
      return changedClaim(card, claim, { claim: { query } });
    },
  },
  {
    name: 'total',
    tell: ({ card, claim }, dice) =>
      changedClaim(card, claim, { claim: { total: claim.claim.total + Math.abs(dice.step()) } }),
  },
  {
    name: 'listed example: score',
    tell: ({ card, claim }) => {
      const [first, ...others] = claim.claim.examples;
      if (first === undefined) return undefined;
      const examples = [{ ...first, score: first.score + 1 }, ...others];
      return changedClaim(card, claim, { claim: { examples } });
    },
  },
  {
    name: 'listed example: left out',
    tell: ({ card, claim }, dice) => {
      const { examples } = claim.claim;
      if (examples.length === 0) return undefined;
      const out = dice.below(examples.length);
      return changedClaim(card, claim, { claim: { examples: examples.filter((_, i) => i !== out) } });
    },
  },
  {
    name: 'listed group: weight',
    tell: ({ card, claim }) => {
      const groups = claim.claim.groups.map((group, i) =>
        i === claim.claim.groups.length - 1 ? { ...group, weight: group.weight - 1 } : group,
      );
      return (groups.at(-1)?.weight ?? 0) < 1 ? undefined : changedClaim(card, claim, { claim: { groups } });
    },
  },
  {
    name: 'listed group: contribution',
    tell: ({ card, claim }, dice) => {
      const { groups } = claim.claim;
      if (groups.length === 0) return undefined;
      const who = dice.below(groups.length);
      const changed = groups.map((group, i) =>
        i === who ? { ...group, contributionId: group.contributionId + 1n } : group,
      );
      return changedClaim(card, claim, { claim: { groups: changed } });
    },
  },
  {
    name: 'listed group: left out',
    tell: ({ card, claim }, dice) => {
      const { groups } = claim.claim;
      if (groups.length === 0) return undefined;
      const out = dice.below(groups.length);
      return changedClaim(card, claim, { claim: { groups: groups.filter((_, i) => i !== out) } });
    },
  },
  ...(['solution', 'effects'] as const).map(
    (tree): ClaimLie => ({
      name: `malformed leaf of ${tree}`,
      tell: ({ card, claim }, dice) =>
        changedClaim(card, claim, { [tree]: malformed(claim[tree].leaves, dice) }),
    }),
  ),
  {
    name: 'malformed node',
    tell: ({ card, claim }, dice) => changedClaim(card, claim, { nodes: malformed(claim.sums.leaves, dice) }),
  },
  {
    name: 'malformed coordinates',
    tell: ({ card, claim }, dice) => {
      const node = dice.below(claim.sums.coordinates.length);
      const coordinates = claim.sums.coordinates.map((leaves, i) =>
        i === node ? malformed(leaves, dice) : leaves,
      );
      return changedClaim(card, claim, { coordinates });
    },
  },
  ...OFFSET_CLAIM_LIES,
];
