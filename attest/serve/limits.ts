/** Bounds of a server of attributions: whatever arrives, it does no more than this at a time. */
import { SERVER_LIMITS, type ServerLimits } from '../../serve/limits.ts';

/** Named bounds; every one of them is refused with a sentence and counted. */
export interface ServeLimits extends ServerLimits {
  /** Attributions that are made at the same time. */
  readonly attributionsMax: number;
  /** Attributions that wait for their turn; the next one is told to come again. */
  readonly waitingMax: number;
  /** Leaves or nodes in one answer. */
  readonly piecesMax: number;
}

/** For one core: an attribution of tokens takes some 5 ms of it, and waits for the chain as long. */
export const SERVE_LIMITS: ServeLimits = {
  ...SERVER_LIMITS,
  attributionsMax: 4,
  waitingMax: 64,
  piecesMax: 1024,
};
