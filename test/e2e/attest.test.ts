/**
 * An attestor publishes an index and serves; a claim that it made is paid, and the contributors see why; a
 * wrong index and a forged claim are convicted by a watcher that nobody tells anything. One validator, blocks
 * of 200 ms, windows of a few blocks.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account } from '../../cli/attest/account.ts';
import { answerChain } from '../../cli/attest/answer-chain.ts';
import { AccountWatchChain } from '../../cli/attest/watch-chain.ts';
import { AttestChain } from '../../cli/attest/chain.ts';
import { PendingStatements } from '../../cli/attest/submitted-claims.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import type { ShardArrays, ShardReader, SourceDocument } from '../../attest/shard.ts';
import { contentRoot, payInference, publishIndex, requestChunk } from '../../client/index.ts';
import { fromBech32 } from '../../core/bech32.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { ClaimState, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgPublishIndex,
  MsgPublishIndexResponse,
  MsgRequestChunk,
  MsgRequestChunkResponse,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { RunningCommand } from './attest-command.ts';
import { GatewayPlay } from './gateway-play.ts';
import { Play, QUIET, STUCK_MS } from './attest-play.ts';
import { act, TEXTS } from './attest-scene.ts';
import { runProgram } from './program.ts';

let play: Play;
let server: RunningCommand;
let watcher: RunningCommand;

beforeAll(async () => {
  play = await Play.begin(28_790);
}, STUCK_MS);

afterAll(async () => {
  await play?.end();
});

/** Starts the attestor and waits until it serves. */
async function serve(): Promise<void> {
  server = play.serve('--index', join(play.home, 'index'));
  await server.line(' serves 1 shards');
}

async function stateOf(shardId: bigint): Promise<number> {
  return (await play.queries.attribution.shard({ shardId })).shard.state;
}

it('an attestor publishes an index of a snapshot and serves it; a watcher finds it right', {
  timeout: STUCK_MS,
}, async () => {
  const index = ['--contents', play.scene.contents, '--index', join(play.home, 'index'), '--endpoint'];
  const snapshot = ['publish', '--snapshot', `${play.stage.snapshotId}`, '--json'];
  const probe = new RunningCommand(['attest', ...snapshot, ...index, play.endpoint, ...play.as('attestor')]);
  expect(await probe.ended, probe.lines.join('\n')).toBe(0);
  expect(JSON.parse(probe.lines[0] ?? '')).toMatchObject({ index_id: '1', shard_ids: ['1'], new_shards: 1 });
  await serve();
  watcher = play.watch();
  await watcher.line('shard 1 is what its texts say');
  await play.eventually(
    'the index is active',
    async () => (await stateOf(1n)) === ObjectState.OBJECT_STATE_ACTIVE,
  );
  expect(await (await fetch(`${play.endpoint}/metrics`)).text()).toContain('attest_serve_shards 1');
});

const ALICE_SAID = 'As was said: that goal will serve to organize and measure the best of our energies.';
const BOB_SAID = 'They wrote of the epoch of incredulity, it was the season of Light.';

it('claims that it made are paid, and explained to the contributor', { timeout: STUCK_MS }, async () => {
  const { quotingModelId, tracedModelId, contributionIds } = play.stage;
  const { payer } = play.scene.parties;
  for (const modelId of [quotingModelId, tracedModelId]) {
    const made = await play.attributed(modelId, { text: ALICE_SAID });
    expect(made.claim.token === undefined).toBe(modelId === quotingModelId);
    const message = payInference(play.paymentOf(payer.address, modelId, made));
    const payouts = await play.explained((await act(payer, [message], MsgPayInferenceResponse)).receiptId);
    expect(payouts).toMatchObject([
      { recipient: play.scene.parties.alice.address, contributionId: contributionIds[0] },
    ]);
    expect(BigInt(payouts[0]?.amount ?? 0)).toBeGreaterThan(0n);
  }
});

