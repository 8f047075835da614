/**
 * An attestor publishes an index and serves; a claim that it made is paid, and the contributors see why; a
 * wrong index and a forged claim are convicted by a watcher that nobody tells anything. One validator, blocks
 * of 200 ms, windows of a few blocks.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account } from '../../cli/attest/account.ts';
import { answerChain } from '../../cli/attest/answer-chain.ts';
import { AccountWatchChain } from '../../cli/attest/watch-chain.ts';
import { AttestChain } from '../../cli/attest/chain.ts';
import { PendingStatements } from '../../cli/attest/submitted-claims.ts';
import { LOOPBACK, nextFreePort } from '../../cli/devnet/ports.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { attestService } from '../../attest/serve/service.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import type { ShardArrays, ShardReader, SourceDocument } from '../../attest/shard.ts';
import {
  contentRoot,
  payInference,
  publishIndex,
  requestChunk,
  requestHash,
  submitClaim,
} from '../../client/index.ts';
import { fromBech32 } from '../../core/bech32.ts';
import { fromBase64, utf8 } from '../../core/bytes.ts';
import {
  Answer,
  Claim,
  ClaimState,
  ObjectState,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgPublishIndex,
  MsgPublishIndexResponse,
  MsgRequestChunk,
  MsgRequestChunkResponse,
  MsgSubmitClaim,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Party as PaymentParty } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Payout } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { MsgPayInference, MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { RunningCommand } from './attest-command.ts';
import { act, type Role, type Scene, setStage, startScene, TEXTS } from './attest-scene.ts';
import { runProgram, temporaryHome } from './program.ts';

const STUCK_MS = 120_000;
/** Blocks within which a watcher that looks every 300 ms has acted. */
const BLOCKS_MAX = 150;

let home = '';
let scene: Scene;
let stage: Awaited<ReturnType<typeof setStage>>;
let server: RunningCommand;
let watcher: RunningCommand;
let endpoint = '';
let port = 0;
const running: RunningCommand[] = [];

beforeAll(async () => {
  home = temporaryHome();
  scene = await startScene(home);
  stage = await setStage(scene);
  port = await nextFreePort({ host: LOOPBACK, port: 28_790, step: 7 });
}, STUCK_MS);

afterAll(async () => {
  await Promise.all(running.map((command) => command.stop()));
  scene?.chain.connection.comet.disconnect();
  await scene?.devnet.stop();
  rmSync(home, { recursive: true, force: true });
});

function as(role: Role): readonly string[] {
  return ['--node', scene.rpc, '--home', home, '--keyring-backend', 'test', '--from', scene.keys[role]];
}

function run(...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(['attest', ...args]);
  running.push(command);
  return command;
}

/** Starts the attestor and waits until it serves. */
async function serve(): Promise<void> {
  const at = ['--index', join(home, 'index'), '--laddr', `tcp://${LOOPBACK}:${port}`, '--interval', '300'];
  server = run('serve', ...at, ...as('attestor'));
  endpoint = /^(\S+) serves 1 shards$/.exec(await server.line(' serves '))?.[1] ?? '';
}

function watch(): void {
  watcher = run('watch', '--dir', join(home, 'watch'), '--interval', '300', ...as('watcher'));
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let blocks = 0; !(await holds()); blocks++) {
    if (blocks === BLOCKS_MAX)
      throw new Error(
        `${what}: not in ${BLOCKS_MAX} blocks\n${watcher.lines.join('\n')}\n${server.lines.join('\n')}`,
      );
    await scene.devnet.moreBlocks(1);
  }
}

const queries = (): Scene['chain']['connection']['queries']['openledger'] =>
  scene.chain.connection.queries.openledger;

async function stateOf(shardId: bigint): Promise<number> {
  return (await queries().attribution.shard({ shardId })).shard.state;
}

it('an attestor publishes an index of a snapshot and serves it; a watcher finds it right', {
  timeout: STUCK_MS,
}, async () => {
  const index = ['--contents', scene.contents, '--index', join(home, 'index'), '--endpoint'];
  const snapshot = ['publish', '--snapshot', `${stage.snapshotId}`, '--json'];
  const probe = new RunningCommand([
    'attest',
    ...snapshot,
    ...index,
    `http://127.0.0.1:${port}`,
    ...as('attestor'),
  ]);
  expect(await probe.ended, probe.lines.join('\n')).toBe(0);
  expect(JSON.parse(probe.lines[0] ?? '')).toMatchObject({ index_id: '1', shard_ids: ['1'], new_shards: 1 });
  await serve();
  watch();
  await watcher.line('shard 1 is what its texts say');
  await eventually(
    'the index is active',
    async () => (await stateOf(1n)) === ObjectState.OBJECT_STATE_ACTIVE,
  );
  expect(await (await fetch(`${endpoint}/metrics`)).text()).toContain('attest_serve_shards 1');
});

