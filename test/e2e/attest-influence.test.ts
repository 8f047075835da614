/**
 * The owner of a model trains a head on what was contributed, publishes its card and serves it; influence is
 * claimed by it and paid; a wrong card and a forged claim are convicted by a watcher that nobody tells
 * anything, and what is not served is demanded on the chain. One validator, blocks of 200 ms.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServedCard } from '../../attest/influence/published.ts';
import { decodeServedCard } from '../../attest/influence/served-file.ts';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { attestService } from '../../attest/serve/service.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { Account } from '../../cli/attest/account.ts';
import { answerChain } from '../../cli/attest/answer-chain.ts';
import { AttestChain } from '../../cli/attest/chain.ts';
import { PendingStatements } from '../../cli/attest/submitted-claims.ts';
import { LOOPBACK, nextFreePort } from '../../cli/devnet/ports.ts';
import {
  openAnswer,
  payInference,
  publishModelCard,
  registerModel,
  requestChunk,
  requestHash,
  submitClaim,
} from '../../client/index.ts';
import { fromBase64, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { decodeClaim, encodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { Claim, ClaimState, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgPublishModelCard,
  MsgPublishModelCardResponse,
  MsgRequestChunk,
  MsgRequestChunkResponse,
  MsgSubmitClaim,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { AttributionMethod, Party as PaymentParty } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference, MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { wrongCard } from '../support/head-world.ts';
import { RunningCommand } from './attest-command.ts';
import { act, type Role, type Scene, setStage, startScene } from './attest-scene.ts';
import { temporaryHome } from './program.ts';

const STUCK_MS = 120_000;
/** Blocks within which a watcher that looks every 300 ms has acted. */
const BLOCKS_MAX = 150;
const ANSWER = openAnswer(utf8('class 1'));

let home = '';
let scene: Scene;
let stage: Awaited<ReturnType<typeof setStage>>;
let modelId = 0n;
let statement: Uint8Array = new Uint8Array(0);
let watcher: RunningCommand;
let server: RunningCommand;
let endpoint = '';
const running: RunningCommand[] = [];

beforeAll(async () => {
  home = temporaryHome();
  scene = await startScene(home);
  stage = await setStage(scene);
  const { owner } = scene.parties;
  const model = MsgRegisterModel.create({
    owner: owner.address,
    name: 'classifier',
    baseModel: 'classifier-1',
    weightsRoot: sha256(utf8('classifier')),
    snapshotIds: [stage.snapshotId],
    price: { denom: scene.chain.denom, inPer1000: '1000', outPer1000: '1000', perCall: '100000' },
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false },
  });
  modelId = (await act(owner, [registerModel(model)], MsgRegisterModelResponse)).modelId;
  const port = await nextFreePort({ host: LOOPBACK, port: 29_790, step: 7 });
  endpoint = `http://${LOOPBACK}:${port}`;
}, STUCK_MS);

afterAll(async () => {
  await Promise.all(running.map((command) => command.stop()));
  scene?.chain.connection.comet.disconnect();
  await scene?.devnet.stop();
  rmSync(home, { recursive: true, force: true });
});

const cardFile = (): string => join(home, 'head.card');

function as(role: Role): readonly string[] {
  return ['--node', scene.rpc, '--home', home, '--keyring-backend', 'test', '--from', scene.keys[role]];
}

function run(...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(['attest', ...args]);
  running.push(command);
  return command;
}

/** Runs a command of the group `influence` to its end; what it printed as JSON. */
async function influence(...args: readonly string[]): Promise<Record<string, string>> {
  const command = new RunningCommand(['attest', 'influence', ...args, '--json']);
  expect(await command.ended, command.lines.join('\n')).toBe(0);
  return JSON.parse(command.lines[0] ?? '');
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let blocks = 0; !(await holds()); blocks++) {
    if (blocks === BLOCKS_MAX)
      throw new Error(`${what}: not in ${BLOCKS_MAX} blocks\n${watcher.lines.join('\n')}`);
    await scene.devnet.moreBlocks(1);
  }
}

