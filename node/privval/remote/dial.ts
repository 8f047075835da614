import { createConnection, type Socket } from 'node:net';
import { toHex } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import type { KeySigner, VerifyEd25519 } from '../ports.ts';
import { ephemeralKey } from '../secret-connection/key-agreement.ts';
import { SecretChannel } from '../secret-connection/secret-channel.ts';
import { formatSignerAddress, type SignerAddress } from './address.ts';
import { type ByteChannel, SocketChannel } from './channel.ts';
import { type Deadlines, withDeadline } from './delimited.ts';

/** Connecting and the handshake together. */
const DIAL_MAX_MS = 5_000;
/** Bytes of CometBFT's node id: the first of SHA-256 of the key. */
const NODE_ID_BYTES = 20;

/** What dialling needs. */
export interface DialPorts {
  /** The key that this side proves over TCP. */
  readonly identity: KeySigner;
  readonly verify: VerifyEd25519;
  readonly timers: Deadlines;
}

/**
 * Connects to a node that waits for its signer. Over TCP encrypted and, when the address names the node's
 * id, refused to any other node; in the clear over a unix socket.
 * @throws LedgerError `privval.closed`, `privval.timeout`, `privval.other_node`, `secret_connection.*`
 */
export async function dialNode(ports: DialPorts, address: SignerAddress): Promise<ByteChannel> {
  const socket: Socket =
    address.kind === 'unix' ? createConnection(address.path) : createConnection(address.port, address.host);
  const channel = new SocketChannel(socket);
  try {
    return await withDeadline(
      { channel, timers: ports.timers, timeoutMs: DIAL_MAX_MS },
      `connecting to ${formatSignerAddress(address)}`,
      async () => {
        await connected(socket, channel);
        return address.kind === 'unix' ? channel : secured(channel, ports, address.nodeId);
      },
    );
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

async function secured(
  channel: ByteChannel,
  { identity, verify }: DialPorts,
  nodeId: string | undefined,
): Promise<ByteChannel> {
  const secret = await SecretChannel.open(channel, { identity, verify, ephemeral: ephemeralKey() });
  const actual = toHex(sha256(secret.remoteKey).subarray(0, NODE_ID_BYTES));
  if (nodeId === undefined || nodeId === actual) return secret;
  throw new LedgerError('privval.other_node', `the node there is ${actual}, not ${nodeId}`, {
    actual,
    nodeId,
  });
}

/** The channel hears of errors; here only the first connect or end counts. */
function connected(socket: Socket, channel: ByteChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    void channel.ended.then(() => channel.read(1).catch(reject));
  });
}
