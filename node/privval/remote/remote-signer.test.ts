/** What the two sides do when the other one, or a stranger, misbehaves. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { Message } from '../../../proto/gen/tendermint/privval/types.ts';
import { machine } from '../../environment.ts';
import { FilePrivValidator } from '../file-priv-validator.ts';
import { CrashFiles } from '../testing/crash-files.ts';
import { block, CHAIN, proposal, SECRET, vote } from '../testing/requests.ts';
import { dialPorts, newAddress, nodePorts, SILENT, startServer } from '../testing/rigs.ts';
import type { SignerAddress } from './address.ts';
import { SocketChannel } from './channel.ts';
import { readDelimited } from './delimited.ts';
import { dialNode } from './dial.ts';
import { MESSAGE_BYTES_MAX, signedVoteResponse } from './messages.ts';
import { RemoteSigner, type SignerTimes } from './remote-signer.ts';
import { SignerServer } from './signer-server.ts';

const QUICK: SignerTimes = { startMs: 150, answerMs: 500, pingMs: 60 };
const at = { height: 1n, round: 0 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Lines that were logged, and a wait for one of them. */
class Lines {
  readonly all: string[] = [];
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];
  readonly log = { debug: () => {}, info: this.#add.bind(this), warn: this.#add.bind(this) };

  #add(facts: Readonly<Record<string, unknown>>, message: string): void {
    const line = `${message} ${JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`;
    this.all.push(line);
    this.#waiting = this.#waiting.filter(({ text, resolve }) => {
      if (line.includes(text)) resolve();
      return !line.includes(text);
    });
  }
  /** Resolves when a line with the text is logged from now on. */
  next(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }
}

async function listen(
  kind: SignerAddress['kind'] = 'unix',
  times: SignerTimes = { ...QUICK, startMs: 5_000 },
) {
  const lines = new Lines();
  const ports = { ...nodePorts(machine), log: lines.log };
  const node = await RemoteSigner.listen(ports, { address: newAddress(kind), chainId: CHAIN, times });
  closers.push(() => node.close());
  return { node, lines };
}

const newSigner = (secret: Uint8Array = SECRET): Promise<FilePrivValidator> =>
  FilePrivValidator.create(secret, {
    keyPath: '/v/key.json',
    statePath: '/v/state.json',
    makeSigner: machine.makeSigner,
    files: new CrashFiles(),
  });

function serve(signer: FilePrivValidator, address: SignerAddress, chainId = CHAIN): SignerServer {
  const server = startServer(machine, signer, address, chainId);
  closers.push(() => server.stop());
  return server;
}

/** Connects to a unix socket as a signer that the test plays. */
async function play(address: SignerAddress, answer: (request: Message) => Uint8Array | undefined) {
  const channel = await dialNode(dialPorts(machine, 'player'), address);
  closers.push(() => channel.destroy());
  const ended = (async () => {
    for (;;) {
      const bytes = answer(await readDelimited(channel, Message, MESSAGE_BYTES_MAX));
      if (bytes !== undefined) await channel.write(bytes);
    }
  })().catch(() => undefined);
  return { channel, ended };
}

/** The answers of a correct signer to what is not a signature. */
function greetings(signer: FilePrivValidator, request: Message): Uint8Array | undefined {
  if (request.pubKeyRequest !== undefined) {
    const pubKey = { ed25519: signer.publicKey.bytes, secp256k1: undefined };
    return Message.encodeDelimited(Message.create({ pubKeyResponse: { pubKey, error: undefined } }));
  }
  if (request.pingRequest === undefined) return undefined;
  return Message.encodeDelimited(Message.create({ pingResponse: {} }));
}

test('no signer in time: one sentence with what to do', async () => {
  const { node } = await listen('unix', QUICK);
  await expect(node.connected()).rejects.toThrow(
    /no signer connected to unix:.* within 0.15 s\. Start it .*openledgerd signer/,
  );
});

test('a signer for another chain is refused, by itself and so by the node, and says why', async () => {
  const { node, lines } = await listen('unix', { ...QUICK, startMs: 1_000 });
  const waiting = node.connected();
  const refused = lines.next('signs for other-chain only');
  serve(await newSigner(), node.listensAt, 'other-chain');
  await refused;
  await expect(waiting).rejects.toThrow('this signer signs for other-chain only');
});

