import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { BytesValue } from '../../../proto/gen/google/protobuf/wrappers.ts';
import { AuthSigMessage } from '../../../proto/gen/tendermint/p2p/conn.ts';
import { ed25519Signer, verifyEd25519 } from '../../crypto/ed25519.ts';
import { type ByteChannel, SocketChannel } from '../remote/channel.ts';
import { FRAME_DATA_BYTES, FrameOpener, FrameSealer, SEALED_FRAME_BYTES } from './frames.ts';
import { agreeOnKeys, ephemeralKey } from './key-agreement.ts';
import { SecretChannel } from './secret-channel.ts';
import { Transcript } from './transcript.ts';

interface Labelled {
  readonly label: string;
  readonly data: string;
  readonly bytes: string;
}
interface Vectors {
  readonly transcripts: readonly {
    readonly label: string;
    readonly messages: readonly Labelled[];
    readonly challenges: readonly Labelled[];
  }[];
  readonly handshakes: readonly {
    readonly ephemeral_a: string;
    readonly ephemeral_b: string;
    readonly identity_a: string;
    readonly identity_b: string;
    readonly public_a: string;
    readonly public_b: string;
    readonly shared: string;
    readonly challenge: string;
    readonly key_lower_receives: string;
    readonly key_lower_sends: string;
    readonly handshake_a: string;
    readonly handshake_b: string;
    readonly messages: readonly {
      readonly from: 'a' | 'b';
      readonly data: string;
      readonly sealed: string;
    }[];
  }[];
}
const file = join(import.meta.dirname, '../../../test/vectors/secret-connection/connections.json');
const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8'));

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A channel whose other end the test holds: what was written, and what will be read. */
class ScriptedChannel implements ByteChannel {
  readonly written: Uint8Array[] = [];
  readonly ended: Promise<void> = new Promise(() => undefined);
  #toRead: Uint8Array;
  constructor(toRead: Uint8Array) {
    this.#toRead = toRead;
  }
  async read(length: number): Promise<Uint8Array> {
    if (this.#toRead.length < length) throw new Error('the script is over');
    const bytes = this.#toRead.slice(0, length);
    this.#toRead = this.#toRead.slice(length);
    return bytes;
  }
  async write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes);
  }
  destroy(): void {}
  more(bytes: Uint8Array): void {
    this.#toRead = concatBytes(this.#toRead, bytes);
  }
  takeWritten(): Uint8Array {
    return concatBytes(...this.written.splice(0));
  }
}