/** What the attestor says to an answer. */
async function attributed(
  modelId: bigint,
  text: string,
  optimistic = false,
): Promise<{ readonly answer: Answer; readonly claim: Claim }> {
  const body = JSON.stringify({ model_id: `${modelId}`, text, optimistic });
  const response = await fetch(`${endpoint}/v1/attribute`, { method: 'POST', body });
  const made = (await response.json()) as Record<string, string>;
  if (response.status !== 200) throw new Error(JSON.stringify(made));
  const { answer = '', claim = '' } = made;
  return { answer: Answer.decode(fromBase64(answer)), claim: Claim.decode(fromBase64(claim)) };
}

type PaidBy = Pick<MsgPayInference, 'answer'> & Partial<MsgPayInference>;

/** A payment for an answer, by a claim or by the id of one. */
function paymentOf(payer: string, modelId: bigint, by: PaidBy): MsgPayInference {
  return MsgPayInference.create({
    payer,
    modelId,
    requestHash: requestHash({ modelId, prompt: 'a', nonce: randomBytes(16) }),
    tokensIn: 10n,
    tokensOut: 20n,
    maxFee: { denom: scene.chain.denom, amount: '1000000' },
    ...by,
  });
}

/** Who got what for which contribution, as anybody can ask. */
async function explained(receiptId: bigint): Promise<readonly Payout[]> {
  const { receipt } = await queries().payments.explain({ receiptId });
  return receipt.payouts.filter(({ party }) => party === PARTY_CONTRIBUTORS);
}

const { PARTY_CONTRIBUTORS } = PaymentParty;
const ALICE_SAID = 'As was said: that goal will serve to organize and measure the best of our energies.';
const BOB_SAID = 'They wrote of the epoch of incredulity, it was the season of Light.';

it('claims that it made are paid, and explained to the contributor', { timeout: STUCK_MS }, async () => {
  const { quotingModelId, tracedModelId, contributionIds } = stage;
  const { payer } = scene.parties;
  for (const modelId of [quotingModelId, tracedModelId]) {
    const made = await attributed(modelId, ALICE_SAID);
    expect(made.claim.token === undefined).toBe(modelId === quotingModelId);
    const message = payInference(paymentOf(payer.address, modelId, made));
    const payouts = await explained((await act(payer, [message], MsgPayInferenceResponse)).receiptId);
    expect(payouts).toMatchObject([
      { recipient: scene.parties.alice.address, contributionId: contributionIds[0] },
    ]);
    expect(BigInt(payouts[0]?.amount ?? 0)).toBeGreaterThan(0n);
  }
});

/**
 * Submits an optimistic claim and pays by it, in one transaction: a forged one would be refuted, and gone,
 * before a second one.
 */
async function claimAndPay(
  by: Role,
  claimId: bigint,
  made: Awaited<ReturnType<typeof attributed>>,
): Promise<bigint> {
  const { params } = await queries().attribution.params();
  const { address } = scene.parties[by];
  const modelId = stage.tracedModelId;
  const bond = { denom: params.bondDenom, amount: params.claimBond.toString() };
  const payment = paymentOf(address, modelId, { answer: made.answer, claimId });
  const { payer, requestHash } = payment;
  const claim = MsgSubmitClaim.create({ claimant: address, modelId, ...made, bond, payer, requestHash });
  const messages = [submitClaim(claim), payInference(payment)];
  return (await act(scene.parties[by], messages, MsgPayInferenceResponse)).receiptId;
}

const stateOfClaim = async (claimId: bigint): Promise<number> =>
  (await queries().attribution.claim({ claimId })).claim.state;

it('of optimistic claims the true one is paid, the forged one refuted by the watcher without help', {
  timeout: STUCK_MS,
}, async () => {
  const made = await attributed(stage.tracedModelId, BOB_SAID, true);
  const [span] = made.claim.token?.spans ?? [];
  const hits = span?.hits.map((hit) => ({
    ...hit,
    contributionIds: hit.contributionIds.map(() => stage.contributionIds[0] ?? 0n),
  }));
  const { token } = made.claim;
  if (token === undefined || span === undefined || hits === undefined) throw new Error('no provenance');
  const forged = { ...made.claim, token: { ...token, spans: [{ ...span, hits }] } };
  // Claims 1 and 2 came with their payments.
  const lie = await claimAndPay('liar', 3n, { answer: made.answer, claim: forged });
  const truth = await claimAndPay('attestor', 4n, made);
  await eventually(
    'the forged claim is refuted',
    async () => (await stateOfClaim(3n)) === ClaimState.CLAIM_STATE_REFUTED,
  );
  await watcher.line('claim 3 is false and is refuted');
  expect((await explained(lie)).every(({ datanetId }) => datanetId > 0n)).toBe(true);
  await watcher.line('claim 4 is true');
  await eventually(
    'the true claim is final',
    async () => (await stateOfClaim(4n)) === ClaimState.CLAIM_STATE_FINAL,
  );
  expect(await explained(truth)).toMatchObject([
    { recipient: scene.parties.bob.address, contributionId: stage.contributionIds[1] },
  ]);
});

