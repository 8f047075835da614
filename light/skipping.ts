/**
 * Skipping verification: from a trusted block straight to the target, and where too few of the trusted
 * validators signed it, over blocks in between. Source: CometBFT v0.38.21 `light/client.go` (verifySkipping).
 */
import { LedgerError } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { LightProvider } from './provider.ts';
import { type VerifyOptions, verifyForward } from './verify.ts';

/** Where the next block in between lies: 9/16 of the way, so that blocks fetched before are used again. */
const PIVOT_NUMERATOR = 9n;
const PIVOT_DENOMINATOR = 16n;

/** From where to where, and whom to ask for what lies between. */
export interface SkippingTask {
  readonly source: Pick<LightProvider, 'lightBlock'>;
  readonly trusted: LightBlock;
  readonly target: LightBlock;
}

/**
 * Verifies the target. Ends because each block in between halves the way, down to the adjacent one that
 * needs no trust in it.
 * @returns the blocks by which it is trusted: first `trusted`, last `target`
 * @throws LedgerError of `verifyForward`, with the height that failed in `facts.height`; of the source
 */
export async function verifySkipping(
  task: SkippingTask,
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<readonly LightBlock[]> {
  const { source, trusted, target } = task;
  const trace = [trusted];
  let verified = trusted;
  /** Fetched and not verified yet, falling; the target first. */
  let ahead = [target];
  let depth = 0;
  for (;;) {
    const block = ahead[depth] ?? target;
    if (isTrusted(verified, block, options)) {
      trace.push(block);
      if (depth === 0) return trace;
      verified = block;
      ahead = ahead.slice(0, depth);
      depth = 0;
      continue;
    }
    if (depth === ahead.length - 1) {
      const low = verified.header.height;
      const pivot = low + ((block.header.height - low) * PIVOT_NUMERATOR) / PIVOT_DENOMINATOR;
      ahead.push(await source.lightBlock(pivot, signal));
    }
    depth++;
  }
}

/** False when a block in between is needed. */
function isTrusted(verified: LightBlock, block: LightBlock, options: VerifyOptions): boolean {
  try {
    verifyForward({ signed: verified, validators: verified.validators }, block, options);
    return true;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'light.new_validators_not_trusted') return false;
    throw error;
  }
}
