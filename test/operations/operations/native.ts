import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { type ProvableContent, provableContent } from '../../../modules/attribution/verify.ts';
import { Admission } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as datanet from '../../../proto/gen/openledger/datanet/v1/tx.ts';
import {
  AttributionMethod,
  type AttributionPolicy,
  type SplitPolicy,
} from '../../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModel } from '../../../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference } from '../../../proto/gen/openledger/payments/v1/tx.ts';
import { documentText, payInference, type Quote } from '../../support/economic-loop.ts';
import type { Actor } from '../actors.ts';
import {
  actorAt,
  anyone,
  BOND_DENOM,
  coin,
  type Operation,
  operation,
  OTHER_DENOM,
  packed,
  someOf,
  type World,
} from '../world.ts';

/** Documents are named by numbers: two of one number are the same text. */
const DOCUMENTS = 60;
const documents = new Map<string, ProvableContent>();

/** The text that everybody means by a title. */
export function documentOf(title: string): ProvableContent {
  const known = documents.get(title);
  if (known !== undefined) return known;
  const made = provableContent(documentText(title, 300 + 7 * Number(title.split(' ')[1] ?? 0)));
  documents.set(title, made);
  return made;
}

function aDatanet({ random, memory }: World): {
  readonly id: bigint;
  readonly owner: string;
  readonly open: boolean;
} {
  return random.some(memory.datanets) ?? { id: 1n, owner: '', open: true };
}

function aContribution(world: World, contributor: Actor): datanet.MsgContribute | undefined {
  const { random } = world;
  const title = `document ${random.below(DOCUMENTS)}`;
  const { root, byteLength } = documentOf(title).commitment;
  const uris = random.oneIn(4) ? ['ipfs://document'] : [];
  return {
    contributor: contributor.address,
    datanetId: aDatanet(world).id,
    root,
    byteLength: BigInt(byteLength),
    tokenCount: BigInt(random.between(1, 500)),
    mediaType: '',
    title,
    uris,
  };
}

function aSplit({ random }: World): SplitPolicy | undefined {
  if (random.oneIn(2)) return undefined;
  const platformBps = random.between(50, 2000);
  const stakersBps = random.between(400, 3000);
  const contributorsBps = random.between(900, 4000);
  const modelBps = 10_000 - platformBps - stakersBps - contributorsBps;
  return { platformBps, stakersBps, contributorsBps, modelBps, residual: random.between(1, 4) };
}

function aMethod(hasSnapshot: boolean, hasPolicy: boolean): AttributionMethod {
  if (!hasSnapshot) return AttributionMethod.ATTRIBUTION_METHOD_UNSPECIFIED;
  return hasPolicy ? AttributionMethod.ATTRIBUTION_METHOD_POLICY : AttributionMethod.ATTRIBUTION_METHOD_SPAN;
}

function aPolicy({ random }: World): AttributionPolicy {
  const tokenBps = random.between(1, 10_000);
  const influenceBps = random.oneIn(2) ? 0 : random.between(0, 10_000 - tokenBps);
  return {
    tokenBps,
    influenceBps,
    retrievalBps: 10_000 - tokenBps - influenceBps,
    bondedClaimsOnly: random.oneIn(4),
  };
}

function aModel(world: World, owner: Actor): MsgRegisterModel {
  const { random, memory } = world;
  const snapshot = random.some(memory.snapshots);
  const parent = random.oneIn(2) ? random.some(memory.models) : undefined;
  // Mostly so cheap that what a gateway claims at a time is enough for a call.
  const rateMax = random.oneIn(3) ? 3000 : 30;
  const rate = (): string => String(random.between(0, rateMax));
  const policy = snapshot !== undefined && random.oneIn(2) ? aPolicy(world) : undefined;
  return {
    owner: owner.address,
    name: 'a model',
    baseModel: 'extractive',
    weightsRoot: sha256(utf8(`weights ${random.below(1000)}`)),
    snapshotIds: snapshot === undefined ? [] : [snapshot.id],
    price: {
      denom: random.oneIn(3) ? OTHER_DENOM : BOND_DENOM,
      inPer1000: rate(),
      outPer1000: rate(),
      perCall: rate(),
    },
    attributionMethod: aMethod(snapshot !== undefined, policy !== undefined),
    split: aSplit(world),
    royaltyBps: random.between(0, 3000),
    parentIds: parent === undefined ? [] : [parent.id],
    attributionPolicy: policy,
  };
}