/** What the chain has of the texts. */
function documents(): readonly SourceDocument[] {
  return TEXTS.map(({ by, text }, i) => {
    const content = utf8(text);
    const contributor = fromBech32(scene.parties[by].address).bytes;
    const contributionId = stage.contributionIds[i] ?? 0n;
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
  const { params } = await queries().attribution.params();
  const { liar } = scene.parties;
  const message = MsgPublishIndex.create({
    publisher: liar.address,
    snapshotId: stage.snapshotId,
    shards: [{ shardId: 0n, commitment }],
    bond: { denom: params.bondDenom, amount: params.shardBond.toString() },
    endpoint: at,
  });
  const { shardIds } = await act(liar, [publishIndex(message)], MsgPublishIndexResponse);
  return shardIds[0] ?? 0n;
}

async function convicted(shardId: bigint): Promise<void> {
  const { OBJECT_STATE_VOIDED } = ObjectState;
  await eventually('the shard is voided', async () => (await stateOf(shardId)) === OBJECT_STATE_VOIDED);
  expect(await watcher.line(`shard ${shardId} is wrong`)).toContain('is convicted');
}

const quiet = { info: () => undefined, warn: () => undefined };

it('a wrong index is convicted by the watcher without help', { timeout: STUCK_MS }, async () => {
  const { snapshot } = await queries().datanet.snapshot({ snapshotId: stage.snapshotId });
  const wrong = wrongShard(snapshot.datanetId, 40);
  const chain = { scopeOf: async () => undefined };
  const library = new ShardLibrary([wrong]);
  const lying = attestService({ library, chain, logger: quiet }, { host: LOOPBACK, port: 0 });
  await lying.server.start();
  const { params } = await queries().attribution.params();
  const { address } = scene.parties.watcher;
  const balance = async (): Promise<bigint> =>
    BigInt((await scene.chain.connection.queries.bank.balance(address, scene.chain.denom)).amount);
  const before = await balance();
  await convicted(await publishWrong(wrong, lying.server.url));
  const reward = (params.shardBond * BigInt(params.rewardBps)) / 10_000n;
  expect((await balance()) - before).toBeGreaterThan((reward * 9n) / 10n);
  await lying.server.stop();
});

it('who serves nothing is convicted by what he has to show on the chain, by a watcher that was killed', {
  timeout: STUCK_MS,
}, async () => {
  const { snapshot } = await queries().datanet.snapshot({ snapshotId: stage.snapshotId });
  const wrong = wrongShard(snapshot.datanetId, 80);
  const shardId = await publishWrong(wrong, 'http://127.0.0.1:1');
  await watcher.line(`a piece of shard ${shardId} is demanded on the chain`);
  await watcher.kill();
  const { liar } = scene.parties;
  const chain = new AttestChain(scene.chain.connection);
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
    logger: quiet,
  });
  watch();
  await eventually('the liar has shown enough', async () => {
    await answerer.round();
    return (await stateOf(shardId)) === ObjectState.OBJECT_STATE_VOIDED;
  });
  await convicted(shardId);
});

it('killed and started again, the attestor answers requests on the chain', {
  timeout: STUCK_MS,
}, async () => {
  await server.kill();
  const { params } = await queries().attribution.params();
  const request = MsgRequestChunk.create({
    requester: scene.parties.payer.address,
    shardId: 1n,
    place: { tree: 2, document: 0, chunk: 7 },
    bond: { denom: params.bondDenom, amount: params.requestBond.toString() },
  });
  const { requestId } = await act(scene.parties.payer, [requestChunk(request)], MsgRequestChunkResponse);
  await serve();
  await server.line(`request ${requestId} for a piece of shard`);
  expect((await queries().attribution.requests()).requests).toEqual([]);
  expect(await stateOf(1n)).toBe(ObjectState.OBJECT_STATE_ACTIVE);
});

it('what is wrong with an order is one sentence and exit code 1', { timeout: STUCK_MS }, async () => {
  const index = ['--contents', scene.contents, '--index', join(home, 'index'), '--endpoint', 'http://a'];
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['publish', '--snapshot', '9', ...index, ...as('attestor')], 'there is no snapshot 9'],
    [['publish', '--snapshot', 'x', ...index, ...as('attestor')], 'must be the id of a snapshot'],
    [['watch', '--node', 'http://127.0.0.1:1'], 'cannot reach a node at http://127.0.0.1:1'],
  ];
  for (const [args, words] of cases) {
    const { code, stderr } = await runProgram(['attest', ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)]);
  }
});