/** Two ends of one TCP connection. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const dialled = connect(port, '127.0.0.1');
  const other = await accepted;
  closers.push(
    () => server.close(),
    () => dialled.destroy(),
    () => other.destroy(),
  );
  return [dialled, other];
}

const ports = (name: string, ephemeral = ephemeralKey()) => ({
  identity: ed25519Signer(sha256(utf8(name))),
  ephemeral,
  verify: verifyEd25519,
});

test.each(vectors.transcripts)(
  'merlin transcript "$label" gives the challenges of the reference',
  (vector) => {
    const transcript = new Transcript(vector.label);
    for (const { label, data } of vector.messages) transcript.append(label, fromHex(data));
    for (const { label, bytes } of vector.challenges) {
      expect(toHex(transcript.challenge(label, bytes.length / 2))).toBe(bytes);
    }
  },
);

test.each(vectors.handshakes)('keys of CometBFT: $challenge', (vector) => {
  const a = ephemeralKey(fromHex(vector.ephemeral_a));
  const b = ephemeralKey(fromHex(vector.ephemeral_b));
  expect(toHex(a.sharedSecret(b.publicKey))).toBe(vector.shared);
  const keysOfA = agreeOnKeys(a, b.publicKey);
  const keysOfB = agreeOnKeys(b, a.publicKey);
  expect(toHex(keysOfA.challenge)).toBe(vector.challenge);
  expect(keysOfB.challenge).toEqual(keysOfA.challenge);
  expect(keysOfA.sendKey).toEqual(keysOfB.receiveKey);
  expect(keysOfA.receiveKey).toEqual(keysOfB.sendKey);
  const keys = [toHex(keysOfA.receiveKey), toHex(keysOfB.receiveKey)].sort();
  expect(keys).toEqual([vector.key_lower_receives, vector.key_lower_sends].sort());
});

test.each(vectors.handshakes)('every byte on the wire is CometBFT’s: $challenge', async (vector) => {
  for (const side of ['a', 'b'] as const) {
    const other = side === 'a' ? 'b' : 'a';
    const channel = new ScriptedChannel(fromHex(vector[`handshake_${other}`]));
    const secret = await SecretChannel.open(channel, {
      identity: ed25519Signer(fromHex(vector[`identity_${side}`])),
      ephemeral: ephemeralKey(fromHex(vector[`ephemeral_${side}`])),
      verify: verifyEd25519,
    });
    expect(toHex(secret.remoteKey)).toBe(vector[`public_${other}`]);
    expect(toHex(channel.takeWritten())).toBe(vector[`handshake_${side}`]);
    for (const { from, data, sealed } of vector.messages) {
      if (from === side) {
        await secret.write(fromHex(data));
        expectSameFrames(channel.takeWritten(), { sealed: fromHex(sealed), data: fromHex(data) });
      } else {
        channel.more(fromHex(sealed));
        expect(toHex(await secret.read(data.length / 2))).toBe(data);
      }
    }
  }
});

/**
 * Full frames are the same to the last byte. CometBFT fills a frame that is not full with what the frame
 * before it held, we with zeros; nobody reads it, so the bytes in front of it are compared.
 */
function expectSameFrames(
  ours: Uint8Array,
  { sealed, data }: { readonly sealed: Uint8Array; readonly data: Uint8Array },
): void {
  expect(ours.length).toBe(sealed.length);
  for (
    let at = 0, left = data.length;
    at < sealed.length;
    at += SEALED_FRAME_BYTES, left -= FRAME_DATA_BYTES
  ) {
    const compared = left >= FRAME_DATA_BYTES ? SEALED_FRAME_BYTES : 4 + left;
    expect(toHex(ours.subarray(at, at + compared))).toBe(toHex(sealed.subarray(at, at + compared)));
  }
}

test('both ends speak over a real socket, in pieces of any size', async () => {
  const [one, two] = await socketPair();
  const [a, b] = await Promise.all([
    SecretChannel.open(new SocketChannel(one), ports('a')),
    SecretChannel.open(new SocketChannel(two), ports('b')),
  ]);
  expect(a.remoteKey).toEqual(ports('b').identity.publicKey);
  const sent = new Uint8Array(10_000).map((_, at) => at * 31);
  await a.write(sent);
  const parts = [await b.read(1), await b.read(1023), await b.read(1), await b.read(8_975)];
  expect(concatBytes(...parts)).toEqual(sent);
  a.destroy();
  await expect(b.read(1)).rejects.toThrow('closed');
});

// RFC 7748 and https://cr.yp.to/ecdh.html: points of small order, and such above the field's prime.
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

test.each(LOW_ORDER)('a key of low order is refused: %s', async (key) => {
  const channel = new ScriptedChannel(BytesValue.encodeDelimited({ value: fromHex(key) }));
  await expect(SecretChannel.open(channel, ports('a'))).rejects.toThrow('shared secret known to everybody');
});

test('a first message that is too long, cut short or no key is refused', async () => {
  const open = (bytes: Uint8Array) => SecretChannel.open(new ScriptedChannel(bytes), ports('a'));
  await expect(open(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))).rejects.toThrow('longer than 256 bytes');
  await expect(open(Uint8Array.of(0x81, 0x02))).rejects.toThrow('longer than 256 bytes');
  await expect(open(Uint8Array.of(34, 10, 32))).rejects.toThrow('the script is over');
  const short = BytesValue.encodeDelimited({ value: new Uint8Array(31) });
  await expect(open(short)).rejects.toThrow('not an X25519 key');
});

