/**
 * An honest publisher of many shards, all of which are asked about as often as an attacker likes: everything
 * is answered long before the deadline. Blocks of a fake node that takes transactions as ours do: a block has
 * so many bytes, its transactions are in the order of their sequences, one message that fails fails all of
 * its transaction.
 */
import type { EncodeObject } from '@cosmjs/proto-signing';
import type { IndexedTx, SigningStargateClient } from '@cosmjs/stargate';
import { expect, test } from 'vitest';
import type { OpenRequest } from '../../attest/serve/answer-ports.ts';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { smallLibrary } from '../../attest/serve/testing/library.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { LedgerError } from '../../core/errors.ts';
import { MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Account } from './account.ts';
import { answerChain } from './answer-chain.ts';
import type { AttestChain } from './chain.ts';
import type { PendingStatements } from './submitted-claims.ts';

/** By default. */
const [BLOCK_BYTES, REQUEST_BLOCKS] = [4_194_304, 500];
const BLOCK_MS = 1000;

interface Waiting {
  readonly hash: string;
  readonly bytes: number;
  readonly answers: readonly MsgServeChunk[];
}

/** Of what waits, the ids of requests that somebody else answers before it. */
type Racing = (waiting: readonly Waiting[]) => readonly bigint[];

/** The chain: what is open, what waits, what is in blocks. Time is that of its timers. */
class FloodedNode {
  readonly open = new Map<bigint, OpenRequest>();
  readonly #mempool: Waiting[] = [];
  readonly #found = new Map<string, IndexedTx>();
  /** Ids that somebody else answers before our transactions of the next block. */
  readonly #raced: Racing;
  #ms = 0;
  height = 1;
  sequence = 0;
  answered = 0;
  failed = 0;
  readonly expired: OpenRequest[] = [];
  readonly timers = { now: (): number => this.#ms, after: this.#after.bind(this) };

  constructor(raced: Racing = () => []) {
    this.#raced = raced;
  }

  #after(ms: number, call: () => void): () => void {
    this.#ms += ms;
    while (this.height <= this.#ms / BLOCK_MS) this.#block();
    queueMicrotask(call);
    return () => undefined;
  }

  #block(): void {
    this.height++;
    for (const id of this.#raced(this.#mempool)) this.open.delete(id);
    let room = BLOCK_BYTES;
    while ((this.#mempool[0]?.bytes ?? Number.POSITIVE_INFINITY) <= room) {
      const tx = this.#mempool.shift();
      if (tx === undefined) break;
      room -= tx.bytes;
      const isGood = tx.answers.every(({ requestId }) => this.open.has(requestId));
      if (isGood) for (const { requestId } of tx.answers) this.open.delete(requestId);
      if (isGood) this.answered += tx.answers.length;
      else this.failed++;
      const code = isGood ? 0 : 1;
      this.#found.set(tx.hash, { code, hash: tx.hash, rawLog: 'unknown request' } as IndexedTx);
    }
    for (const [id, request] of this.open)
      if (BigInt(this.height) > request.deadline) {
        this.expired.push(request);
        this.open.delete(id);
      }
  }

  #simulate(messages: readonly EncodeObject[]): number {
    const bytes = messages.reduce((sum, { value }) => sum + MsgServeChunk.encode(value).length, 0);
    // What a request of JSON-RPC may have, of a transaction in hexadecimal.
    if (2 * bytes > 990_000) throw new LedgerError('attest.chain', 'HTTP status 413');
    if (!messages.every(({ value }) => this.open.has(value.requestId)))
      throw new Error('Query failed with (6): unknown request');
    return 10 * bytes;
  }

  #broadcast(messages: readonly EncodeObject[], sequence: number): string {
    if (sequence !== this.sequence) throw new Error('account sequence mismatch');
    const answers = messages.map(({ value }): MsgServeChunk => value);
    const bytes = answers.reduce((sum, answer) => sum + MsgServeChunk.encode(answer).length, 500);
    const hash = `TX${this.sequence++}`;
    this.#mempool.push({ hash, bytes, answers });
    return hash;
  }

