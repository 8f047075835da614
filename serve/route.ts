/** What a server answers by: method, path, and who asks. */
import type { Reply } from './reply.ts';

/** The client of a request. */
export interface Asker {
  /** Whose connection it is: `peerKey` of its address. */
  readonly peer: string;
  /** Aborted when the client has left, or was told that its time is over. */
  readonly signal: AbortSignal;
}

/** A request, read whole. */
export interface RouteRequest {
  readonly params: readonly string[];
  readonly search: URLSearchParams;
  readonly body: Uint8Array;
  readonly asker: Asker;
}

/** What answers a path. Segments that begin with a colon are parameters, in their order. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  answer(request: RouteRequest): Reply | Promise<Reply>;
}