it('of optimistic claims the true one is paid, the forged one refuted by the watcher without help', {
  timeout: STUCK_MS,
}, async () => {
  const { tracedModelId } = play.stage;
  const made = await play.attributed(tracedModelId, { text: BOB_SAID, optimistic: true });
  const [span] = made.claim.token?.spans ?? [];
  const hits = span?.hits.map((hit) => ({
    ...hit,
    contributionIds: hit.contributionIds.map(() => play.stage.contributionIds[0] ?? 0n),
  }));
  const { token } = made.claim;
  if (token === undefined || span === undefined || hits === undefined) throw new Error('no provenance');
  const forged = { ...made.claim, token: { ...token, spans: [{ ...span, hits }] } };
  // Claims 1 and 2 came with their payments.
  const lie = await play.claimAndPay('liar', tracedModelId, {
    claimId: 3n,
    made: { answer: made.answer, claim: forged },
  });
  const truth = await play.claimAndPay('attestor', tracedModelId, { claimId: 4n, made });
  await play.eventually(
    'the forged claim is refuted',
    async () => (await play.stateOfClaim(3n)) === ClaimState.CLAIM_STATE_REFUTED,
  );
  await watcher.line('claim 3 is false and is refuted');
  expect((await play.explained(lie)).every(({ datanetId }) => datanetId > 0n)).toBe(true);
  await watcher.line('claim 4 is true');
  await play.eventually(
    'the true claim is final',
    async () => (await play.stateOfClaim(4n)) === ClaimState.CLAIM_STATE_FINAL,
  );
  expect(await play.explained(truth)).toMatchObject([
    { recipient: play.scene.parties.bob.address, contributionId: play.stage.contributionIds[1] },
  ]);
});

/** What the chain has of the texts. */
function documents(): readonly SourceDocument[] {
  return TEXTS.map(({ by, text }, i) => {
    const content = utf8(text);
    const contributor = fromBech32(play.scene.parties[by].address).bytes;
    const contributionId = play.stage.contributionIds[i] ?? 0n;
    return { contributionId, contributor, root: contentRoot(content), content, byteLength: content.length };
  });
}

/** A shard of the texts in which a rank is exchanged with the next one. */
function wrongShard(datanetId: bigint, wrong: number): ShardReader {
  const honest: ShardArrays = naiveShard(documents());
  const suffix = (rank: number): number =>
    honest.suffix(rank === wrong ? rank + 1 : rank === wrong + 1 ? rank - 1 : rank);
  return shardInMemory({ ...honest, suffix }, { datanetId });
}

/** The liar publishes a shard as an index of the snapshot. */
async function publishWrong({ commitment }: ShardReader, at: string): Promise<bigint> {
  const { params } = await play.queries.attribution.params();
  const { liar } = play.scene.parties;
  const message = MsgPublishIndex.create({
    publisher: liar.address,
    snapshotId: play.stage.snapshotId,
    shards: [{ shardId: 0n, commitment }],
    bond: { denom: params.bondDenom, amount: params.shardBond.toString() },
    endpoint: at,
  });
  const { shardIds } = await act(liar, [publishIndex(message)], MsgPublishIndexResponse);
  return shardIds[0] ?? 0n;
}

async function convicted(shardId: bigint): Promise<void> {
  const { OBJECT_STATE_VOIDED } = ObjectState;
  await play.eventually('the shard is voided', async () => (await stateOf(shardId)) === OBJECT_STATE_VOIDED);
  expect(await watcher.line(`shard ${shardId} is wrong`)).toContain('is convicted');
}

it('a wrong index is convicted by the watcher without help', { timeout: STUCK_MS }, async () => {
  const { snapshot } = await play.queries.datanet.snapshot({ snapshotId: play.stage.snapshotId });
  const wrong = wrongShard(snapshot.datanetId, 40);
  const lying = await play.lie({ library: new ShardLibrary([wrong]) });
  const { params } = await play.queries.attribution.params();
  const { address } = play.scene.parties.watcher;
  const balance = async (): Promise<bigint> =>
    BigInt((await play.scene.chain.connection.queries.bank.balance(address, play.scene.chain.denom)).amount);
  const before = await balance();
  await convicted(await publishWrong(wrong, lying.url));
  const reward = (params.shardBond * BigInt(params.rewardBps)) / 10_000n;
  expect((await balance()) - before).toBeGreaterThan((reward * 9n) / 10n);
  await lying.stop();
});