  account(): Account {
    let signed: readonly [readonly EncodeObject[], number] = [[], 0];
    const client = {
      getHeight: async () => this.height,
      getTx: async (hash: string) => this.#found.get(hash) ?? null,
      getChainId: async () => 'chain-1',
      getSequence: async () => ({ accountNumber: 1, sequence: this.sequence }),
      simulate: async (_: string, messages: readonly EncodeObject[]) => this.#simulate(messages),
      async sign(...args: readonly unknown[]) {
        const { sequence } = args[4] as { readonly sequence: number };
        signed = [args[1] as readonly EncodeObject[], sequence];
        return { bodyBytes: new Uint8Array(0), authInfoBytes: new Uint8Array(0), signatures: [] };
      },
      broadcastTxSync: async () => this.#broadcast(...signed),
    };
    return new Account('open1publisher', client as unknown as SigningStargateClient, { timers: this.timers });
  }
}

/** Runs of 32 leaves of text as long as they can be: 17 kB each with their hashes. */
function longReader(): ShardReader {
  const [small] = smallLibrary().list();
  if (small === undefined) throw new Error('the library has a shard');
  return {
    ...small.reader,
    commitment: { ...small.reader.commitment, tokens: 2 ** 22 },
    leaf: () => new Uint8Array(512),
    node: () => new Uint8Array(32),
  };
}

/** Requests about shards, all opened at once. */
function flood(node: FloodedNode, shards: number, each: number): void {
  for (let i = 0; i < shards * each; i++) {
    const id = BigInt(i + 1);
    const place = { tree: 1, document: 0, chunk: 32 * Math.floor(i / shards) };
    const deadline = BigInt(node.height + REQUEST_BLOCKS);
    node.open.set(id, { id, of: 'shard', key: `shard ${i % shards}`, place, deadline });
  }
}

/** Answers until nothing is open; how many blocks that took. */
async function blocksToAnswer(node: FloodedNode): Promise<number> {
  const reader = longReader();
  const library = new ShardLibrary();
  library.find = (key) => ({ key, reader });
  const room = { bytesMax: BLOCK_BYTES, gasMax: -1 };
  const chain = { blockRoom: async () => room } as unknown as AttestChain;
  const statements = {} as PendingStatements;
  const answers = answerChain({ chain, account: node.account(), statements });
  const answerer = new Answerer({
    chain: { ...answers, openRequests: async () => [...node.open.values()] },
    library,
    heads: new HeadLibrary(),
    metrics: { chunkRequest: () => undefined },
    logger: { info: () => undefined, warn: () => undefined },
  });
  const first = node.height;
  while (node.open.size > 0)
    if (!(await answerer.round())) await new Promise<void>((done) => void node.timers.after(BLOCK_MS, done));
  return node.height - first;
}

test('nine requests about each of 64 shards at once: all are answered in a few blocks', async () => {
  const node = new FloodedNode();
  flood(node, 64, 9);
  const blocks = await blocksToAnswer(node);
  expect([node.answered, node.failed, node.expired.length]).toEqual([576, 0, 0]);
  // 118 of 17 kB at a time: five blocks, and none of them without answers.
  expect(blocks).toBeLessThanOrEqual(6);
});

test('as many requests as the chain takes about 64 shards are answered in a tenth of the time', async () => {
  const node = new FloodedNode();
  flood(node, 64, 64);
  const blocks = await blocksToAnswer(node);
  expect([node.answered, node.failed, node.expired.length]).toEqual([4096, 0, 0]);
  expect(blocks).toBeLessThanOrEqual(50);
});

test('whoever answers some of his own requests before our transactions cannot keep the others from being answered', async () => {
  // One of each of the first eight that wait: as many as there are as long as they are large.
  const node = new FloodedNode((waiting) =>
    waiting.slice(0, 8).flatMap(({ answers }) => answers[0]?.requestId ?? []),
  );
  flood(node, 64, 9);
  const blocks = await blocksToAnswer(node);
  expect(node.expired).toEqual([]);
  expect(node.failed).toBeGreaterThan(8);
  expect(node.answered).toBeGreaterThan(400);
  expect(blocks).toBeLessThanOrEqual(20);
});
