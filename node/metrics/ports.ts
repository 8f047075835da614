/** What the metrics read when they are asked. */
import type { ApplicationMemory } from '../application.ts';

/** The node as the metrics see it. */
export interface MetricsSource {
  /** The round machine; undefined before the node takes part in consensus. */
  consensus():
    | {
        readonly height: bigint;
        readonly round: number;
        readonly validators: number;
        readonly validatorsPower: bigint;
      }
    | undefined;
  /** True while blocks are fetched instead of voted on. */
  catchingUp(): boolean;
  /** Connected peers. */
  peers(): number;
  /** What the network has counted since start. */
  network(): NetworkCounts;
  /** Addresses in the book. */
  addresses(): number;
  /** Peers that proved the key of a validator of the current set. */
  validatorPeers(): number;
  /** What the application holds in memory; undefined when it is not in this process. */
  applicationMemory(): ApplicationMemory | undefined;
}

/** See `NetworkMetrics` in `p2p/network.ts`. */
export interface NetworkCounts {
  readonly dials: number;
  readonly dialsFailed: number;
  readonly handshakesRefused: number;
  readonly penalties: number;
  readonly bans: number;
  readonly throttled: number;
  readonly answerBytes: number;
  readonly answersBrokenOff: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** By channel. */
  readonly bytesSent: Readonly<Record<string, number>>;
  readonly bytesReceived: Readonly<Record<string, number>>;
  readonly messagesDropped: Readonly<Record<string, number>>;
}

/** Log lines with facts. */
export interface MetricsLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}
