/** Gives the core what it had heard of the unfinished height before the node stopped. */
import type { BlockAssembly } from './block-assembly.ts';
import type { ConsensusCore, EvidenceSink, LogRecord } from './ports.ts';
import { readRecord } from './wal-codec.ts';

/** What a replay works on. */
export interface ReplayPorts {
  readonly core: Pick<ConsensusCore, 'apply'>;
  readonly assembly: BlockAssembly;
  readonly evidence: Pick<EvidenceSink, 'conflictingVotes'>;
}

/**
 * Applies logged inputs in order. What the core answers was done before the stop, or is asked for again by
 * `resume`; only evidence may have been lost in between, and its pool knows what it has.
 * @throws DecodeError when a record is none of ours
 */
export function replay(records: readonly LogRecord[], ports: ReplayPorts): void {
  const { core, assembly, evidence } = ports;
  for (const record of records) {
    const item = readRecord(record);
    if (item.kind === 'part') {
      assembly.restore(item.part);
      continue;
    }
    for (const output of core.apply(item.input))
      if (output.kind === 'reportEvidence') evidence.conflictingVotes(output.first, output.second);
  }
}
