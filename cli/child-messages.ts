/** What a node that was started by a supervisor (over an IPC channel) tells it, and the one word that it may hear. */

/** RPC and peers can connect. */
export interface ReadyMessage {
  readonly event: 'ready';
  /** URL of the RPC. */
  readonly rpc: string;
  /** Multiaddr with peer id. */
  readonly p2p: string;
}

/** A block is committed and can be read over RPC. */
export interface BlockMessage {
  readonly event: 'block';
  readonly height: number;
  /** Upper-case hexadecimal. */
  readonly hash: string;
  /** The app hash in the header of this block: the state after the block before. */
  readonly app_hash: string;
  /** RFC 3339. */
  readonly time: string;
  /** All transactions of the block. */
  readonly txs: number;
  /** Those that failed: their fee is paid, nothing else happened. */
  readonly failed: number;
}

/** The node stops, and why. */
export interface FailedMessage {
  readonly event: 'failed';
  readonly message: string;
  /** The system error underneath, such as EADDRINUSE. */
  readonly code?: string;
}

/** Any of them. */
export type ChildMessage = ReadyMessage | BlockMessage | FailedMessage;

/** True for what a node of ours sends. */
export function isChildMessage(value: unknown): value is ChildMessage {
  if (typeof value !== 'object' || value === null || !('event' in value)) return false;
  return value.event === 'ready' || value.event === 'block' || value.event === 'failed';
}

/** Tells the supervisor; does nothing when there is none. */
export function tellSupervisor(message: ChildMessage): void {
  if (process.send !== undefined && process.connected) process.send(message);
}

/** To a node that was started before its home was made: it is there. */
export interface StartMessage {
  readonly event: 'start';
}

/** Resolves when the supervisor says so: true; false when it is gone, or there has never been one. */
export function toldToStart(): Promise<boolean> {
  if (!process.connected) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (told: boolean): void => {
      process.off('message', onMessage);
      process.off('disconnect', onDisconnect);
      resolve(told);
    };
    const onMessage = (value: unknown): void => {
      if (typeof value === 'object' && value !== null && 'event' in value && value.event === 'start')
        settle(true);
    };
    const onDisconnect = (): void => settle(false);
    process.on('message', onMessage);
    process.on('disconnect', onDisconnect);
  });
}