/** What an attacker sends who takes part in the handshake but signs something else. */
async function openAgainst(
  proof: (challenge: Uint8Array, key: ReturnType<typeof ed25519Signer>) => Uint8Array,
): Promise<SecretChannel> {
  const ours = ephemeralKey();
  const theirs = ephemeralKey();
  const keys = agreeOnKeys(theirs, ours.publicKey);
  const sealed = new FrameSealer(keys.sendKey).seal(proof(keys.challenge, ed25519Signer(sha256(utf8('m')))));
  const first = BytesValue.encodeDelimited({ value: theirs.publicKey });
  return SecretChannel.open(new ScriptedChannel(concatBytes(first, sealed)), ports('a', ours));
}

test('only a signature over the challenge, with an ed25519 key, proves an identity', async () => {
  const message = (key: Uint8Array, sig: Uint8Array) =>
    AuthSigMessage.encodeDelimited({ pubKey: { ed25519: key, secp256k1: undefined }, sig });
  await openAgainst((challenge, key) => message(key.publicKey, key.sign(challenge)));
  const victim = ed25519Signer(sha256(utf8('victim'))).publicKey;
  for (const proof of [
    (challenge: Uint8Array, key: ReturnType<typeof ed25519Signer>) => message(victim, key.sign(challenge)),
    (_: Uint8Array, key: ReturnType<typeof ed25519Signer>) =>
      message(key.publicKey, key.sign(new Uint8Array(32))),
    (_: Uint8Array, key: ReturnType<typeof ed25519Signer>) => message(key.publicKey, new Uint8Array(0)),
    (challenge: Uint8Array, key: ReturnType<typeof ed25519Signer>) =>
      AuthSigMessage.encodeDelimited({
        pubKey: { ed25519: undefined, secp256k1: key.publicKey },
        sig: key.sign(challenge),
      }),
    () => Uint8Array.of(0),
  ]) {
    await expect(openAgainst(proof)).rejects.toThrow('did not prove');
  }
});

test('a frame that was changed, repeated, left out or reflected does not open', () => {
  const key = sha256(utf8('key'));
  const sealer = new FrameSealer(key);
  const [first, second] = [sealer.seal(utf8('one')), sealer.seal(utf8('two'))];
  for (const at of [0, 3, 4, 500, SEALED_FRAME_BYTES - 1]) {
    const changed = first.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => new FrameOpener(key).open(changed)).toThrow('does not open');
  }
  expect(() => new FrameOpener(key).open(second)).toThrow('does not open');
  const opener = new FrameOpener(key);
  expect(opener.open(first)).toEqual(utf8('one'));
  expect(() => opener.open(first)).toThrow('does not open');
});

test('a frame that claims more than it can hold is refused, an empty one is not', () => {
  const key = sha256(utf8('key'));
  const lying = new FrameSealer(key);
  const tooLong = new Uint8Array(FRAME_DATA_BYTES);
  Object.defineProperty(tooLong, 'length', { value: FRAME_DATA_BYTES + 1 });
  expect(() => new FrameOpener(key).open(lying.seal(tooLong))).toThrow('more than it can');
  expect(new FrameOpener(key).open(new FrameSealer(key).seal(new Uint8Array(0)))).toHaveLength(0);
});

test('a nonce is never used twice: the connection ends before its counter overflows', () => {
  const key = sha256(utf8('key'));
  const last = 0xffff_ffff_ffff_fffen;
  const sealer = new FrameSealer(key, last);
  const frame = sealer.seal(utf8('last'));
  expect(() => sealer.seal(utf8('one more'))).toThrow('used up its nonces');
  const opener = new FrameOpener(key, last);
  expect(opener.open(frame)).toEqual(utf8('last'));
  expect(() => opener.open(frame)).toThrow('used up its nonces');
});
