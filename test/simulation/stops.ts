/**
 * Why a node may stop or refuse to start, each with the sentence that this cause gives, and what its operator
 * does then. What no cause of the simulation explains is the node's fault.
 */
import { LedgerError, messageOf } from '../../core/errors.ts';
import { SIGNING_STATE_PATH, type SimMachine, WAL_PATH } from './machine.ts';
import { damageNamed, repairDatabase } from './turned-records.ts';

/** What the operator does, and how soon. */
export interface Remedy {
  readonly afterMs: number;
  readonly act: () => void;
}

const READ_MS = 100;
/** What supervises a node starts it again. */
const STARTS_AGAIN_MS = 300;
/** Servers of a state sync are away, or behind, or have lost a block. */
const FOR_NOW: readonly string[] = [
  'light.no_response',
  'light.height_too_high',
  'light.not_found',
  'light.no_cross_reference',
];
const NO_ROOM = 'ENOSPC: no space left on device';
const STALE: readonly string[] = [
  'the signing state (priv_validator_state.json) stands at height 0, round 0',
  'Restore the newest priv_validator_state.json',
];
/** What a node says of a signing state that is not there, or older than the blocks. */
const SIGNING_STATE: Readonly<Record<SpoiltSigningState, readonly string[]>> = {
  lost: [`has no signing state ${SIGNING_STATE_PATH}.`, 'Restore the file'],
  stale: STALE,
  'stale without blocks': STALE,
};

/**
 * What may have become of a signing state. Without blocks nothing contradicts one that is old, until the node
 * has synced those that it has signed: it starts, and stops then.
 */
export type SpoiltSigningState = 'lost' | 'stale' | 'stale without blocks';

/** What is done about a stop; undefined when nothing that was done to the machine explains these words. */
export function remedyFor(machine: SimMachine, error: unknown): Remedy | undefined {
  const reason = messageOf(error);
  const { mustRefuse, wasToldFull, turned, disk } = machine;
  const says = (words: readonly string[]): boolean => words.every((word) => reason.includes(word));
  if (wasToldFull && says([NO_ROOM])) return { afterMs: STARTS_AGAIN_MS, act: () => startWithRoom(machine) };
  if (mustRefuse !== undefined && says(SIGNING_STATE[mustRefuse]))
    return { afterMs: READ_MS, act: () => machine.restoreSigningState() };
  const isLog = (path: string): boolean => path.startsWith(`${WAL_PATH}/`);
  const isLogDamaged = [...disk.garbled].some(isLog) || (turned !== undefined && isLog(turned.path));
  if (isLogDamaged && says(['wal repair'])) return { afterMs: READ_MS, act: () => machine.repairLog() };
  if (turned !== undefined && says([turned.path, 'Restore it']))
    return { afterMs: READ_MS, act: () => machine.restoreTurned() };
  const damaged = damageNamed(machine, reason);
  if (damaged !== undefined) return { afterMs: READ_MS, act: () => repairDatabase(machine, damaged) };
  const isForNow = error instanceof LedgerError && FOR_NOW.includes(error.code);
  if (machine.options.trusts !== undefined && isForNow)
    return { afterMs: STARTS_AGAIN_MS, act: () => machine.start() };
  return undefined;
}

/** As long as there is none, whoever filled the disk starts it later. */
function startWithRoom(machine: SimMachine): void {
  if (!machine.isDiskFull && machine.state === 'refused') machine.start();
}
