/**
 * What happens to a decided block: stored, marked in the log, executed, told to everybody. In this order.
 * Conflicting votes of the height are on disk before the block: who starts with the block replays no log of
 * its height. Those that come meanwhile are on disk before the mark.
 */
import type { Decide } from '../../consensus/output.ts';
import type { CommittedBlock } from '../committed-block.ts';
import type { BlockAssembly } from './block-assembly.ts';
import type {
  BlockSink,
  ChainExecutor,
  CommitListener,
  ConsensusLog,
  DecidedBlock,
  EngineClock,
  EvidenceSink,
} from './ports.ts';

/** What finishing a height needs. */
export interface DecisionPorts {
  readonly executor: Pick<ChainExecutor, 'apply'>;
  readonly blocks: Pick<BlockSink, 'range' | 'saveBlock'>;
  readonly log: Pick<ConsensusLog, 'endHeight'>;
  readonly evidence: Pick<EvidenceSink, 'conflictsSaved'>;
  readonly clock: EngineClock;
  /** Told in order, each after the one before. */
  readonly listeners: readonly CommitListener[];
}

/**
 * Puts together what is stored of a decided block. The core decides only what was judged, so its parts were
 * here; undefined when they were forgotten since.
 */
export function decidedBlock(assembly: BlockAssembly, { blockId, commit }: Decide): DecidedBlock | undefined {
  const block = assembly.block(blockId);
  if (block === undefined) return undefined;
  const parts = assembly.parts(blockId.partSetHeader);
  const blockSize = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  return { block, blockId, seenCommit: commit, parts, blockSize };
}

/** How long the steps of finishing a height took, in milliseconds. */
export interface FinishTimes {
  /** Stored and executed; the two overlap. */
  readonly executedMs: number;
  readonly toldMs: number;
}

/**
 * Finishes a height. After a crash at any point: not stored, the log decides it again; stored and not
 * executed, the handshake executes it; executed and not told, the listeners catch up from the stores.
 */
export async function finishHeight(ports: DecisionPorts, decided: DecidedBlock): Promise<FinishTimes> {
  const { clock } = ports;
  const began = clock.now();
  const committed = await executeDecided(ports, decided);
  const executed = clock.now();
  await tellOf(committed, ports.listeners);
  return {
    executedMs: milliseconds(executed - began),
    toldMs: milliseconds(clock.now() - executed),
  };
}

/** Stores and executes a decided block: the first half of finishing a height. */
export async function executeDecided(
  ports: Omit<DecisionPorts, 'clock' | 'listeners'>,
  decided: DecidedBlock,
): Promise<CommittedBlock> {
  const stored = storeBlock(ports, decided);
  stored.catch(() => undefined); // the executor waits for it and fails with it
  return await ports.executor.apply({ ...decided, stored });
}

/** The second half. */
export async function tellOf(committed: CommittedBlock, listeners: readonly CommitListener[]): Promise<void> {
  for (const listener of listeners) await listener.onCommit(committed);
}

async function storeBlock(
  { blocks, log, evidence }: Pick<DecisionPorts, 'blocks' | 'log' | 'evidence'>,
  decided: DecidedBlock,
): Promise<void> {
  const { height } = decided.block.header;
  await evidence.conflictsSaved();
  if (blocks.range().height < height) await blocks.saveBlock(decided);
  await evidence.conflictsSaved();
  await log.endHeight(height);
}

function milliseconds(nanos: bigint): number {
  return Number(nanos / 1_000_000n);
}
