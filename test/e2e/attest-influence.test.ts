/**
 * The owner of a model trains a head on what was contributed, publishes its card and serves it; influence is
 * claimed by it and paid; a wrong card and a forged claim are convicted by a watcher that nobody tells
 * anything, and what is not served is demanded on the chain. One validator, blocks of 200 ms.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServedCard } from '../../attest/influence/published.ts';
import { decodeServedCard } from '../../attest/influence/served-file.ts';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { Account } from '../../cli/attest/account.ts';
import { answerChain } from '../../cli/attest/answer-chain.ts';
import { AttestChain } from '../../cli/attest/chain.ts';
import { PendingStatements } from '../../cli/attest/submitted-claims.ts';
import { publishModelCard, registerModel, requestChunk } from '../../client/index.ts';
import { fromBase64, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { decodeClaim, encodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { ClaimState, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import {
  MsgPublishModelCard,
  MsgPublishModelCardResponse,
  MsgRequestChunk,
  MsgRequestChunkResponse,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../proto/gen/openledger/models/v1/tx.ts';
import { wrongCard } from '../support/head-world.ts';
import { RunningCommand } from './attest-command.ts';
import { Play, QUIET, STUCK_MS } from './attest-play.ts';
import { act } from './attest-scene.ts';

let play: Play;
let modelId = 0n;
let watcher: RunningCommand;
let server: RunningCommand;

beforeAll(async () => {
  play = await Play.begin(29_790);
  const { owner } = play.scene.parties;
  const model = MsgRegisterModel.create({
    owner: owner.address,
    name: 'classifier',
    baseModel: 'classifier-1',
    weightsRoot: sha256(utf8('classifier')),
    snapshotIds: [play.stage.snapshotId],
    price: { denom: play.scene.chain.denom, inPer1000: '1000', outPer1000: '1000', perCall: '100000' },
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false },
  });
  modelId = (await act(owner, [registerModel(model)], MsgRegisterModelResponse)).modelId;
}, STUCK_MS);

afterAll(async () => {
  await play?.end();
});

const cardFile = (): string => join(play.home, 'head.card');

/** Runs a command of the group `influence` to its end; what it printed as JSON. */
async function influence(...args: readonly string[]): Promise<Record<string, string>> {
  const command = new RunningCommand(['attest', 'influence', ...args, '--json']);
  expect(await command.ended, command.lines.join('\n')).toBe(0);
  return JSON.parse(command.lines[0] ?? '');
}

const stateOfCard = async (cardId: bigint): Promise<number> =>
  (await play.queries.attribution.modelCard({ cardId })).card.state;

it('a head is trained, published and served; a watcher finds its card right', {
  timeout: STUCK_MS,
}, async () => {
  const examples = play.stage.contributionIds.flatMap((id, c) =>
    Array.from({ length: 6 }, (_, i) => ({
      contribution: `${id}`,
      label: i % 2,
      features: [30 + 9 * i + 5 * c + 90 * (i % 2), 210 - 8 * i - 60 * (i % 2)],
    })),
  );
  writeFileSync(join(play.home, 'examples.jsonl'), examples.map((one) => JSON.stringify(one)).join('\n'));
  const { snapshot } = await play.queries.datanet.snapshot({ snapshotId: play.stage.snapshotId });
  const of = ['--datanet', `${snapshot.datanetId}`, '--snapshot', `${snapshot.count}`, '--classes', '2'];
  await influence('train', '--examples', join(play.home, 'examples.jsonl'), ...of, '--out', cardFile());
  const at = ['--card', cardFile(), '--model', `${modelId}`, '--endpoint', play.endpoint];
  expect(await influence('publish', ...at, ...play.as('owner'))).toMatchObject({ card_id: '1' });
  server = play.serve('--head', cardFile());
  await server.line('serves 0 shards and 1 model cards');
  watcher = play.watch();
  await watcher.line('model card 1 is right');
  await play.eventually(
    'the card is active',
    async () => (await stateOfCard(1n)) === ObjectState.OBJECT_STATE_ACTIVE,
  );
});

it('of claims of influence the true one is paid, the forged one refuted by the watcher without help', {
  timeout: STUCK_MS,
}, async () => {
  const made = await play.attributed(modelId, { text: 'class 1', influence: { features: [120, 90] } });
  const { answer, claim } = made;
  if (claim.influence === undefined) throw new Error('the attestor left influence out');
  // The same as whoever has the card's file would state by himself.
  const query = await influence('query', '--card', cardFile(), '--features', '[120, 90]');
  expect(fromBase64(query['claim'] ?? '')).toEqual(claim.influence.statement);
  const honest = decodeClaim(claim.influence.statement);
  const [first] = honest.groups;
  if (first === undefined) throw new Error('the claim lists nobody');
  const groups = [{ ...first, weight: first.weight - 1 }, ...honest.groups.slice(1)];
  const statement = encodeClaim({ ...honest, groups });
  const forged = { ...claim, influence: { ...claim.influence, statement } };
  await play.claimAndPay('liar', modelId, { claimId: 1n, made: { answer, claim: forged } });
  const truth = await play.claimAndPay('attestor', modelId, { claimId: 2n, made });
  await play.eventually(
    'the forged claim is refuted',
    async () => (await play.stateOfClaim(1n)) === ClaimState.CLAIM_STATE_REFUTED,
  );
  expect(await watcher.line('claim 1 is false and is refuted')).toContain('influence, rule');
  await watcher.line('claim 2 is true about influence');
  await play.eventually(
    'the true claim is final',
    async () => (await play.stateOfClaim(2n)) === ClaimState.CLAIM_STATE_FINAL,
  );
  const paid = await play.explained(truth);
  expect(paid.some(({ contributionId }) => contributionId === first.contributionId)).toBe(true);
});

/** The owner publishes a card; its id. */
async function publishCard({ card }: ServedCard, at: string): Promise<bigint> {
  const { params } = await play.queries.attribution.params();
  const { owner } = play.scene.parties;
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
  const lying = await play.lie({ heads: new HeadLibrary([wrong]) });
  const cardId = await publishCard(wrong, lying.url);
  await play.eventually(
    'the card is voided',
    async () => (await stateOfCard(cardId)) === ObjectState.OBJECT_STATE_VOIDED,
  );
  expect(await watcher.line(`model card ${cardId} is wrong`)).toContain('and is convicted');
  await lying.stop();
});

it('who serves nothing is convicted by what he has to show on the chain; the attestor answers requests', {
  timeout: STUCK_MS,
}, async () => {
  const { owner, payer } = play.scene.parties;
  const { params } = await play.queries.attribution.params();
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
  const chain = new AttestChain(play.scene.chain.connection);
  const account = new Account(owner.address, owner.client);
  const answerer = new Answerer({
    chain: answerChain({ chain, account, statements: new PendingStatements(chain) }),
    library: new ShardLibrary(),
    heads: new HeadLibrary([wrong]),
    metrics: { chunkRequest: () => undefined },
    logger: QUIET,
  });
  await play.eventually('the liar has shown enough', async () => {
    await answerer.round();
    return (await stateOfCard(cardId)) === ObjectState.OBJECT_STATE_VOIDED;
  });
  expect(await watcher.line(`model card ${cardId} is wrong`)).toContain('(bound) and is convicted');
});
