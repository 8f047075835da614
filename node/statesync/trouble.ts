/**
 * What goes wrong in a state sync, as the person who runs the node is told it: always the step, the peers (or
 * the servers of `statesync.rpc_servers`) that are concerned, and what to do or what the node does next. What
 * ends the sync is one sentence with all three; a line of the log has them as fields.
 */
import { LedgerError } from '../../core/errors.ts';

/** The steps of `syncer.ts`, and what follows them: block and state are stored, older headers are fetched. */
export type Step =
  | 'discover'
  | 'verify'
  | 'block'
  | 'offer'
  | 'fetch'
  | 'apply'
  | 'compare'
  | 'store'
  | 'back-fill';

/** See the file comment. */
export interface Trouble {
  readonly step: Step;
  /** Ids of peers, or names of servers. */
  readonly peers: readonly string[];
  /** What to do, or what the node does. */
  readonly next: string;
}

/** More are counted, not named. */
const PEERS_NAMED_MAX = 5;

/** The fields of a line of the log. */
export function told({ step, peers, next }: Trouble): {
  readonly step: Step;
  readonly peers: string;
  readonly next: string;
} {
  return { step, peers: named(peers), next };
}

/** What ends a state sync. */
export function troubleError(
  code: string,
  trouble: Trouble & {
    /** What is wrong: a clause without a full stop. */
    readonly what: string;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly cause?: unknown;
  },
): LedgerError {
  const { step, peers, next, what, facts, cause } = trouble;
  const message = `state sync, step ${step}: ${what} (${named(peers)}): ${next}`;
  return new LedgerError(code, message, facts, cause);
}

/** What is done with the disk, and where in a state sync. */
export interface DiskWork {
  readonly step: Step;
  /** Whose data it is; nobody's when it is left out: the disk is no peer's fault. */
  readonly peers?: readonly string[];
  /** What the node cannot do: an infinitive. */
  readonly act: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What the operating system says (`ENOSPC`, `EIO`…), or LevelDB of its files. */
const SYSTEM_CODE = /^(?:E[A-Z0-9]+|LEVEL_IO_ERROR)$/;

/** `statesync.disk` for an error of the disk; any other as it is. */
export function diskError(cause: unknown, { step, peers, act, facts }: DiskWork): unknown {
  const isSystem =
    cause instanceof Error &&
    'code' in cause &&
    typeof cause.code === 'string' &&
    SYSTEM_CODE.test(cause.code);
  if (!isSystem) return cause;
  return troubleError('statesync.disk', {
    step,
    peers: peers ?? ['no peer is concerned'],
    what: `the node cannot ${act}, the data directory fails: ${cause.message}`,
    next: 'free or repair the disk and start the node again, it goes on with what it has',
    facts,
    cause,
  });
}

/** Work with the disk. @throws LedgerError `statesync.disk`, and what else it throws */
export async function onDisk<T>(work: DiskWork, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (cause) {
    throw diskError(cause, work);
  }
}

function named(peers: readonly string[]): string {
  if (peers.length === 0) return 'no peer is left';
  const more = peers.length > PEERS_NAMED_MAX ? ` and ${peers.length - PEERS_NAMED_MAX} more` : '';
  return peers.slice(0, PEERS_NAMED_MAX).join(', ') + more;
}