test('a request for another chain is refused', async () => {
  const { node } = await listen();
  serve(await newSigner(), node.listensAt);
  await node.connected();
  await expect(node.signVote('other', vote('prevote', at))).rejects.toThrow('signs for test-chain only');
  await expect(node.signProposal('other', proposal(1n, 0))).rejects.toThrow('signs for test-chain only');
  await node.signVote(CHAIN, vote('prevote', at));
});

test('a second signer is turned away while the first is connected, and serves after it', async () => {
  const { node, lines } = await listen('tcp');
  const held = await newSigner();
  const first = serve(held, node.listensAt);
  await node.connected();
  const turnedAway = lines.next('connected already');
  serve(held, node.listensAt);
  await turnedAway;
  await node.signVote(CHAIN, vote('prevote', at));
  first.stop();
  await node.signVote(CHAIN, vote('prevote', { height: 2n, round: 0 }));
});

test('a signer that comes back with another key is turned away', async () => {
  const { node, lines } = await listen();
  const first = serve(await newSigner(), node.listensAt);
  await node.connected();
  const gone = lines.next('the signer is gone');
  first.stop();
  await gone;
  const turnedAway = lines.next('the signer holds the key of');
  serve(await newSigner(sha256(utf8('another'))), node.listensAt);
  await turnedAway;
});

test('what waits for a signer is bounded: the oldest is given up; the rest when the node stops', async () => {
  const { node, lines } = await listen();
  const server = serve(await newSigner(), node.listensAt);
  await node.connected();
  const gone = lines.next('the signer is gone');
  server.stop();
  await gone;
  const asked = Array.from({ length: 10 }, (_, round) =>
    node.signVote(CHAIN, vote('prevote', { height: 1n, round })),
  );
  const outcomes = Promise.allSettled(asked);
  await expect(asked[0]).rejects.toThrow('newer requests wait');
  await expect(asked[1]).rejects.toThrow('newer requests wait');
  await node.close();
  const reasons = (await outcomes).map((one) => (one.status === 'rejected' ? String(one.reason) : 'signed'));
  expect(reasons.filter((reason) => reason.includes('the node stops'))).toHaveLength(8);
  await expect(node.signVote(CHAIN, vote('prevote', at))).rejects.toThrow('the node stops');
});

test('requests that were waiting are signed in order once the signer is back', async () => {
  const { node, lines } = await listen('tcp');
  const held = await newSigner();
  const server = serve(held, node.listensAt);
  await node.connected();
  const gone = lines.next('the signer is gone');
  server.stop();
  await gone;
  const asked = [1n, 2n, 3n].map((height) => node.signVote(CHAIN, vote('prevote', { height, round: 0 })));
  serve(held, node.listensAt);
  const signed = await Promise.all(asked);
  expect(signed.map(({ height }) => height)).toEqual([1n, 2n, 3n]);
});

const lies: readonly (readonly [string, (signer: FilePrivValidator) => Promise<Message>, string])[] = [
  [
    'a signature over another block',
    async (signer) =>
      signedVoteResponse(await signer.signVote(CHAIN, vote('prevote', at, { blockId: block('b') }))),
    'not over what was asked',
  ],
  [
    'a signature for another chain',
    async (signer) => signedVoteResponse(await signer.signVote('other', vote('prevote', at))),
    'not over what was asked',
  ],
  [
    'a signature of another height',
    async (signer) =>
      signedVoteResponse(await signer.signVote(CHAIN, vote('prevote', { height: 9n, round: 0 }))),
    'not over what was asked',
  ],
  ['another kind of message', async () => Message.create({ pingResponse: {} }), 'another kind of message'],
  ['nothing', async () => Message.create({}), 'another kind of message'],
  [
    'a vote without signature',
    async () =>
      Message.create({
        signedVoteResponse: { vote: { ...unsigned(), signature: new Uint8Array(0) }, error: undefined },
      }),
    'malformed',
  ],
];
const unsigned = () => {
  const { type: _, ...rest } = vote('prevote', at);
  const signature = new Uint8Array(64);
  return { ...rest, type: 1, signature, extension: new Uint8Array(0), extensionSignature: new Uint8Array(0) };
};

