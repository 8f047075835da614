/**
 * CometBFT's SecretConnection: an encrypted channel between two processes that have proved to each other
 * which ed25519 key they hold. Wire format of v0.38 `p2p/conn/secret_connection.go`:
 *
 *     both send   BytesValue{X25519 key}                     in the clear, length in front
 *     both send   AuthSigMessage{ed25519 key, signature}     in frames; the signature is over the challenge
 *     then        frames
 *
 * Whether the other side's key is the right one is for the caller to decide.
 */
import { DecodeError, LedgerError } from '../../../core/errors.ts';
import { BytesValue } from '../../../proto/gen/google/protobuf/wrappers.ts';
import { AuthSigMessage } from '../../../proto/gen/tendermint/p2p/conn.ts';
import type { KeySigner, VerifyEd25519 } from '../ports.ts';
import type { ByteChannel } from '../remote/channel.ts';
import { readDelimited } from '../remote/delimited.ts';
import { FRAME_DATA_BYTES, FrameOpener, FrameSealer, SEALED_FRAME_BYTES } from './frames.ts';
import { agreeOnKeys, type ConnectionKeys, EPHEMERAL_KEY_BYTES, type EphemeralKey } from './key-agreement.ts';

/** The first message has 34 bytes, the second 102; CometBFT would read up to a megabyte. */
const HANDSHAKE_MESSAGE_BYTES_MAX = 256;

/** What a handshake needs. */
export interface HandshakePorts {
  /** The lasting ed25519 key of this side. */
  readonly identity: KeySigner;
  readonly ephemeral: EphemeralKey;
  readonly verify: VerifyEd25519;
}

/** A channel on which the handshake is done. */
export class SecretChannel implements ByteChannel {
  /** The proved ed25519 key of the other side, 32 bytes. */
  readonly remoteKey: Uint8Array;
  readonly ended: Promise<void>;
  readonly #frames: FrameChannel;

  private constructor(frames: FrameChannel, remoteKey: Uint8Array) {
    this.#frames = frames;
    this.remoteKey = remoteKey;
    this.ended = frames.ended;
  }

  /**
   * Does the handshake, the same on both sides. The caller sets a deadline and destroys the channel on
   * errors.
   * @throws LedgerError `secret_connection.*`, `privval.closed`, DecodeError
   */
  static async open(channel: ByteChannel, ports: HandshakePorts): Promise<SecretChannel> {
    const { identity, ephemeral, verify } = ports;
    await channel.write(BytesValue.encodeDelimited({ value: ephemeral.publicKey }));
    const { value: remoteEphemeral } = await readDelimited(channel, BytesValue, HANDSHAKE_MESSAGE_BYTES_MAX);
    if (remoteEphemeral.length !== EPHEMERAL_KEY_BYTES) {
      throw new DecodeError('the first message of the other side is not an X25519 key');
    }
    const keys = agreeOnKeys(ephemeral, remoteEphemeral);
    const frames = new FrameChannel(channel, keys);
    const signature = identity.sign(keys.challenge);
    const pubKey = { ed25519: identity.publicKey, secp256k1: undefined };
    await frames.write(AuthSigMessage.encodeDelimited({ pubKey, sig: signature }));
    const proof = await readDelimited(frames, AuthSigMessage, HANDSHAKE_MESSAGE_BYTES_MAX);
    const remoteKey = proof.pubKey.ed25519;
    if (remoteKey === undefined || !verify(remoteKey, keys.challenge, proof.sig)) {
      throw new LedgerError(
        'secret_connection.not_authentic',
        'the other side did not prove that it holds the ed25519 key it named',
      );
    }
    return new SecretChannel(frames, remoteKey);
  }

  read(length: number): Promise<Uint8Array> {
    return this.#frames.read(length);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#frames.write(bytes);
  }

  destroy(reason?: LedgerError): void {
    this.#frames.destroy(reason);
  }
}

/** Bytes in sealed frames. */
class FrameChannel implements ByteChannel {
  readonly ended: Promise<void>;
  readonly #channel: ByteChannel;
  readonly #sealer: FrameSealer;
  readonly #opener: FrameOpener;
  /** Opened and not yet read: at most one frame. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(channel: ByteChannel, keys: ConnectionKeys) {
    this.#channel = channel;
    this.ended = channel.ended;
    this.#sealer = new FrameSealer(keys.sendKey);
    this.#opener = new FrameOpener(keys.receiveKey);
  }

  async read(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#rest.length === 0)
        this.#rest = this.#opener.open(await this.#channel.read(SEALED_FRAME_BYTES));
      const taken = this.#rest.subarray(0, length - filled);
      out.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return out;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const sent: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += FRAME_DATA_BYTES) {
      sent.push(this.#channel.write(this.#sealer.seal(bytes.subarray(at, at + FRAME_DATA_BYTES))));
    }
    await Promise.all(sent);
  }

  destroy(reason?: LedgerError): void {
    this.#channel.destroy(reason);
  }
}
