import type { Fault } from '../../consensus/output.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import type { Header } from '../../consensus/types/header.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';

/** The error with which a node stops when the assumptions of the algorithm do not hold. */
export function faultError({ reason, height, blockId }: Fault): LedgerError {
  return new LedgerError('consensus.fault', `${sentence(reason, height)}. The node stops`, {
    height,
    hash: toHex(blockId.hash),
  });
}

/** A block that the network decided and that does not follow from this node's state, and why. */
export interface Divergence {
  readonly header: Header;
  readonly blockId: BlockId;
  /** Of this node, after the block before. */
  readonly appHash: Uint8Array;
  readonly reason: string;
}

/** The error with which a node stops whose own state is not that of the network. */
export function divergedError({ header, blockId, appHash, reason }: Divergence, cause: unknown): LedgerError {
  const { height } = header;
  const hashes = { hash: toHex(blockId.hash), theirs: hashText(header.appHash), ours: hashText(appHash) };
  const apart = equalBytes(header.appHash, appHash)
    ? ''
    : `. The app hash after block ${height - 1n} is ${hashes.theirs} there and ${hashes.ours} here`;
  return new LedgerError(
    'sync.diverged',
    `more than two thirds of the voting power decided block ${height} (${hashes.hash}), and it does not follow ` +
      `from the state of this node: ${reason}${apart}. Either this binary is of another version than theirs, or ` +
      'the data of this node is damaged: install the version that the network runs, and sync from an empty data ' +
      'directory if that does not help. The node stops',
    { height, ...hashes },
    cause,
  );
}

function hashText(hash: Uint8Array): string {
  return hash.length === 0 ? 'empty' : toHex(hash);
}

function sentence(reason: Fault['reason'], height: bigint): string {
  switch (reason) {
    case 'decided_invalid_block':
      return (
        `more than two thirds of the voting power decided block ${height}, which this node finds invalid: ` +
        'either this binary is of another version than theirs, or they are faulty'
      );
    case 'conflicting_decision':
      return `two different blocks were decided at height ${height}: over a third of the power is faulty`;
  }
}
