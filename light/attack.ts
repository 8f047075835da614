/**
 * Two verified headers where there can be one: where the chains part, and the evidence of it. Source:
 * CometBFT v0.38.21 `light/detector.go`, ADR 047.
 */
import { equalBytes } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';
import { headerHash } from '../consensus/types/header.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import {
  byzantineValidators,
  isLunatic,
  type LightClientAttackEvidence,
} from '../consensus/types/light-client-attack.ts';
import { compareTime } from '../consensus/types/time.ts';
import type { LightProvider } from './provider.ts';
import { verifySkipping } from './skipping.ts';
import type { VerifyOptions } from './verify.ts';

/** Where two chains part. */
export interface Divergence {
  /** The source's blocks from the last common one to the one that conflicts. */
  readonly sourceTrace: readonly LightBlock[];
  /** The block of the examined trace that the source contradicts. */
  readonly conflicting: LightBlock;
}

/**
 * Follows a trace with blocks of another source until the two part.
 * @throws LedgerError when the source cannot prove its own chain, or does not contradict the trace
 */
export async function findDivergence(
  examined: {
    /** Verified blocks, rising; the first one is trusted. */
    readonly trace: readonly LightBlock[];
    /** A block of the source that contradicts the trace. */
    readonly target: LightBlock;
    readonly source: LightProvider;
  },
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<Divergence> {
  const { trace, target, source } = examined;
  const [root] = trace;
  if (root === undefined || target.header.height < root.header.height)
    throw noDivergence('the block is below the trusted one');
  let verified = await sourceBlock(root);
  if (!sameHeader(verified, root)) throw noDivergence('the source has another trusted block');
  for (const block of trace.slice(1)) {
    if (block.header.height > target.header.height) return await ahead(block);
    const own = await sourceBlock(block);
    const sourceTrace = await verifySkipping({ source, trusted: verified, target: own }, options, signal);
    if (!sameHeader(own, block)) return { sourceTrace, conflicting: block };
    verified = own;
  }
  throw noDivergence('the source has the same blocks');

  async function sourceBlock(block: LightBlock): Promise<LightBlock> {
    if (block.header.height === target.header.height) return target;
    return source.lightBlock(block.header.height, signal);
  }

  /** Forward lunatic attack: a block above the source's last one, and not later than it. */
  async function ahead(block: LightBlock): Promise<Divergence> {
    if (compareTime(block.header.time, target.header.time) > 0)
      throw noDivergence('the source is behind, and earlier');
    const sourceTrace =
      verified.header.height === target.header.height
        ? [verified]
        : await verifySkipping({ source, trusted: verified, target }, options, signal);
    return { sourceTrace, conflicting: block };
  }
}

/** Evidence against those who signed the conflicting block, holding the source's chain for the true one. */
export function attackEvidence({ sourceTrace, conflicting }: Divergence): LightClientAttackEvidence {
  const common = sourceTrace[0];
  const trusted = sourceTrace.at(-1);
  if (common === undefined || trusted === undefined) throw noDivergence('there is no trace');
  // Who forges a header must be judged by the last height that both agree on; who signs two by their own.
  const judged = isLunatic(conflicting.header, trusted.header) ? common : trusted;
  return {
    kind: 'lightClientAttack',
    conflictingBlock: conflicting,
    commonHeight: judged.header.height,
    byzantineValidators: byzantineValidators(conflicting, { trusted, common: common.validators }),
    totalVotingPower: judged.validators.totalVotingPower,
    timestamp: judged.header.time,
  };
}

/** True when two blocks have the same header. */
export function sameHeader(a: LightBlock, b: LightBlock): boolean {
  return equalBytes(headerHash(a.header), headerHash(b.header));
}

function noDivergence(why: string): LedgerError {
  return new LedgerError('light.no_divergence', `no fork is proven: ${why}`);
}
