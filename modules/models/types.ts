import type { Context, ReadContext } from '../../framework/context.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** Looks models up: what payments needs. */
export interface ModelView {
  model(context: ReadContext, id: bigint): Model | undefined;
}

/** Who shares in what a model earns. */
export interface Earner {
  /** Address of an owner, as text. */
  readonly owner: string;
  /** Basis points of the model's part. */
  readonly bps: number;
}

/** Who is told of models. */
export interface ModelHooks {
  /**
   * A model was registered; also told of each one of a genesis.
   * @param earners its owner, then those of its ancestors from the oldest on: 10,000 basis points together
   */
  modelRegistered(context: Context, model: Model, earners: readonly Earner[]): void;
}
