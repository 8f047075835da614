/**
 * The libp2p host: TCP, noise, yamux, identify and ping. What libp2p would do by default and must not is set
 * here.
 */
import { identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, PrivateKey, StreamMuxerFactory } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { LedgerError, messageOf } from '../core/errors.ts';
import type { NetworkLimits } from './network.ts';

/**
 * Bytes of one stream that may be on their way: bounds what a paused reader holds, below yamux's read buffer
 * of 4 MiB.
 */
const STREAM_WINDOW_BYTES_MAX = 1024 * 1024;
/** Streams of one connection, each way: the channels, the requests under way, and some for libp2p itself. */
const STREAMS_MAX = 256;
/** Connections that come and go while peers are replaced, on top of the peers themselves. */
const SPARE_CONNECTIONS = 32;
/** Peers that no limit counts: libp2p must not close them to make room. */
const EXEMPT_CONNECTIONS = 512;
/** Connections that may be on their way in at once, at least. */
const PENDING_CONNECTIONS_MIN = 16;
/** A peer whose process is busy may answer a ping late; libp2p drops the connection after this. */
const PING_TIMEOUT_MS = 20_000;

/** What the host is made of. */
export interface HostOptions {
  readonly privateKey: PrivateKey;
  /** Multiaddrs to listen on; port 0 is any free port. */
  readonly listen: readonly string[];
  readonly limits: NetworkLimits;
  readonly gater: ConnectionGater;
}

/** A host that is not started yet. It dials nobody by itself. */
export async function createHost(options: HostOptions): Promise<Libp2p> {
  const { limits } = options;
  const muxer = yamux({
    maxInboundStreams: STREAMS_MAX,
    maxOutboundStreams: STREAMS_MAX,
    streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX },
  });
  return await createLibp2p({
    start: false,
    privateKey: options.privateKey,
    addresses: { listen: [...options.listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [() => tolerant(muxer())],
    services: { identify: identify(), ping: ping() },
    connectionGater: options.gater,
    connectionMonitor: { pingTimeout: { minTimeout: PING_TIMEOUT_MS } },
    connectionManager: {
      maxConnections:
        limits.inboundPeersMax + limits.outboundPeersMax + EXEMPT_CONNECTIONS + SPARE_CONNECTIONS,
      inboundConnectionThreshold: limits.inboundPerHostPerSecondMax,
      // Also with no room for strangers: unconditional and persistent peers come in.
      maxIncomingPendingConnections: Math.max(PENDING_CONNECTIONS_MIN, limits.inboundPeersMax),
      inboundUpgradeTimeout: limits.handshakeTimeoutMs,
      dialTimeout: limits.dialTimeoutMs,
      // Redialling is ours (redial.ts): libp2p gives up after a few tries.
      reconnectRetries: 0,
    },
  });
}

/**
 * Yamux announces a new stream in a microtask; when the connection was closed in between, the write would
 * throw where nobody can catch it and end the process. Writes to a closed connection are ignored instead:
 * its streams hear of the end anyway.
 */
function tolerant(factory: StreamMuxerFactory): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer: (connection) => {
      const send = connection.send.bind(connection);
      connection.send = (data) => {
        try {
          return send(data);
        } catch (error) {
          if (connection.status === 'open') throw error;
          return false;
        }
      };
      return factory.createStreamMuxer(connection);
    },
  };
}

/** libp2p tells of a taken port with stacks of every address in the message: one sentence instead. */
export function listenError(listen: readonly string[], cause: unknown): LedgerError {
  const reason = messageOf(cause);
  const system = /\bE[A-Z]{4,}\b/.exec(reason)?.[0];
  const where = listen.join(', ');
  if (system === undefined)
    return new LedgerError('p2p.start', `cannot listen for peers on ${where}: ${reason}`);
  const advice = system === 'EADDRINUSE' ? 'it is taken; stop what uses it, or choose' : `${system}; choose`;
  const message = `cannot listen for peers on ${where}: ${advice} another p2p.laddr`;
  return new LedgerError('p2p.listen', message, { system });
}
