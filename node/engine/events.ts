import type { ConsensusView } from '../../consensus/view.ts';
import type { EngineEvent } from './ports.ts';

/** Who is told what changed in the engine. */
export class EngineEvents {
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #lastStep = '';

  /** Calls the listener for each event until the returned function is called. */
  listen(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Tells of height, round and step; false when none of them is new. */
  tellStep(view: ConsensusView): boolean {
    const step = `${view.height}/${view.round}/${view.step}`;
    if (step === this.#lastStep) return false;
    this.#lastStep = step;
    this.tell({ kind: 'step', view });
    return true;
  }
}