test.each(lies)('a signer that answers with %s is not believed', async (_, lie, reason) => {
  const { node } = await listen();
  const signer = await newSigner();
  const message = Message.encodeDelimited(await lie(signer));
  await play(node.listensAt, (request) => greetings(signer, request) ?? message);
  await node.connected();
  await expect(node.signVote(CHAIN, vote('prevote', at))).rejects.toThrow(reason);
});

const garbage: readonly (readonly [string, Uint8Array])[] = [
  ['too long', Uint8Array.of(0x81, 0x50)],
  ['of a length without end', new Uint8Array(20).fill(0xff)],
  ['not protobuf', Uint8Array.of(3, 0xff, 0xff, 0xff)],
  ['cut short', Uint8Array.of(100, 1, 2, 3)],
  ['never coming', new Uint8Array(0)],
];

test.each(garbage)(
  'after an answer that is %s the connection is closed and the next signer asked',
  async (_, bytes) => {
    const { node, lines } = await listen();
    const signer = await newSigner();
    const player = await play(node.listensAt, (request) => greetings(signer, request) ?? bytes);
    await node.connected();
    const gone = lines.next('the signer is gone');
    const asked = node.signVote(CHAIN, vote('prevote', at));
    await Promise.all([gone, player.ended]);
    serve(signer, node.listensAt);
    expect((await asked).height).toBe(1n);
  },
);

test('a signer that stops answering pings is gone', async () => {
  const { node, lines } = await listen();
  const signer = await newSigner();
  let pings = 0;
  await play(node.listensAt, (request) => {
    if (request.pingRequest !== undefined && ++pings > 2) return undefined;
    return greetings(signer, request);
  });
  const gone = lines.next('the signer is gone');
  await node.connected();
  await gone;
  expect(pings).toBe(3);
});

test('strangers that never finish a handshake do not keep the signer out for longer than it may take', async () => {
  const { node, lines } = await listen('tcp');
  const { listensAt } = node;
  if (listensAt.kind !== 'tcp') throw new Error('not TCP');
  const tooMany = lines.next('too many connections');
  for (let count = 0; count < 6; count++) {
    const stranger = createConnection(listensAt.port, listensAt.host);
    stranger.on('error', () => undefined);
    closers.push(() => void stranger.destroy());
  }
  await tooMany;
  serve(await newSigner(), listensAt);
  await node.connected();
  expect(lines.all.filter((line) => line.includes('the handshake took longer')).length).toBeGreaterThan(0);
});

