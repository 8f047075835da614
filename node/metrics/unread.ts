import type { NodeMetrics } from './metrics.ts';

/** What passes by and is counted. */
export type CountedMetrics = Pick<
  NodeMetrics,
  | 'onCommit'
  | 'setSize'
  | 'addTx'
  | 'addFailed'
  | 'addRejected'
  | 'addEvicted'
  | 'addExpired'
  | 'addAlreadyReceived'
  | 'addRechecks'
>;

const ignore = (): void => undefined;

/** When nobody can ask for metrics, nothing is counted, and the library that would count is not loaded. */
export const UNREAD_METRICS: CountedMetrics = {
  onCommit: async () => undefined,
  setSize: ignore,
  addTx: ignore,
  addFailed: ignore,
  addRejected: ignore,
  addEvicted: ignore,
  addExpired: ignore,
  addAlreadyReceived: ignore,
  addRechecks: ignore,
};
