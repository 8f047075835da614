/** Kinds of the trees of influence: 16 to 31 of `kinds.ts`. */

/** The trees of a card and of a claim, by name. */
export const INFLUENCE_TREES = {
  weights: 16,
  examples: 17,
  residuals: 18,
  sums: 19,
  coordinates: 20,
  groups: 21,
  solution: 22,
  effects: 23,
} as const;

/** A tree of a card or of a claim. */
export type InfluenceTree = keyof typeof INFLUENCE_TREES;
