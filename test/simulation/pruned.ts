/**
 * An application that needs its last blocks only, whatever snapshots and evidence need: no setting goes so
 * far.
 */
import type { Application } from '../../node/application.ts';

/** See the file comment. */
export function pruned(application: Application, keep: bigint): Application {
  let height = 0n;
  return {
    ...application,
    finalizeBlock: (request, control) => {
      height = request.height;
      return application.finalizeBlock(request, control);
    },
    commit: async () => ({
      ...(await application.commit()),
      retainHeight: height > keep ? height - keep : 0n,
    }),
  };
}
