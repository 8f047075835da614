/** Indexes on chain: bonds, windows, requests and the way out. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { JsonReader } from '../../framework/json.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import { openSection } from '../../modules/attribution/verify.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { openingHashes, splitHashes, treeOf } from '../../modules/attribution/proof/tree.ts';
import { ObjectState, type ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  MsgConvictShard,
  MsgPublishIndex,
  MsgRequestChunk,
  MsgRequestChunkResponse,
  MsgRetireIndex,
  MsgServeChunk,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  type AttributionLoop,
  ask,
  attributionLoop,
  bondsHeld,
  emptyBlocks,
  fraudOf,
  poolHeld,
  publishIndex,
  publishIndexOk,
  responseOf,
  shardOf,
  standingOfIndex,
  wrongShardOf,
  SHORT,
} from '../support/attribution-world.ts';
import { contribute, createDatanet, deliver, deliverOk, publishSnapshot } from '../support/economic-loop.ts';
import { restoreChain } from '../support/restore.ts';
import { anyOf, type TestAccount, TestChain } from '../support/test-chain.ts';

const { OBJECT_STATE_PENDING: PENDING, OBJECT_STATE_ACTIVE: ACTIVE } = ObjectState;
const { OBJECT_STATE_VOIDED: VOIDED, OBJECT_STATE_UNBONDING: UNBONDING } = ObjectState;

function expectRefused(
  { chain }: AttributionLoop,
  sent: { readonly signer: TestAccount; readonly message: Any; readonly name: AttributionErrorName },
): void {
  const { codespace, code, log } = deliver(chain, sent.signer, sent.message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[sent.name].code]);
}

function expectWhole({ chain }: AttributionLoop): void {
  expect(chain.app.brokenInvariants()).toEqual([]);
}

function retire(sender: TestAccount, indexId: bigint): Any {
  return anyOf(MsgRetireIndex, { sender: sender.address, indexId });
}

const coin = (amount: number) => ({ denom: 'uopen', amount: amount.toString() });

function requestChunk(
  requester: TestAccount,
  place = { tree: 0, document: 0, chunk: 0 },
  change: Partial<MsgRequestChunk> = {},
): Any {
  const bond = coin(100);
  const asked = { requester: requester.address, shardId: 1n, place, bond, ...change };
  return anyOf(MsgRequestChunk, MsgRequestChunk.create(asked));
}

test('an index is pending for its window, then active; retired, its bonds come back after the unbonding', () => {
  const loop = attributionLoop();
  const { chain, attestor } = loop;
  const before = chain.balance(attestor.address);
  const halves = [shardOf(loop, { from: 0, count: 1 }), shardOf(loop, { from: 1, count: 1 })];
  const { indexId, shardIds } = publishIndexOk(
    loop,
    attestor,
    halves.map(({ commitment }) => commitment),
  );
  expect([indexId, shardIds, bondsHeld(loop)]).toEqual([1n, [1n, 2n], 2000n]);
  expect(standingOfIndex(loop, 1n)).toBe(PENDING);
  emptyBlocks(loop, SHORT.challengeBlocks - 1);
  expect(standingOfIndex(loop, 1n)).toBe(PENDING);
  emptyBlocks(loop, 1);
  expect(standingOfIndex(loop, 1n)).toBe(ACTIVE);
  // A second index takes the same shards: no further bond. Each holds them.
  publishIndexOk(loop, attestor, [1n, 2n]);
  deliverOk(chain, attestor, retire(attestor, 1n));
  expect(bondsHeld(loop)).toBe(2000n);
  deliverOk(chain, attestor, retire(attestor, 2n));
  const types = { request: query.QueryShardRequest, response: query.QueryShardResponse };
  expect(ask(loop, 'Shard', types, { shardId: 2n }).shard.state).toBe(UNBONDING);
  emptyBlocks(loop, 5);
  expect(bondsHeld(loop)).toBe(2000n);
  expectWhole(loop);
  emptyBlocks(loop, 1);
  expect([bondsHeld(loop), chain.balance(attestor.address)]).toEqual([0n, before - 4n * 5000n]);
  expectWhole(loop);
});

test('what is no partition of the snapshot, or has too small a bond, is refused', () => {
  const loop = attributionLoop();
  const { attestor, challenger } = loop;
  const whole = shardOf(loop).commitment;
  const first = shardOf(loop, { from: 0, count: 1 }).commitment;
  const second = shardOf(loop, { from: 1, count: 1 }).commitment;
  const refused = (
    name: AttributionErrorName,
    shards: readonly (ShardCommitment | bigint)[],
    change: Partial<MsgPublishIndex> = {},
  ): void => {
    const message = anyOf(MsgPublishIndex, publishIndex(attestor, shards, change));
    expectRefused(loop, { signer: attestor, message, name });
  };
  refused('malformed-index', []);
  refused('malformed-index', [first]);
  refused('malformed-index', [second, first]);
  refused('malformed-index', [whole, second]);
  refused('malformed-index', [{ ...whole, datanetId: 2n }]);
  refused('malformed-index', [{ ...whole, textRoot: new Uint8Array(31) }]);
  refused('malformed-index', [whole], { endpoint: ' ' });
  refused('malformed-index', [whole], { endpoint: 'x'.repeat(257) });
  refused('malformed-index', [whole], { endpoint: 'ü'.repeat(200) });
  refused('unknown-snapshot', [whole], { snapshotId: 9n });
  refused('unknown-shard', [7n]);
  refused('wrong-bond', [whole], { bond: { denom: 'uopen', amount: '999' } });
  refused('wrong-bond', [whole], { bond: { denom: 'uusd', amount: '1000' } });
  publishIndexOk(loop, attestor, [whole]);
  const message = anyOf(MsgPublishIndex, publishIndex(challenger, [1n]));
  expectRefused(loop, { signer: challenger, message, name: 'not-owner' });
  expectRefused(loop, { signer: challenger, message: retire(challenger, 1n), name: 'not-owner' });
  expectRefused(loop, { signer: challenger, message: retire(challenger, 2n), name: 'unknown-index' });
  expectWhole(loop);
});

test('a request that is answered pays the publisher; every piece of every tree can be shown', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger, documents } = loop;
  const shard = shardOf(loop);
  publishIndexOk(loop, attestor, [shard.commitment]);
  const serving = (requestId: bigint, piece: Partial<MsgServeChunk>): Any =>
    anyOf(MsgServeChunk, MsgServeChunk.create({ server: attestor.address, requestId, ...piece }));
  const serve = (requestId: bigint, content: Uint8Array, hashes: readonly Uint8Array[]): Any =>
    serving(requestId, { content, hashes });
  const asked = responseOf(MsgRequestChunkResponse, deliverOk(chain, challenger, requestChunk(challenger)));
  const { content, hashes } = openSection(documents[0].content, 0) ?? {
    content: new Uint8Array(0),
    hashes: [],
  };
  const wrong = serve(
    asked.requestId,
    content.map((byte) => byte ^ 1),
    hashes,
  );
  expectRefused(loop, { signer: attestor, message: wrong, name: 'wrong-chunk' });
  const before = chain.balance(attestor.address);
  deliverOk(chain, attestor, serve(asked.requestId, content, hashes));
  expect(chain.balance(attestor.address)).toBe(before - 5000n + 10n);
  expectRefused(loop, { signer: attestor, message: serve(1n, content, hashes), name: 'unknown-request' });
  for (const [i, tree] of (['text', 'suffix', 'inverse', 'documents'] as const).entries()) {
    const place = { tree: i + 1, document: 0, chunk: 1 };
    const { requestId } = responseOf(
      MsgRequestChunkResponse,
      deliverOk(chain, challenger, requestChunk(challenger, place)),
    );
    const perLeaf = { text: 64, suffix: 1, inverse: 64, documents: 0 }[tree];
    const count = perLeaf === 0 ? 2 : Math.ceil(shard.tokens / perLeaf);
    const run = Array.from({ length: Math.min(count, tree === 'suffix' ? 64 : 32) }, (_, at) => at);
    const joined = openingHashes(count, run, (level, index) => shard.node(tree, level, index));
    const path = splitHashes(joined);
    const leaves = run.map((leaf) => shard.leaf(tree, leaf));
    const one = splitHashes(openingHashes(count, [1], (level, index) => shard.node(tree, level, index)));
    const others: readonly Partial<MsgServeChunk>[] = [
      { leaves: leaves.slice(1, 2), hashes: one },
      { leaves: leaves.slice(0, -1), hashes: path },
      { leaves, hashes: path, content: Uint8Array.of(0) },
      { leaves: [...leaves.slice(1), ...leaves.slice(0, 1)], hashes: path },
    ];
    const other = serving(requestId, others[i] ?? {});
    expectRefused(loop, { signer: attestor, message: other, name: 'wrong-chunk' });
    deliverOk(chain, attestor, serving(requestId, { leaves, hashes: path }));
  }
  expect(standingOfIndex(loop, 1n)).toBe(ACTIVE);
  expectWhole(loop);
});

test('a request that nobody answers voids the shard: bond and reward to the requester', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const before = chain.balance(challenger.address);
  const { deadline } = responseOf(
    MsgRequestChunkResponse,
    deliverOk(chain, challenger, requestChunk(challenger)),
  );
  const again = requestChunk(challenger, { tree: 1, document: 0, chunk: 0 }, { bond: coin(200) });
  deliverOk(chain, challenger, again);
  expectRefused(loop, {
    signer: challenger,
    message: requestChunk(challenger, undefined, { bond: coin(300) }),
    name: 'too-many-requests',
  });
  while (chain.height < deadline - 1n) chain.block();
  // Before claims rest on it: the window of a request is the shorter one.
  expect(standingOfIndex(loop, 1n)).toBe(PENDING);
  chain.block();
  expect(standingOfIndex(loop, 1n)).toBe(VOIDED);
  expectRefused(loop, { signer: challenger, message: requestChunk(challenger), name: 'not-usable' });
  expectWhole(loop);
  // The second request expires too: its bond comes back, nothing more.
  chain.block();
  expect(chain.balance(challenger.address)).toBe(before - 4n * 5000n + 500n);
  expect(bondsHeld(loop)).toBe(0n);
  // Anybody removes what is voided.
  deliverOk(chain, challenger, retire(challenger, 1n));
  expect(
    chain.rawQuery('/openledger.attribution.v1.Query/Shard', query.QueryShardRequest.encode({ shardId: 1n }))
      .code,
  ).not.toBe(0);
  expectWhole(loop);
});

test('a fraud proof voids a shard before its window ends, and while it unbonds; a right one cannot be voided', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger } = loop;
  const wrong = wrongShardOf(loop);
  const proof = fraudOf(loop, wrong) ?? new Uint8Array(0);
  const convict = (shardId: bigint, bytes = proof): Any =>
    anyOf(MsgConvictShard, { challenger: challenger.address, shardId, proof: bytes });
  expect(fraudOf(loop, shardOf(loop))).toBeUndefined();
  publishIndexOk(loop, attestor, [wrong.commitment]);
  publishIndexOk(loop, attestor, [wrong.commitment]);
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  for (const bytes of [proof.slice(1), new Uint8Array(100)])
    expectRefused(loop, { signer: challenger, message: convict(1n, bytes), name: 'not-convicted' });
  expectRefused(loop, { signer: challenger, message: convict(3n), name: 'not-convicted' });
  for (const bytes of [new Uint8Array(0), new Uint8Array(262_145)])
    expectRefused(loop, { signer: challenger, message: convict(1n, bytes), name: 'evidence-size' });
  const before = chain.balance(challenger.address);
  const pool = poolHeld(loop);
  deliverOk(chain, challenger, convict(1n));
  expect(chain.balance(challenger.address)).toBe(before - 5000n + 500n);
  expect(poolHeld(loop)).toBe(pool + 500n);
  expect([standingOfIndex(loop, 1n), standingOfIndex(loop, 2n)]).toEqual([VOIDED, ACTIVE]);
  expectRefused(loop, { signer: challenger, message: convict(1n), name: 'not-usable' });
  deliverOk(chain, attestor, retire(attestor, 2n));
  deliverOk(chain, challenger, convict(2n));
  expect(bondsHeld(loop)).toBe(1000n);
  expectWhole(loop);
  emptyBlocks(loop, 8);
  expect(bondsHeld(loop)).toBe(1000n);
  expectWhole(loop);
});

test('a leaf that no fraud proof could show is no answer to a request, though it is what was committed to', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger } = loop;
  const { commitment, leaf } = shardOf(loop);
  const [long, good] = [concatBytes(Uint8Array.of(1), new Uint8Array(5000)), leaf('text', 0)];
  for (const [i, leaves] of [[long], [good, Uint8Array.of(1, 0, 0)]].entries()) {
    const { root } = treeOf(SHARD_TREES.text, leaves);
    const tokens = 64 * leaves.length;
    publishIndexOk(loop, attestor, [{ ...commitment, tokens, textRoot: root }]);
    const asked = requestChunk(challenger, { tree: 1, document: 0, chunk: 0 }, { shardId: BigInt(1 + i) });
    const { requestId } = responseOf(MsgRequestChunkResponse, deliverOk(chain, challenger, asked));
    const whole = MsgServeChunk.create({ server: attestor.address, requestId, leaves });
    expectRefused(loop, { signer: attestor, message: anyOf(MsgServeChunk, whole), name: 'wrong-chunk' });
  }
  emptyBlocks(loop, 4);
  expect(standingOfIndex(loop, 2n)).toBe(VOIDED);
  expect(standingOfIndex(loop, 1n)).toBe(VOIDED);
  expectWhole(loop);
});

/** A Datanet with an allow-list, one contribution of who is on it, and its snapshot. */
function privateDatanet({ chain, owner, first, documents }: AttributionLoop) {
  const [datanetId, snapshotId] = [2n, 2n];
  const admission = Admission.ADMISSION_ALLOW_LIST;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'letters', admission }));
  const change = { owner: owner.address, datanetId, add: [first.address], remove: [] };
  deliverOk(chain, owner, anyOf(MsgUpdateAllowList, change));
  deliverOk(chain, first, contribute(first, documents[0], { datanetId }));
  deliverOk(chain, owner, publishSnapshot(owner, datanetId));
  return { datanetId, snapshotId };
}