it('who serves nothing is convicted by what he has to show on the chain, by a watcher that was killed', {
  timeout: STUCK_MS,
}, async () => {
  const { snapshot } = await play.queries.datanet.snapshot({ snapshotId: play.stage.snapshotId });
  const wrong = wrongShard(snapshot.datanetId, 80);
  const shardId = await publishWrong(wrong, 'http://127.0.0.1:1');
  await watcher.line(`a piece of shard ${shardId} is demanded on the chain`);
  await watcher.kill();
  const { liar } = play.scene.parties;
  const chain = new AttestChain(play.scene.chain.connection);
  const account = new Account(liar.address, liar.client);
  // What a watcher's budget is counted by.
  const [demand] = await new AccountWatchChain(chain, account).demands(new Set([shardId]));
  const { requestBond } = await chain.params();
  expect([demand?.own, demand?.bond]).toEqual([false, requestBond]);
  const answerer = new Answerer({
    chain: answerChain({
      chain,
      account,
      statements: new PendingStatements(chain),
    }),
    library: new ShardLibrary([wrong]),
    heads: new HeadLibrary(),
    metrics: { chunkRequest: () => undefined },
    logger: QUIET,
  });
  watcher = play.watch();
  await play.eventually('the liar has shown enough', async () => {
    await answerer.round();
    return (await stateOf(shardId)) === ObjectState.OBJECT_STATE_VOIDED;
  });
  await convicted(shardId);
});

it('killed and started again, the attestor answers requests on the chain, in one transaction', {
  timeout: STUCK_MS,
}, async () => {
  await server.kill();
  const { params } = await play.queries.attribution.params();
  const asked = [0, 1, 2, 3].map((i) =>
    requestChunk(
      MsgRequestChunk.create({
        requester: play.scene.parties.payer.address,
        shardId: 1n,
        // A section of a text, and runs of leaves of three trees.
        place: { tree: i, document: 0, chunk: 0 },
        bond: { denom: params.bondDenom, amount: (params.requestBond * BigInt(i + 1)).toString() },
      }),
    ),
  );
  const { requestId } = await act(play.scene.parties.payer, asked, MsgRequestChunkResponse);
  await serve();
  const { comet } = play.scene.chain.connection;
  const answers = await Promise.all(
    asked.map(async (_, i) => {
      await server.line(`request ${requestId + BigInt(i)} for a piece of shard`);
      const { txs } = await comet.txSearchAll({ query: `serve_chunk.request_id='${requestId + BigInt(i)}'` });
      return txs.map(({ hash }) => toHex(hash)).join();
    }),
  );
  expect([new Set(answers).size, answers[0]?.length]).toEqual([1, 64]);
  expect((await play.queries.attribution.requests()).requests).toEqual([]);
  expect(await stateOf(1n)).toBe(ObjectState.OBJECT_STATE_ACTIVE);
});

it('of epochs a forged one and one that nobody shows are convicted, those that are shown are not', {
  timeout: STUCK_MS,
}, async () => {
  const { quotingModelId: modelId } = play.stage;
  const { settlement } = play.queries;
  const gateway = await GatewayPlay.begin(play.scene);
  try {
    const forged = await gateway.state({ modelId, surcharge: 7n, served: true });
    const right = await gateway.state({ modelId, served: true });
    const shown = await gateway.state({ modelId, served: false });
    const withheld = await gateway.state({ modelId, served: false });
    const epochs = play.watchEpochs();
    await epochs.line(`epoch ${forged} is wrong and is convicted`);
    await epochs.line(`epoch ${right} is what its receipts say`);
    await epochs.line(`a piece of epoch ${withheld} is demanded`);
    await play.eventually('the epoch is shown', async () => {
      await gateway.answer(shown);
      return epochs.lines.some((line) => line.includes(`epoch ${shown} is what its receipts say`));
    });
    const epochsLeft = async () => (await settlement.epochs({})).epochs.map(({ id }) => id);
    await play.eventually('silence convicts', async () => !(await epochsLeft()).includes(withheld));
    expect(await epochsLeft()).toEqual([right, shown]);
    expect(await epochs.stop()).toBe(0);
  } finally {
    await gateway.end();
  }
});

it('what is wrong with an order is one sentence and exit code 1', { timeout: STUCK_MS }, async () => {
  const index = [
    '--contents',
    play.scene.contents,
    '--index',
    join(play.home, 'index'),
    '--endpoint',
    'http://a',
  ];
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['publish', '--snapshot', '9', ...index, ...play.as('attestor')], 'there is no snapshot 9'],
    [['publish', '--snapshot', 'x', ...index, ...play.as('attestor')], 'must be the id of a snapshot'],
    [['watch', '--node', 'http://127.0.0.1:1'], 'cannot reach a node at http://127.0.0.1:1'],
  ];
  for (const [args, words] of cases) {
    const { code, stderr } = await runProgram(['attest', ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)]);
  }
});
