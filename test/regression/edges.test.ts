/** What went wrong elsewhere at the edges: mempool, state sync, RPC. `README.md` lists the advisories. */
import { expect, test } from 'vitest';
import { RpcError } from '../../node/rpc/errors.ts';
import { type RpcRequest, readRequests } from '../../node/rpc/message.ts';
import { endpointsPage } from '../../node/rpc/transport/endpoints-page.ts';
import { decodeSnapshots, SNAPSHOT_CHUNKS_MAX } from '../../node/statesync/messages.ts';
import { decodeTxs } from '../../node/tx-gossip.ts';
import { ResponseListSnapshots, Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import { repeated } from '../fuzz/mutate-protobuf.ts';

/**
 * Sent: a batch of a million empty transactions in two megabytes. There: each became an object before
 * anything was counted. Here: they are counted as they are read.
 */
test('#5946: a batch whose transactions take far more memory than its bytes', () => {
  expect(() => decodeTxs(repeated(Uint8Array.of(10, 0), 1 << 20))).toThrow('too many elements');
  expect(decodeTxs(repeated(Uint8Array.of(10, 0), 10_000))).toHaveLength(10_000);
});

/**
 * Sent: a snapshot of four billion chunks. There: nothing bounded their number. Here: the offer is refused.
 */
test('#5549: a snapshot of more chunks than there can be', () => {
  const offer = (chunks: number): Uint8Array =>
    ResponseListSnapshots.encode({
      snapshots: [Snapshot.create({ height: 5n, chunks, hash: new Uint8Array(32).fill(1) })],
    });
  expect(decodeSnapshots(offer(SNAPSHOT_CHUNKS_MAX))).toHaveLength(1);
  for (const chunks of [0, SNAPSHOT_CHUNKS_MAX + 1, 2 ** 32 - 1])
    expect(() => decodeSnapshots(offer(chunks))).toThrow('chunks');
});

/** Sent: a Host header with markup. There: it stood in the list of endpoints as it was. Here: escaped. */
test('#5921: markup in the Host header', () => {
  const page = endpointsPage(
    [{ name: 'health', params: [], websocketOnly: false, call: () => ({ result: {}, cacheable: false }) }],
    'x"><script>alert(1)</script>',
  );
  expect(page).toContain('&quot;&gt;&lt;script&gt;');
  expect(page).not.toContain('<script');
});

/**
 * Sent: requests whose ids no number holds. There: they were cut to one value, so that answers to different
 * requests carried the same id. Here: such an id is refused; one within bounds comes back as it is. (Of a
 * fraction the whole part comes back, as in CometBFT v0.38.)
 */
test('#5861: JSON-RPC ids beyond what numbers hold', () => {
  const read = (id: string): readonly RpcRequest[] =>
    readRequests(`{"jsonrpc":"2.0","id":${id},"method":"health"}`, { jsonDepthMax: 64, batchMax: 10 })
      .requests;
  for (const id of ['9223372036854775808', '9223372036854775809', '9007199254740993', '-1e300', '1e999'])
    expect(() => read(id)).toThrow(RpcError);
  expect(read('9007199254740991').map(({ id }) => id)).toEqual(['9007199254740991']);
  expect(read('"9223372036854775809"').map(({ id }) => id)).toEqual(['"9223372036854775809"']);
});
