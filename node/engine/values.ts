/** Blocks to propose and blocks to judge: what the core asks with `requestValue` and `validateValue`. */
import type { Input, ValueToPropose } from '../../consensus/input.ts';
import type { RequestValue, ValidateValue } from '../../consensus/output.ts';
import type { Block } from '../../consensus/types/block.ts';
import { messageOf } from '../../core/errors.ts';
import type { BlockAssembly } from './block-assembly.ts';
import type { ChainExecutor, ChainHead, ConsensusLog, ConsensusSigner, EngineLogger } from './ports.ts';
import { partRecord } from './wal-codec.ts';

/** What proposing and judging need. */
export interface ValuePorts {
  readonly executor: ChainExecutor;
  readonly assembly: BlockAssembly;
  readonly log: ConsensusLog;
  readonly signer: ConsensusSigner | undefined;
  readonly logger: EngineLogger;
}

/**
 * Makes a block of ours. Its parts are logged before the core hears of it, so that it can be committed
 * after a crash of everybody who has it.
 */
export async function propose(ports: ValuePorts, request: RequestValue): Promise<ValueToPropose | undefined> {
  const { executor, assembly, log, signer } = ports;
  if (signer === undefined || executor.state.lastBlockHeight >= request.height) return undefined;
  const { parts, blockId } = await executor.propose(request.lastCommit, signer.address);
  for (const part of parts) {
    log.append(partRecord(part));
    assembly.restore(part);
  }
  const block = assembly.block(blockId);
  if (block !== undefined) executor.speculate(block);
  return { kind: 'proposeValue', height: request.height, round: request.round, blockId };
}

/** What judging needs. */
export interface JudgePorts extends Pick<ValuePorts, 'assembly'> {
  readonly executor: Pick<ChainExecutor, 'judge'> & {
    readonly state: Pick<ChainHead, 'lastBlockHeight'>;
  };
  readonly logger: Pick<EngineLogger, 'warn'>;
}

/** Judges a block whose parts are all here. One that cannot be read, or is too large, is invalid. */
export async function judge(ports: JudgePorts, request: ValidateValue): Promise<Input | undefined> {
  const { executor, assembly, logger } = ports;
  const { height, blockId } = request;
  if (executor.state.lastBlockHeight >= height) return undefined;
  let block: Block | undefined;
  try {
    block = assembly.block(blockId);
  } catch (error) {
    logger.warn({ height, reason: messageOf(error) }, 'a proposal is no block');
    return { kind: 'value', height, blockId, validity: 'invalid' };
  }
  if (block === undefined) return undefined;
  const { validity, reason } = await executor.judge(block);
  if (reason !== undefined) logger.warn({ height, validity, reason }, 'a proposed block was not accepted');
  return { kind: 'value', height, blockId, validity };
}
