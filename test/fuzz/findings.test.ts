/** What fuzzing and the review for it found, kept. Each failed before its fix. */
import { expect, test } from 'vitest';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { decodeBlock } from '../../consensus/types/block.ts';
import { decodeEvidenceList } from '../../consensus/types/evidence.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseJson } from '../../framework/json.ts';
import { JsonField } from '../../light/json/field.ts';
import { JsonRpc } from '../../light/json-rpc.ts';
import { decodeBlockResponse } from '../../node/blocksync/messages.ts';
import { readRecord } from '../../node/engine/wal-codec.ts';
import { decodeTxs } from '../../node/tx-gossip.ts';
import { BlockResponse } from '../../proto/gen/openledger/p2p/v1/p2p.ts';
import { CommitSig } from '../../proto/gen/tendermint/types/types.ts';
import { Commit } from '../../proto/gen/tendermint/types/types.ts';
import { repeated } from './mutate-protobuf.ts';

/** wal/record, 2 bytes each: an assertion (our own bug, it would seem) instead of a decoding error. */
test('log records with an unknown validity or timeout kind do not decode', () => {
  for (const type of [3, 7])
    for (const payload of [new Uint8Array(0), Uint8Array.of(200)])
      expect(() => readRecord({ type, payload })).toThrow(DecodeError);
});

/** Reading 2 bytes for each element took more than a hundred times that before the count was looked at. */
test('elements are counted as they are read: transactions, evidence, commits, blocks', () => {
  expect(() => decodeTxs(repeated(Uint8Array.of(10, 0), 10_001))).toThrow('too many elements');
  expect(() => decodeEvidenceList(repeated(Uint8Array.of(10, 0), 100_001))).toThrow('too many elements');
  const signatures = new Array<CommitSig>(VALIDATORS_MAX + 1).fill(CommitSig.create());
  const commit = Commit.create({ signatures });
  const response = BlockResponse.encode({ block: Uint8Array.of(1), commit, following: [] });
  expect(() => decodeBlockResponse({ height: 1n, blocksMax: 1 }, response)).toThrow('too many elements');
  const txs = repeated(Uint8Array.of(10, 0), (1 << 20) + 1);
  const length = [0x80 | (txs.length & 127), 0x80 | ((txs.length >> 7) & 127), txs.length >> 14];
  const data = Uint8Array.of(18, ...length.slice(0, 2), 0x80 | ((length[2] ?? 0) & 127), txs.length >> 21);
  const block = new Uint8Array(data.length + txs.length);
  block.set(data);
  block.set(txs, data.length);
  expect(() => decodeBlock(block)).toThrow('too many elements');
});

/** genesis/document: 1e400 was read as Infinity and written as that, which is no JSON. */
test('numbers that none can hold are no JSON of a genesis', () => {
  expect(() => parseJson('{"a":{"b":[1e400]}}')).toThrow('a.b[0]: is a number that is too large');
});

/** An answer nested deeper than the stack: a RangeError while its error message was written. */
test('JSON that nests deeper than the stack is refused as any other wrong value', () => {
  for (const text of [
    '['.repeat(200_000) + ']'.repeat(200_000),
    `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  ]) {
    const field = new JsonField(JSON.parse(text), 'answer');
    expect(() => field.string()).toThrow(DecodeError);
    expect(() => field.int32()).toThrow(DecodeError);
  }
});

/** light/rpc-answer: writing an error's data, which may be anything, recursed as deep as they nest. */
test('an error of a node whose data nest deeper than the stack is an error like any other', async () => {
  const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`;
  const body = `{"jsonrpc":"2.0","id":1,"error":{"code":6,"message":"no","data":${deep}}}`;
  const options = { url: 'http://node', timeoutMs: 1_000, responseBytesMax: 100_000 };
  const rpc = new JsonRpc({ ...options, fetch: () => Promise.resolve(new Response(body)) });
  await expect(rpc.call('status', {})).rejects.toMatchObject({ code: 'light.rpc' });
});
