/** The node's door for its signer: listens, does the handshake, hands over channels. */
import { lstatSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { LedgerError, messageOf } from '../../../core/errors.ts';
import { SecretChannel } from '../secret-connection/secret-channel.ts';
import { ephemeralKey } from '../secret-connection/key-agreement.ts';
import type { KeySigner, VerifyEd25519 } from '../ports.ts';
import { formatSignerAddress, type SignerAddress } from './address.ts';
import { type ByteChannel, SocketChannel } from './channel.ts';
import { type Deadlines, withDeadline } from './delimited.ts';

/** Connections whose handshake is not done; more are closed at once. */
const HANDSHAKES_MAX = 4;

/** What the door needs. */
export interface ListenerPorts {
  /** The key that the node proves in a handshake over TCP. */
  readonly identity: KeySigner;
  readonly verifyEd25519: VerifyEd25519;
  readonly timers: Deadlines;
  /** Takes a connection that is ready; its handshake counts as under way until this resolves. */
  readonly onChannel: (channel: ByteChannel) => Promise<void>;
  readonly log: { warn(facts: Readonly<Record<string, unknown>>, message: string): void };
}

/** Listens until it is closed. */
export class SignerListener {
  /** Where it listens; a port of 0 is the port that was given. */
  readonly address: SignerAddress;
  readonly #server: Server;
  readonly #ports: ListenerPorts;
  readonly #handshakeTimeoutMs: number;
  readonly #sockets: Set<Socket> = new Set();
  #underWay = 0;

  private constructor(
    server: Server,
    ports: ListenerPorts,
    at: { readonly address: SignerAddress; readonly handshakeTimeoutMs: number },
  ) {
    this.#server = server;
    this.#ports = ports;
    this.address = at.address;
    this.#handshakeTimeoutMs = at.handshakeTimeoutMs;
    server.on('connection', (socket) => void this.#accept(socket));
  }

  /** @throws LedgerError `privval.listen` when the address cannot be used */
  static async open(
    ports: ListenerPorts,
    options: { readonly address: SignerAddress; readonly handshakeTimeoutMs: number },
  ): Promise<SignerListener> {
    const { address } = options;
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(address, error)));
      if (address.kind === 'unix') server.listen(address.path, resolve);
      else server.listen(address.port, address.host, resolve);
    });
    server.on('error', (error) => {
      ports.log.warn(
        { reason: error.message },
        'a connection to the address for the signer was not accepted',
      );
    });
    const bound = server.address();
    const isTcp = address.kind === 'tcp' && bound !== null && typeof bound === 'object';
    return new SignerListener(server, ports, {
      ...options,
      address: isTcp ? { ...address, port: bound.port } : address,
    });
  }

  /** Closes the door and every connection that came through it. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #accept(socket: Socket): Promise<void> {
    const { log } = this.#ports;
    const from = socket.remoteAddress ?? formatSignerAddress(this.address);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const channel = new SocketChannel(socket);
    if (this.#underWay >= HANDSHAKES_MAX) {
      channel.destroy();
      log.warn({ from }, 'too many connections at once to the address for the signer; one was closed');
      return;
    }
    this.#underWay += 1;
    try {
      await this.#ports.onChannel(await this.#secure(channel));
    } catch (error) {
      channel.destroy();
      log.warn({ from, reason: messageOf(error) }, 'a connection to the address for the signer failed');
    } finally {
      this.#underWay -= 1;
    }
  }

  async #secure(channel: ByteChannel): Promise<ByteChannel> {
    if (this.address.kind === 'unix') return channel;
    const { identity, verifyEd25519: verify, timers } = this.#ports;
    return withDeadline({ channel, timers, timeoutMs: this.#handshakeTimeoutMs }, 'the handshake', () =>
      SecretChannel.open(channel, { identity, verify, ephemeral: ephemeralKey() }),
    );
  }
}

/** A socket file that a killed process left behind is removed; one that somebody listens on is not. */
async function removeStaleSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => resolve(false));
    probe.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
    probe.once('close', () => probe.removeAllListeners());
    probe.once('connect', () => probe.destroy());
  });
  if (isStale) rmSync(path, { force: true });
}

function cannotListen(address: SignerAddress, cause: Error): LedgerError {
  const where = formatSignerAddress(address);
  return new LedgerError(
    'privval.listen',
    `cannot wait for the signer at ${where} (priv_validator_laddr): ${cause.message}`,
    { address: where },
    cause,
  );
}
