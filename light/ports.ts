/** What the light client takes from its surroundings. */
import type { VerifySignature } from '../consensus/types/public-key.ts';
import type { Time } from '../consensus/types/time.ts';
import type { LightProvider } from './provider.ts';
import type { TrustedStore } from './store.ts';

/** The clock. */
export interface LightClock {
  now(): Time;
  /** Resolves after that time, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A line of the log: what happened, and facts. */
export type LightLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  facts: Readonly<Record<string, unknown>>,
) => void;

/** What a client is made of. */
export interface LightPorts {
  readonly primary: LightProvider;
  /** At least one; the primary's blocks are compared with theirs. */
  readonly witnesses: readonly LightProvider[];
  readonly store: TrustedStore;
  readonly clock: LightClock;
  readonly verify: VerifySignature;
  readonly log?: LightLog;
  /** Ends all requests and waits. */
  readonly signal?: AbortSignal;
}
