/** Model cards of heads that were trained on small Datanets, right and wrong. */
import { encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { openAnswer } from '../../../modules/attribution/verify.ts';
import { equalBytes, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import {
  Claim,
  type ModelCard,
  ObjectState,
} from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import * as datanet from '../../../proto/gen/openledger/datanet/v1/query.ts';
import { cardFraud, type SmallHead, smallHead, wrongCard } from '../../support/head-world.ts';
import type { Actor } from '../actors.ts';
import type { RememberedModel } from '../memory.ts';
import { actorAt, anyone, coin, type Operation, operation, packed, type World } from '../world.ts';
import { asked, contributionsOf } from './attribution.ts';

/** Most contributions that a head is trained on. */
const TRAINED_MAX = 3;
const KEPT_MAX = 50;
const kept = new Map<string, SmallHead>();

/** A head on the first snapshot of a model, and whose examples it has. */
interface TrainedModel {
  readonly head: SmallHead;
  readonly contributionIds: readonly bigint[];
}

/** The head of a model, or the adapter of every other one, as its owner trains it. */
export function trained(world: World, { id: modelId, message }: RememberedModel): TrainedModel | undefined {
  const [snapshotId] = message.snapshotIds;
  if (snapshotId === undefined) return undefined;
  const types = { request: datanet.QuerySnapshotRequest, response: datanet.QuerySnapshotResponse };
  const snapshot = asked(world, '/openledger.datanet.v1.Query/Snapshot', types, { snapshotId })?.snapshot;
  if (snapshot === undefined || snapshot.count === 0n) return undefined;
  const { datanetId, count: snapshotCount } = snapshot;
  const contributionIds = contributionsOf(world, datanetId)
    .slice(0, Math.min(TRAINED_MAX, Number(snapshotCount)))
    .map(({ id }) => id);
  const kind = modelId % 2n === 0n ? 'adapter' : 'head';
  const key = `${kind} ${datanetId} ${snapshotCount} ${contributionIds.join()}`;
  const known = kept.get(key);
  if (known !== undefined) return { head: known, contributionIds };
  if (kept.size >= KEPT_MAX) kept.clear();
  const head = smallHead({ datanetId, snapshotCount, contributionIds, kind });
  kept.set(key, head);
  return { head, contributionIds };
}

/** A model whose policy pays for influence, mostly. */
function aModel({ random, memory }: World): RememberedModel | undefined {
  const influenced = memory.models.filter(
    ({ message }) => (message.attributionPolicy?.influenceBps ?? 0) > 0,
  );
  return random.oneIn(10) ? random.some(memory.models) : random.some(influenced);
}

/** Model cards of a model. */
export function cardsOf(world: World, modelId: bigint): readonly query.ModelCardStatus[] {
  const types = {
    request: query.QueryModelCardsByModelRequest,
    response: query.QueryModelCardsByModelResponse,
  };
  return asked(world, '/openledger.attribution.v1.Query/ModelCardsByModel', types, { modelId })?.cards ?? [];
}

function aCard(world: World): { readonly card: ModelCard; readonly model: RememberedModel } | undefined {
  const model = world.random.some(world.memory.models.filter(({ id }) => cardsOf(world, id).length > 0));
  const status = model === undefined ? undefined : world.random.some(cardsOf(world, model.id));
  return model === undefined || status === undefined ? undefined : { card: status.card, model };
}

function aPublication(world: World): wire.MsgPublishModelCard | undefined {
  const { random } = world;
  const model = aModel(world);
  const made = model === undefined ? undefined : trained(world, model);
  if (model === undefined || made === undefined) return undefined;
  const served = random.oneIn(2) ? wrongCard(made.head.card) : made.head.card;
  return {
    publisher: model.message.owner,
    modelId: model.id,
    card: encodeCard(served.card),
    bond: coin(BigInt(random.between(random.oneIn(8) ? 1 : 5000, 6000))),
    endpoint: 'http://attestor.example',
  };
}

/** A fraud proof of a card that is wrong, mostly; else of one that is not. */
function aConviction(world: World, challenger: Actor): wire.MsgConvictModelCard | undefined {
  const { random, memory } = world;
  const cases = memory.models.flatMap((model) =>
    cardsOf(world, model.id).flatMap(({ card, state }) => {
      const made = trained(world, model);
      if (made === undefined) return [];
      const wrong = wrongCard(made.head.card);
      const isWrong =
        state !== ObjectState.OBJECT_STATE_VOIDED && equalBytes(card.card, encodeCard(wrong.card));
      return [{ cardId: card.id, made, wrong, isWrong }];
    }),
  );
  const chosen = random.some(random.oneIn(4) ? cases : cases.filter(({ isWrong }) => isWrong));
  if (chosen === undefined) return undefined;
  const proof = cardFraud(chosen.wrong, chosen.made.contributionIds) ?? new Uint8Array(40);
  return { challenger: challenger.address, cardId: chosen.cardId, proof };
}

/** A claim by an active card. */
function anInfluenceClaim(world: World): Omit<wire.MsgSubmitClaim, 'claimant'> | undefined {
  const { random, memory } = world;
  for (const model of memory.models) {
    const active = cardsOf(world, model.id).find(({ state }) => state === ObjectState.OBJECT_STATE_ACTIVE);
    const made = active === undefined ? undefined : trained(world, model);
    if (active === undefined || made === undefined) continue;
    const statement = encodeClaim(made.head.claim.claim);
    return {
      modelId: model.id,
      answer: openAnswer(utf8(`class ${random.below(5)}`)),
      claim: Claim.create({ influence: { cardId: active.card.id, statement } }),
      bond: coin(BigInt(random.between(500, 600))),
      payer: anyone(world).address,
      requestHash: sha256(utf8(`request ${random.below(100_000)}`)),
    };
  }
  return undefined;
}

/** See the file comment. */
export const cardOperations: readonly Operation[] = [
  {
    name: wire.MsgPublishModelCard.name,
    weight: 100,
    draft(world) {
      const value = aPublication(world);
      const owner = value === undefined ? undefined : actorAt(world, value.publisher);
      if (value === undefined || owner === undefined) return undefined;
      return { signers: [owner], messages: [packed(wire.MsgPublishModelCard, value)] };
    },
  },
  {
    name: wire.MsgRetireModelCard.name,
    weight: 30,
    draft(world) {
      const found = aCard(world);
      if (found === undefined) return undefined;
      const sender = world.random.oneIn(5) ? anyone(world) : actorAt(world, found.card.publisher);
      if (sender === undefined) return undefined;
      const value = { sender: sender.address, cardId: found.card.id };
      return { signers: [sender], messages: [packed(wire.MsgRetireModelCard, value)] };
    },
  },
  operation(wire.MsgConvictModelCard, 60, aConviction),
  operation(wire.MsgSubmitClaim, 3, (world, claimant) => {
    const value = anInfluenceClaim(world);
    return value === undefined ? undefined : { ...value, claimant: claimant.address };
  }),
];
