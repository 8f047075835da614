/** What happens to a decided block: stored, marked in the log, executed, told to everybody. In this order. */
import type { Decide } from '../../consensus/output.ts';
import type { Block } from '../../consensus/types/block.ts';
import type { PartSet } from '../../consensus/types/part-set.ts';
import { assert } from '../../core/errors.ts';
import type { CommittedBlock } from '../committed-block.ts';
import type { BlockAssembly } from './block-assembly.ts';
import type { BlockSink, ChainExecutor, CommitListener, ConsensusLog, DecidedBlock } from './ports.ts';

/** What finishing a height needs. */
export interface DecisionPorts {
  readonly executor: ChainExecutor;
  readonly blocks: BlockSink;
  readonly log: ConsensusLog;
  /** Told in order, each after the one before. */
  readonly listeners: readonly CommitListener[];
}

/** Puts together what is stored of a decided block. The core decides only what was judged, so all parts are here. */
export function decidedBlock(assembly: BlockAssembly, { blockId, commit }: Decide): DecidedBlock {
  const block = assembly.block(blockId);
  const set = assembly.set(blockId.partSetHeader);
  assert(block !== undefined && set !== undefined, 'a block was decided that is not here', {
    total: blockId.partSetHeader.total,
  });
  return { block, blockId, seenCommit: commit, ...partsOfSet(set) };
}

function partsOfSet(set: PartSet): Pick<DecidedBlock, 'parts' | 'blockSize'> {
  const parts = [];
  let blockSize = 0;
  for (let index = 0; index < set.header.total; index++) {
    const part = set.part(index);
    assert(part !== undefined, 'a complete part set lacks a part', { index });
    parts.push(part);
    blockSize += part.bytes.length;
  }
  return { parts, blockSize };
}

/**
 * Finishes a height. After a crash at any point: not stored, the log decides it again; stored and not executed, the
 * handshake executes it; executed and not told, the listeners catch up from the stores.
 */
export async function finishHeight(ports: DecisionPorts, decided: DecidedBlock): Promise<Block> {
  const { height } = decided.block.header;
  if (ports.blocks.range().height < height) await ports.blocks.saveBlock(decided);
  await ports.log.endHeight(height);
  const committed: CommittedBlock = await ports.executor.apply(decided);
  for (const listener of ports.listeners) await listener.onCommit(committed);
  return decided.block;
}
