/**
 * Whoever has no leaves at all convicts a lie about influence by demands alone: either a piece that its proof
 * takes is not shown, or the proof is made of the pieces that are.
 */
import { expect, test } from 'vitest';
import { findCardFraud } from '../../../attest/influence/convict-card.ts';
import { findClaimFraud } from '../../../attest/influence/convict-claim.ts';
import { openPiece, type ServedTrees } from '../../../attest/influence/open-piece.ts';
import { openCardFraud, openClaimFraud, type ServedPair } from '../../../attest/influence/open-fraud.ts';
import type { ServedCard, ServedClaim, ServedSums, ServedTree } from '../../../attest/influence/published.ts';
import { defined } from '../../../core/errors.ts';
import { HASH_BYTES } from '../../../core/hash.ts';
import { innerHash, leafHash } from '../../../core/merkle.ts';
import { verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { checkClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  isPiece,
  leavesAt,
  type OpenedPiece,
  type PiecePlace,
  type PieceTrees,
  runLeavesIn,
  treesOfCard,
  treesOfClaim,
} from '../../../modules/attribution/proof/influence/pieces.ts';
import { INFLUENCE_TREES } from '../../../modules/attribution/proof/influence/trees.ts';
import { runAt } from '../../../core/leaf-run.ts';
import { levelOf } from '../../../modules/attribution/proof/tree.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { Dice } from './lie.ts';
import { CARD_LIES, CLAIM_LIES } from './mutations.ts';
import { chain, smallWorld, type World } from './world.ts';

/** Pieces that somebody asked for, by tree, node and leaf. */
type Asked = Map<string, PiecePlace>;

const TREES = ['weights', 'examples', 'residuals', 'groups', 'solution', 'effects'] as const;

function note(asked: Asked, place: PiecePlace): void {
  asked.set(`${place.tree} ${place.node} ${place.leaf}`, place);
}

/** The same leaves, of which each that is read is noted. */
function watched(leaves: readonly Uint8Array[], read: (leaf: number) => void): readonly Uint8Array[] {
  return new Proxy(leaves, {
    get(target, key): unknown {
      if (typeof key === 'string' && /^\d+$/.test(key)) read(Number(key));
      return Reflect.get(target, key);
    },
  });
}

/** What is served, with each tree replaced. */
function replaced<S extends ServedTrees>(
  served: S,
  change: {
    readonly tree: (name: (typeof TREES)[number], tree: ServedTree) => ServedTree;
    readonly sums: (sums: ServedSums) => ServedSums;
  },
): S {
  const trees = TREES.flatMap((name) => {
    const tree = served[name];
    return tree === undefined ? [] : [[name, change.tree(name, tree)] as const];
  });
  return { ...served, ...Object.fromEntries(trees), sums: change.sums(served.sums) };
}

function noting<S extends ServedTrees>(served: S, asked: Asked): S {
  return replaced(served, {
    tree: (name, tree) => ({
      ...tree,
      leaves: watched(tree.leaves, (leaf) => note(asked, { tree: name, node: 0, leaf })),
    }),
    sums: (sums) => ({
      ...sums,
      leaves: watched(sums.leaves, (leaf) => note(asked, { tree: 'sums', node: 0, leaf })),
      coordinates: sums.coordinates.map((leaves, node) =>
        watched(leaves, (leaf) => note(asked, { tree: 'coordinates', node, leaf })),
      ),
    }),
  });
}

/** Answers to what was asked; undefined when there is a piece that cannot be shown. */
function answered(trees: PieceTrees, served: ServedTrees, asked: Asked): Answers | undefined {
  const answers: [PiecePlace, OpenedPiece][] = [];
  for (const place of asked.values()) {
    expect(place.leaf).toBeLessThan(leavesAt(trees, place));
    const { tree, node: document, leaf: chunk } = place;
    const piece = openPiece(served, { tree: INFLUENCE_TREES[tree], document, chunk });
    if (!isPiece(trees, place, piece)) return undefined;
    const run = { size: runLeavesIn(trees.shape, tree), leaves: leavesAt(trees, place) };
    answers.push([{ ...place, leaf: runAt(place.leaf, run).first }, piece]);
  }
  return answers;
}

type Answers = readonly (readonly [PiecePlace, OpenedPiece])[];

/** Trees of which only what was answered is known. */
function fromAnswers<S extends ServedTrees>(served: S, answers: Answers): S {
  const known = (name: PiecePlace['tree'], { tree }: ServedTree): ServedTree => {
    const leaves: Uint8Array[] = [];
    const nodes = new Map<string, Uint8Array>();
    for (const [place, piece] of answers) {
      if (place.tree !== name) continue;
      for (const [i, leaf] of piece.leaves.entries()) leaves[place.leaf + i] = leaf;
      absorb(nodes, tree.leaves, { first: place.leaf, ...piece });
    }
    const node = (level: number, index: number): Uint8Array =>
      nodes.get(`${level} ${index}`) ?? new Uint8Array(HASH_BYTES);
    return { leaves, tree: { ...tree, node } };
  };
  return replaced(served, {
    tree: known,
    sums(sums) {
      const coordinates: Uint8Array[][] = [];
      for (const [{ tree, node, leaf }, { leaves }] of answers)
        if (tree === 'coordinates')
          for (const [i, bytes] of leaves.entries()) (coordinates[node] ??= [])[leaf + i] = bytes;
      return { ...known('sums', sums), coordinates };
    },
  });
}

/** Notes the hashes of all nodes that a run and its way show, by their levels and places. */
function absorb(
  nodes: Map<string, Uint8Array>,
  total: number,
  { first, leaves, hashes }: Pick<OpenedPiece, 'leaves' | 'hashes'> & { readonly first: number },
): void {
  // The hashes of subtrees stand in the order of the leaves, the way to the run left out.
  let next = 0;
  const walk = (from: number, to: number): Uint8Array => {
    const level = levelOf(to - from);
    const middle = from + 2 ** (level - 1);
    const hash =
      to <= first || from >= first + leaves.length
        ? defined(hashes[next++], 'a hash')
        : to - from === 1
          ? leafHash(defined(leaves[from - first], 'a leaf'))
          : innerHash(walk(from, middle), walk(middle, to));
    nodes.set(`${level} ${Math.floor(from / 2 ** level)}`, hash);
    return hash;
  };
  walk(0, total);
}

type Outcome = 'not shown' | 'convicted';

function convictCard(served: ServedCard): Outcome {
  const fraud = defined(findCardFraud(served, chain), 'a fraud');
  const asked: Asked = new Map();
  openCardFraud(noting(served, asked), fraud.rule, fraud);
  const answers = answered(treesOfCard(served.card), served, asked);
  if (answers === undefined) return 'not shown';
  verifyCardFraud(served.card, openCardFraud(fromAnswers(served, answers), fraud.rule, fraud), chain);
  return 'convicted';
}

function convictClaim(pair: ServedPair): Outcome {
  const { card, claim } = pair;
  const fraud = defined(findClaimFraud(pair), 'a fraud');
  const [ofCard, ofClaim]: [Asked, Asked] = [new Map(), new Map()];
  openClaimFraud({ card: noting(card, ofCard), claim: noting(claim, ofClaim) }, fraud.rule, fraud);
  const fromCard = answered(treesOfCard(card.card), card, ofCard);
  const fromClaim = answered(treesOfClaim(card.card, claim.claim.roots), claim, ofClaim);
  if (fromCard === undefined || fromClaim === undefined) return 'not shown';
  const shown = { card: fromAnswers(card, fromCard), claim: fromAnswers(claim, fromClaim) };
  const rebuilt = openClaimFraud(shown, fraud.rule, fraud);
  verifyClaimFraud({ card: card.card, claim: claim.claim }, rebuilt);
  return 'convicted';
}

function isRefusedAtOnce({ card }: World, { claim }: ServedClaim): boolean {
  try {
    checkClaim(card.card, claim);
    return false;
  } catch {
    return true;
  }
}

/**
 * A leaf that is malformed, or of the other kind of model, cannot be shown; a group that is changed may have
 * become so.
 */
function expectOutcomes(name: string, outcomes: readonly Outcome[]): void {
  if (/^malformed|^kind/.test(name)) expect(new Set(outcomes), name).toEqual(new Set(['not shown']));
  else expect(outcomes, name).toContain('convicted');
  if (!/^malformed|^kind|group/.test(name)) expect(outcomes, name).not.toContain('not shown');
}

const random = randomFrom(11);
const dice = new Dice(random);
const WORLDS = 6;

/** Heads and adapters in turn. */
const worldAt = (i: number): World => smallWorld(random, i % 2 === 0 ? 'adapter' : 'head');

test('every kind of lie about a card is convicted by demands alone', () => {
  for (const { name, tell } of CARD_LIES) {
    const outcomes = Array.from({ length: WORLDS }, (_, i) => tell(worldAt(i), dice))
      .filter((served) => served !== undefined)
      .map(convictCard);
    expectOutcomes(name, outcomes);
  }
});

test('every kind of lie about a claim is convicted by demands alone', () => {
  for (const { name, tell } of CLAIM_LIES) {
    const outcomes: Outcome[] = [];
    for (let i = 0; i < WORLDS; i++) {
      const world = worldAt(i);
      const claim = tell(world, dice);
      if (claim !== undefined && !isRefusedAtOnce(world, claim))
        outcomes.push(convictClaim({ card: world.card, claim }));
    }
    if (outcomes.length > 0) expectOutcomes(name, outcomes);
  }
});

test.each(['head', 'adapter'] as const)(
  'every piece of an honest %s can be shown, at its own place only',
  (kind) => {
    const { card, claim } = smallWorld(randomFrom(5), kind);
    for (const { trees, served } of [
      { trees: treesOfCard(card.card), served: card },
      { trees: treesOfClaim(card.card, claim.claim.roots), served: claim },
    ] as readonly { readonly trees: PieceTrees; readonly served: ServedTrees }[])
      for (const tree of [...TREES, 'sums', 'coordinates'] as const)
        for (let leaf = 0; leaf < leavesAt(trees, { tree, node: 0 }); leaf++) {
          const place = { tree, node: 0, leaf };
          const piece = openPiece(served, { tree: INFLUENCE_TREES[tree], document: 0, chunk: leaf });
          expect(isPiece(trees, place, piece), `${tree} ${leaf}`).toBe(true);
          const size = runLeavesIn(trees.shape, tree);
          const total = leavesAt(trees, place);
          const { first, end } = runAt(leaf, { size, leaves: total });
          expect(piece.leaves.length).toBe(end - first);
          if (total > size)
            expect(isPiece(trees, { ...place, leaf: first === 0 ? size : 0 }, piece)).toBe(false);
          const [own = new Uint8Array(0), ...others] = piece.leaves;
          for (const leaves of [
            [Uint8Array.from([...own, 0]), ...others],
            [...others, new Uint8Array(0)],
            others,
            [...piece.leaves, own],
          ])
            expect(isPiece(trees, place, { ...piece, leaves })).toBe(false);
          expect(isPiece(trees, place, { ...piece, content: own })).toBe(false);
        }
  },
);
