import type { ReadContext } from '../../framework/context.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** Looks models up: what payments needs. */
export interface ModelView {
  model(context: ReadContext, id: bigint): Model | undefined;
}
