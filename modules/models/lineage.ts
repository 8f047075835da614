/**
 * Lineage. A parent takes its royalty of the model part of each of its children and passes on, out of that
 * royalty, what its own ancestors take of it. Flattened once, at registration: a payment never walks the
 * graph, and there can be no cycle, because parents are older than their children.
 */
import { StateError } from '../../framework/errors.ts';
import type { LineageEntry, Model, Params } from '../../proto/gen/openledger/models/v1/models.ts';
import { modelErrors } from './errors.ts';
import type { Earner } from './types.ts';

const BPS_WHOLE = 10_000;

/**
 * Who shares in a model's part: its owner, then its ancestors in the order of the lineage.
 * @param ownerOf of an ancestor
 */
export function earnersOf(
  { owner, lineage }: Pick<Model, 'owner' | 'lineage'>,
  ownerOf: (modelId: bigint) => string,
): readonly Earner[] {
  const taken = lineage.reduce((sum, { bps }) => sum + bps, 0);
  const ancestors = lineage.map(({ modelId, bps }) => ({ owner: ownerOf(modelId), bps }));
  return [{ owner, bps: BPS_WHOLE - taken }, ...ancestors];
}

/**
 * Ancestors of a model with these parents, ascending by id, with what each keeps of the model's part. The
 * sum is that of the parents' royalties: what an ancestor's rounding leaves stays with the parent.
 * @throws StateError (models 8) when the parents ask for more than the chain allows or the ancestors are
 * too many
 */
export function flattenLineage(parents: readonly Model[], params: Params): readonly LineageEntry[] {
  const asked = parents.reduce((sum, { royaltyBps }) => sum + royaltyBps, 0);
  if (asked > params.lineageBpsMax)
    throw new StateError(
      modelErrors.lineageTooLarge,
      `the parents ask for ${asked} basis points of the model part, at most ${params.lineageBpsMax} are allowed`,
    );
  const bps = new Map<bigint, number>();
  const add = (modelId: bigint, points: number): void => {
    if (points > 0) bps.set(modelId, (bps.get(modelId) ?? 0) + points);
  };
  for (const { id, royaltyBps, lineage } of parents) {
    let passedOn = 0;
    for (const ancestor of lineage) {
      const points = Math.floor((royaltyBps * ancestor.bps) / BPS_WHOLE);
      add(ancestor.modelId, points);
      passedOn += points;
    }
    add(id, royaltyBps - passedOn);
  }
  if (bps.size > params.lineageEntriesMax)
    throw new StateError(
      modelErrors.lineageTooLarge,
      `${bps.size} ancestors would be paid, at most ${params.lineageEntriesMax} are allowed; name fewer parents`,
    );
  return [...bps]
    .map(([modelId, points]) => ({ modelId, bps: points }))
    .sort((a, b) => (a.modelId < b.modelId ? -1 : 1));
}
