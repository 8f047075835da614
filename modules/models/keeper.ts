import type { Context, ReadContext } from '../../framework/context.ts';
import type { Model, Params } from '../../proto/gen/openledger/models/v1/models.ts';
import { modelRegistered } from './events.ts';
import { earnersOf } from './lineage.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { ModelState } from './state.ts';
import type { ModelHooks, ModelView } from './types.ts';

/** The registry of models. */
export class Models implements ModelView {
  readonly #state: ModelState;
  readonly #hooks: ModelHooks[] = [];

  constructor(state: ModelState) {
    this.#state = state;
  }

  /** Adds who is told of models. While the application is composed. */
  addHooks(hooks: ModelHooks): void {
    this.#hooks.push(hooks);
  }

  params(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  model(context: ReadContext, id: bigint): Model | undefined {
    return this.#state.models.get(context, id);
  }

  /** Gives a model its number. Everything else about it was checked before. */
  register(context: Context, given: Omit<Model, 'id' | 'registeredHeight'>): Model {
    const id = this.#state.sequence.next(context) + 1n;
    const model: Model = { ...given, id, registeredHeight: context.block.height };
    this.insert(context, model);
    context.emit(modelRegistered(model));
    return model;
  }

  /** Writes a model and its indexes, and tells of it. Its ancestors are there. */
  insert(context: Context, model: Model): void {
    this.#state.models.replace(context, model.id, undefined, model);
    for (const snapshotId of model.snapshotIds) this.#state.bySnapshot.add(context, [snapshotId, model.id]);
    const earners = earnersOf(model, (id) => this.#state.models.require(context, id).owner);
    for (const hooks of this.#hooks) hooks.modelRegistered(context, model, earners);
  }
}