test('requests are for pieces that there are; of salted shards only members of the Datanet may ask', () => {
  const loop = attributionLoop();
  const { attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const salted = { ...shardOf(loop).commitment, salted: true, saltCommitment: new Uint8Array(32).fill(1) };
  for (const shard of [salted, { ...salted, saltCommitment: new Uint8Array(31) }]) {
    const message = anyOf(MsgPublishIndex, publishIndex(attestor, [shard]));
    expectRefused(loop, { signer: attestor, message, name: 'malformed-index' });
  }
  const { snapshotId, datanetId } = privateDatanet(loop);
  publishIndexOk(loop, attestor, [{ ...salted, datanetId, documents: 1 }], { snapshotId });
  for (const place of [
    { tree: 5, document: 0, chunk: 0 },
    { tree: 1, document: 1, chunk: 0 },
    { tree: 1, document: 0, chunk: 1000 },
    { tree: 0, document: 2, chunk: 0 },
    { tree: 0, document: 0, chunk: 1 },
  ])
    expectRefused(loop, {
      signer: challenger,
      message: requestChunk(challenger, place),
      name: 'malformed-request',
    });
  const message = requestChunk(challenger, undefined, { shardId: 2n });
  expectRefused(loop, { signer: challenger, message, name: 'not-member' });
  for (const [tree, member] of [loop.owner, loop.first].entries()) {
    const change = { shardId: 2n, bond: coin(100 * (1 + tree)) };
    deliverOk(loop.chain, member, requestChunk(member, { tree, document: 0, chunk: 0 }, change));
  }
  expectWhole(loop);
});

test('a chain that begins with an export of open requests and unbonding shards goes on the same', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  deliverOk(chain, challenger, requestChunk(challenger));
  deliverOk(chain, attestor, retire(attestor, 2n));
  const app = restoreChain(chain);
  expect(app.brokenInvariants()).toEqual([]);
  const again = app.exportState().appState;
  for (const list of ['params_versions', 'shards', 'indexes', 'requests']) {
    const attribution = { ...new JsonReader(again, '').member('attribution').object(), [list]: [] };
    expect(() => new TestChain({ genesis: { sections: { attribution } } }), list).toThrow(
      'app_state.attribution',
    );
  }
  chain.block();
  expect(again['attribution']).toEqual(chain.app.exportState().appState['attribution']);
});