const queries = (): Scene['chain']['connection']['queries']['openledger'] =>
  scene.chain.connection.queries.openledger;

const stateOfCard = async (cardId: bigint): Promise<number> =>
  (await queries().attribution.modelCard({ cardId })).card.state;
const stateOfClaim = async (claimId: bigint): Promise<number> =>
  (await queries().attribution.claim({ claimId })).claim.state;

it('a head is trained, published and served; a watcher finds its card right', {
  timeout: STUCK_MS,
}, async () => {
  const examples = stage.contributionIds.flatMap((id, c) =>
    Array.from({ length: 6 }, (_, i) => ({
      contribution: `${id}`,
      label: i % 2,
      features: [30 + 9 * i + 5 * c + 90 * (i % 2), 210 - 8 * i - 60 * (i % 2)],
    })),
  );
  writeFileSync(join(home, 'examples.jsonl'), examples.map((one) => JSON.stringify(one)).join('\n'));
  const { snapshot } = await queries().datanet.snapshot({ snapshotId: stage.snapshotId });
  const of = ['--datanet', `${snapshot.datanetId}`, '--snapshot', `${snapshot.count}`, '--classes', '2'];
  await influence('train', '--examples', join(home, 'examples.jsonl'), ...of, '--out', cardFile());
  const at = ['--card', cardFile(), '--model', `${modelId}`, '--endpoint', endpoint];
  expect(await influence('publish', ...at, ...as('owner'))).toMatchObject({ card_id: '1' });
  server = run('serve', '--head', cardFile(), '--laddr', endpoint.replace('http', 'tcp'), ...as('attestor'));
  await server.line('serves 0 shards and 1 model cards');
  watcher = run('watch', '--dir', join(home, 'watch'), '--interval', '300', ...as('watcher'));
  await watcher.line('model card 1 is right');
  await eventually(
    'the card is active',
    async () => (await stateOfCard(1n)) === ObjectState.OBJECT_STATE_ACTIVE,
  );
  const query = await influence('query', '--card', cardFile(), '--features', '[120, 90]');
  statement = fromBase64(query['claim'] ?? '');
});

/** Submits an optimistic claim and pays by it, in one transaction; the receipt. */
async function claimAndPay(by: Role, claimId: bigint, stated: Uint8Array): Promise<bigint> {
  const { params } = await queries().attribution.params();
  const { address } = scene.parties[by];
  const bond = { denom: params.bondDenom, amount: params.claimBond.toString() };
  const payment = MsgPayInference.create({
    payer: address,
    modelId,
    requestHash: requestHash({ modelId, prompt: 'a', nonce: randomBytes(16) }),
    tokensIn: 10n,
    tokensOut: 20n,
    maxFee: { denom: scene.chain.denom, amount: '1000000' },
    answer: ANSWER,
    claimId,
  });
  const claim = Claim.create({ influence: { cardId: 1n, statement: stated } });
  const { payer, requestHash: hash } = payment;
  const submission = MsgSubmitClaim.create({
    claimant: address,
    modelId,
    answer: ANSWER,
    claim,
    bond,
    payer,
    requestHash: hash,
  });
  const messages = [submitClaim(submission), payInference(payment)];
  return (await act(scene.parties[by], messages, MsgPayInferenceResponse)).receiptId;
}

