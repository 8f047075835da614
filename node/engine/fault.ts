import type { Fault } from '../../consensus/output.ts';
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';

/** The error with which a node stops when the assumptions of the algorithm do not hold. */
export function faultError({ reason, height, blockId }: Fault): LedgerError {
  return new LedgerError('consensus.fault', `${sentence(reason, height)}. The node stops`, {
    height,
    hash: toHex(blockId.hash),
  });
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
