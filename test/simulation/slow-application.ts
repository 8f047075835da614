import type { Application } from '../../node/application.ts';
import type { Owner, Scheduler } from './scheduler.ts';

/** An application that takes its time, when it is told to. Calls do not overtake each other. */
export function slowApplication(
  application: Application,
  slowness: { readonly scheduler: Scheduler; readonly owner: Owner; readonly delayMaxMs: () => number },
): Application {
  const { scheduler, owner, delayMaxMs } = slowness;
  let turn: Promise<void> = Promise.resolve();
  const after = <T>(call: () => Promise<T>): Promise<T> => {
    const delayMs = (delayMaxMs() * scheduler.random.below(1_000)) / 1_000;
    if (delayMs > 0) {
      turn = turn.then(() => new Promise<void>((resolve) => scheduler.after(delayMs, resolve, owner)));
    }
    return turn.then(call);
  };
  return {
    ...application,
    prepareProposal: (request) => after(() => application.prepareProposal(request)),
    processProposal: (request) => after(() => application.processProposal(request)),
    finalizeBlock: (request, control) => after(() => application.finalizeBlock(request, control)),
    commit: () => after(() => application.commit()),
  };
}
