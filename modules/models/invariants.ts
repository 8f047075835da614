import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { ModelState } from './state.ts';

/**
 * What must hold of models after every block. It walks over everything: for tests, simulation and
 * `inspect`.
 */
export function modelInvariants(state: ModelState): readonly Invariant[] {
  return [{ name: 'lineage', check: (context) => checkLineage(state, context) }];
}

function checkLineage(state: ModelState, context: ReadContext): string | undefined {
  for (const [id, { lineage }] of state.models.iterate(context)) {
    let sum = 0;
    for (const { modelId, bps } of lineage) {
      if (modelId >= id || !state.models.has(context, modelId))
        return `model ${id} names ancestor ${modelId}, which is not an older model`;
      sum += bps;
    }
    if (sum > 10_000) return `the ancestors of model ${id} take ${sum} basis points`;
  }
  return undefined;
}