it('of claims of influence the true one is paid, the forged one refuted by the watcher without help', {
  timeout: STUCK_MS,
}, async () => {
  const honest = decodeClaim(statement);
  const [first] = honest.groups;
  if (first === undefined) throw new Error('the claim lists nobody');
  const groups = [{ ...first, weight: first.weight - 1 }, ...honest.groups.slice(1)];
  await claimAndPay('liar', 1n, encodeClaim({ ...honest, groups }));
  const truth = await claimAndPay('attestor', 2n, statement);
  await eventually(
    'the forged claim is refuted',
    async () => (await stateOfClaim(1n)) === ClaimState.CLAIM_STATE_REFUTED,
  );
  expect(await watcher.line('claim 1 is false and is refuted')).toContain('influence, rule');
  await watcher.line('claim 2 is true about influence');
  await eventually(
    'the true claim is final',
    async () => (await stateOfClaim(2n)) === ClaimState.CLAIM_STATE_FINAL,
  );
  const { receipt } = await queries().payments.explain({ receiptId: truth });
  const paid = receipt.payouts.filter(({ party }) => party === PaymentParty.PARTY_CONTRIBUTORS);
  expect(paid.some(({ contributionId }) => contributionId === first.contributionId)).toBe(true);
});

const quiet = { info: () => undefined, warn: () => undefined };

/** The owner publishes a card; its id. */
async function publishCard({ card }: ServedCard, at: string): Promise<bigint> {
  const { params } = await queries().attribution.params();
  const { owner } = scene.parties;
  const message = MsgPublishModelCard.create({
    publisher: owner.address,
    modelId,
    card: encodeCard(card),
    bond: { denom: params.bondDenom, amount: params.cardBond.toString() },
    endpoint: at,
  });
  return (await act(owner, [publishModelCard(message)], MsgPublishModelCardResponse)).cardId;
}

it('a wrong card is convicted by the watcher without help', { timeout: STUCK_MS }, async () => {
  const wrong = wrongCard(decodeServedCard(Uint8Array.from(readFileSync(cardFile()))));
  const parts = { library: new ShardLibrary(), heads: new HeadLibrary([wrong]), logger: quiet };
  const chain = { scopeOf: async () => undefined };
  const lying = attestService({ ...parts, chain }, { host: LOOPBACK, port: 0 });
  await lying.server.start();
  const cardId = await publishCard(wrong, lying.server.url);
  await eventually(
    'the card is voided',
    async () => (await stateOfCard(cardId)) === ObjectState.OBJECT_STATE_VOIDED,
  );
  expect(await watcher.line(`model card ${cardId} is wrong`)).toContain('and is convicted');
  await lying.server.stop();
});

it('who serves nothing is convicted by what he has to show on the chain; the attestor answers requests', {
  timeout: STUCK_MS,
}, async () => {
  const { owner, payer } = scene.parties;
  const { params } = await queries().attribution.params();
  const request = MsgRequestChunk.create({
    requester: payer.address,
    cardId: 1n,
    place: { tree: 20, document: 1, chunk: 0 },
    bond: { denom: params.bondDenom, amount: params.requestBond.toString() },
  });
  const { requestId } = await act(payer, [requestChunk(request)], MsgRequestChunkResponse);
  await server.line(`request ${requestId} for a piece of card`);
  const head = decodeServedCard(Uint8Array.from(readFileSync(cardFile())));
  // Other roots than those of the card before, which is voided but known to the watcher as wrong.
  const wrong = wrongCard({ ...head, card: { ...head.card, topGroups: 1 } });
  const cardId = await publishCard(wrong, 'http://127.0.0.1:1');
  await watcher.line(`of card ${cardId} is demanded on the chain`);
  const chain = new AttestChain(scene.chain.connection);
  const account = new Account(owner.address, owner.client);
  const answerer = new Answerer({
    chain: answerChain({ chain, account, statements: new PendingStatements(chain) }),
    library: new ShardLibrary(),
    heads: new HeadLibrary([wrong]),
    metrics: { chunkRequest: () => undefined },
    logger: quiet,
  });
  await eventually('the liar has shown enough', async () => {
    await answerer.round();
    return (await stateOfCard(cardId)) === ObjectState.OBJECT_STATE_VOIDED;
  });
  expect(await watcher.line(`model card ${cardId} is wrong`)).toContain('(bound) and is convicted');
});