/** A node that the test plays: what the signer sends is in the channel. */
async function playNode(): Promise<{
  readonly accept: () => Promise<SocketChannel>;
  readonly address: SignerAddress;
}> {
  const address = newAddress('unix');
  if (address.kind !== 'unix') throw new Error('not unix');
  const server: Server = createServer();
  const arrived: Socket[] = [];
  let wake: () => void = () => undefined;
  server.on('connection', (socket) => {
    arrived.push(socket);
    wake();
  });
  await new Promise<void>((resolve) => server.listen(address.path, resolve));
  closers.push(() => void server.close());
  const accept = async (): Promise<SocketChannel> => {
    if (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const socket = arrived.shift();
    if (socket === undefined) throw new Error('nobody came');
    closers.push(() => void socket.destroy());
    return new SocketChannel(socket);
  };
  return { accept, address };
}

test.each(garbage.slice(0, 4))('a node whose request is %s is dialled anew', async (_, bytes) => {
  const { accept, address } = await playNode();
  serve(await newSigner(), address);
  const first = await accept();
  await first.write(bytes);
  if (bytes[0] === 100) first.destroy();
  await first.ended;
  const second = await accept();
  await second.write(Message.encodeDelimited(Message.create({ pingRequest: {} })));
  expect((await readDelimited(second, Message, 100)).pingResponse).toBeDefined();
});

test('a request that could be no vote is refused and signs nothing', async () => {
  const { accept, address } = await playNode();
  const signer = await newSigner();
  serve(signer, address);
  const channel = await accept();
  const ask = async (request: Partial<Message>): Promise<Message> => {
    await channel.write(Message.encodeDelimited(Message.create(request)));
    return readDelimited(channel, Message, MESSAGE_BYTES_MAX);
  };
  const good = unsigned();
  for (const bad of [
    undefined,
    { ...good, type: 32 },
    { ...good, type: 0 },
    { ...good, height: -1n },
    { ...good, round: -1 },
    { ...good, validatorAddress: new Uint8Array(5) },
    { ...good, blockId: { ...good.blockId, hash: new Uint8Array(7) } },
    { ...good, extension: utf8('prevotes have none') },
  ]) {
    const { signedVoteResponse: answer } = await ask({ signVoteRequest: { vote: bad, chainId: CHAIN } });
    expect(answer?.error?.description).not.toBe('');
    expect(answer?.vote.signature).toHaveLength(0);
  }
  const { signedProposalResponse } = await ask({
    signProposalRequest: { proposal: undefined, chainId: CHAIN },
  });
  expect(signedProposalResponse?.error?.description).toContain('no proposal');
  expect(signer.state.height).toBe(0n);
});

test('a precommit for a block comes with the signature of its extension, as CometBFT nodes with extensions want', async () => {
  const { accept, address } = await playNode();
  const signer = await newSigner();
  serve(signer, address);
  const channel = await accept();
  const asked = { ...unsigned(), type: 2, extension: utf8('price 5') };
  await channel.write(
    Message.encodeDelimited(Message.create({ signVoteRequest: { vote: asked, chainId: CHAIN } })),
  );
  const { signedVoteResponse: answer } = await readDelimited(channel, Message, MESSAGE_BYTES_MAX);
  expect(answer?.vote.extension).toEqual(utf8('price 5'));
  const expected = signer.signVoteExtension(CHAIN, { height: 1n, round: 0, extension: utf8('price 5') });
  expect(answer?.vote.extensionSignature).toEqual(expected);
});

test('a signer that knows the id of its node refuses another', async () => {
  const { node } = await listen('tcp');
  const { listensAt } = node;
  if (listensAt.kind !== 'tcp') throw new Error('not TCP');
  const { publicKey } = dialPorts(machine, 'node').identity;
  const nodeId = Buffer.from(sha256(publicKey)).toString('hex').slice(0, 40);
  const channel = await dialNode(dialPorts(machine, 'signer'), { ...listensAt, nodeId });
  channel.destroy();
  const other = dialNode(dialPorts(machine, 'signer'), { ...listensAt, nodeId: '00'.repeat(20) });
  await expect(other).rejects.toThrow(`the node there is ${nodeId}`);
});

test('a signer whose node is away dials with pauses that double up to two seconds, with jitter', async () => {
  const pauses: number[] = [];
  const done = new Promise<void>((resolve) => {
    const server = new SignerServer(
      {
        signer: {} as FilePrivValidator,
        dial: () => Promise.reject(new Error('nobody there')),
        timers: {
          after: (delayMs, callback) => {
            pauses.push(delayMs);
            if (pauses.length < 8) queueMicrotask(callback);
            else {
              server.stop();
              resolve();
            }
            return () => undefined;
          },
        },
        random: () => (pauses.length % 2 === 0 ? 0 : 1),
        log: SILENT,
      },
      CHAIN,
    );
    void server.run();
  });
  await done;
  expect(pauses).toEqual([50, 300, 200, 1200, 800, 3000, 1000, 3000]);
});

test('a socket file that a killed node left behind is taken over, one in use is not', async () => {
  const { node } = await listen();
  const options = { address: node.listensAt, chainId: CHAIN };
  await expect(RemoteSigner.listen(nodePorts(machine), options)).rejects.toThrow(
    /cannot wait for the signer at unix:.*EADDRINUSE/,
  );
  const stale = newAddress('unix');
  if (stale.kind !== 'unix') throw new Error('not unix');
  const { spawnSync } = await import('node:child_process');
  const script = `require('node:net').createServer().listen(${JSON.stringify(stale.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  const again = await RemoteSigner.listen(nodePorts(machine), { address: stale, chainId: CHAIN });
  closers.push(() => again.close());
  serve(await newSigner(), stale);
  await again.connected();
});