/** What an answer of a model could quote: contributions of the Datanet of its snapshot. */
export function someQuotes(world: World, snapshotIds: readonly bigint[]): readonly Quote[] {
  const { random, memory } = world;
  const nets = memory.snapshots
    .filter(({ id }) => snapshotIds.includes(id))
    .map(({ datanetId }) => datanetId);
  const quotable = memory.contributions.filter(({ datanetId }) => nets.includes(datanetId));
  return Array.from({ length: quotable.length === 0 ? 0 : random.below(3) }, () => {
    const { id: contributionId, title } = random.pick(quotable);
    const document = documentOf(title);
    const length = random.between(16, 120);
    const offset = random.below(document.commitment.byteLength - length);
    return { contributionId, document, offset, length };
  });
}

function aPayment(world: World, payer: Actor): MsgPayInference | undefined {
  const { random, memory } = world;
  const model = random.some(memory.models);
  if (model === undefined) return undefined;
  const { snapshotIds, price } = model.message;
  return payInference(payer, someQuotes(world, snapshotIds), {
    modelId: model.id,
    requestHash: sha256(utf8(`request ${random.below(100_000)}`)),
    tokensIn: BigInt(random.between(0, 3000)),
    tokensOut: BigInt(random.between(0, 3000)),
    maxFee: coin(random.oneIn(8) ? random.amount(2000n) : 100_000n, price.denom),
  });
}

/** The economic loop: contribute, snapshot, register, pay. */
export const nativeOperations: readonly Operation[] = [
  operation(datanet.MsgCreateDatanet, 6, (world, owner) => ({
    owner: owner.address,
    slug: `net-${world.random.below(500)}`,
    domain: 'politics',
    mediaType: 'text/plain',
    licence: 'CC0-1.0',
    schema: '',
    admission: world.random.oneIn(3) ? Admission.ADMISSION_ALLOW_LIST : Admission.ADMISSION_OPEN,
    accessPrice: world.random.oneIn(3) ? coin(5n) : undefined,
  })),
  {
    name: datanet.MsgUpdateAllowList.name,
    weight: 5,
    draft(world) {
      const closed = world.memory.datanets.filter(({ open }) => !open);
      const chosen = world.random.some(closed);
      const owner = chosen === undefined ? undefined : actorAt(world, chosen.owner);
      if (chosen === undefined || owner === undefined) return undefined;
      const add = [anyone(world).address, anyone(world).address];
      const remove = world.random.oneIn(3) ? [anyone(world).address] : [];
      const value = { owner: owner.address, datanetId: chosen.id, add, remove };
      return { signers: [owner], messages: [packed(datanet.MsgUpdateAllowList, value)] };
    },
  },
  operation(datanet.MsgContribute, 20, aContribution),
  {
    name: datanet.MsgWithdrawContribution.name,
    weight: 2,
    draft(world) {
      const chosen = world.random.some(world.memory.contributions);
      if (chosen === undefined) return undefined;
      const contributor = world.random.oneIn(8) ? anyone(world) : actorAt(world, chosen.contributor);
      if (contributor === undefined) return undefined;
      const value = { contributor: contributor.address, contributionId: chosen.id };
      return { signers: [contributor], messages: [packed(datanet.MsgWithdrawContribution, value)] };
    },
  },
  {
    name: datanet.MsgPublishSnapshot.name,
    weight: 8,
    draft(world) {
      const { id: datanetId, owner } = aDatanet(world);
      const publisher = world.random.oneIn(12) ? anyone(world) : actorAt(world, owner);
      if (publisher === undefined) return undefined;
      const value = { publisher: publisher.address, datanetId };
      return { signers: [publisher], messages: [packed(datanet.MsgPublishSnapshot, value)] };
    },
  },
  operation(MsgRegisterModel, 14, aModel),
  operation(MsgPayInference, 18, (world, payer) =>
    someOf(world, payer) > 0n ? aPayment(world, payer) : undefined,
  ),
];
