/**
 * What goes wrong in a state sync, as the person who runs the node is told it: always the step, the peers (or
 * the servers of `statesync.rpc_servers`) that are concerned, and what to do or what the node does next. What
 * ends the sync is one sentence with all three; a line of the log has them as fields.
 */
import { LedgerError } from '../../core/errors.ts';

/** The steps of `syncer.ts`, and what follows them. */
export type Step = 'discover' | 'verify' | 'block' | 'offer' | 'fetch' | 'apply' | 'compare' | 'back-fill';

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

function named(peers: readonly string[]): string {
  if (peers.length === 0) return 'no peer is left';
  const more = peers.length > PEERS_NAMED_MAX ? ` and ${peers.length - PEERS_NAMED_MAX} more` : '';
  return peers.slice(0, PEERS_NAMED_MAX).join(', ') + more;
}
