/**
 * Ends a node whose program cannot make the next block. Whoever decides that block stops by itself, at once
 * (`FinalizeBlock` throws); but the first who stop take their votes with them, and those who still lack some
 * would wait for ever without a word.
 */
import { UpgradeError } from '../modules/upgrade/errors.ts';

/** What is left for the votes on the block, behind the pause that precedes them. */
const GRACE_MS = 10_000;

/** What the watch works with. */
export interface UpgradeWatchPorts {
  /** @throws UpgradeError when this program cannot make the next block */
  readonly requireProgram: () => void;
  readonly fail: (error: unknown) => void;
  /** Calls back once, after that time, unless the process has ended before. */
  readonly after: (ms: number, run: () => void) => void;
}

/**
 * To be called after each block.
 * @param pauseMs between two blocks (`timeout_commit`)
 */
export function upgradeWatch(
  { requireProgram, fail, after }: UpgradeWatchPorts,
  pauseMs: number,
): () => void {
  let isNeeded = false;
  return () => {
    if (isNeeded) return;
    try {
      requireProgram();
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      isNeeded = true;
      after(pauseMs + GRACE_MS, () => fail(error));
    }
  };
}
