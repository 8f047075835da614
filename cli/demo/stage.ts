/** Sets the stage: contributors with money, a Datanet with their speeches, a snapshot, a model. */
import type { EncodeObject } from '@cosmjs/proto-signing';
import { MsgSend } from 'cosmjs-types/cosmos/bank/v1beta1/tx';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import {
  contribute,
  createDatanet,
  publishSnapshot,
  registerModel,
  responsesOf,
} from '../../client/index.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import {
  MsgContribute,
  MsgContributeResponse,
  MsgCreateDatanet,
  MsgCreateDatanetResponse,
  MsgPublishSnapshot,
  MsgPublishSnapshotResponse,
} from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { AttributionMethod, type Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../proto/gen/openledger/models/v1/tx.ts';
import { LedgerError } from '../../core/errors.ts';
import type { BlobStore } from './blobs.ts';
import { type DemoChain, type Party, partyOf, send } from './party.ts';
import type { Speech } from './speeches.ts';

const SLUG = 'state-of-the-union';
const MEDIA_TYPE = 'text/plain';
/** First key index of the presidents: far from the ones that a wallet shows. */
const PRESIDENT_INDEX = 1000;
/** What a president gets for gas, and below which balance. */
const GAS_MONEY = 100_000n;
const GAS_MONEY_LOW = 30_000n;

/** The presidents by name, each with a key of their own, and gas money from the sponsor. */
export async function hirePresidents(
  chain: DemoChain,
  sponsor: { readonly party: Party; readonly mnemonic: string },
  names: readonly string[],
): Promise<ReadonlyMap<string, Party>> {
  const { mnemonic, party } = sponsor;
  const presidents = await Promise.all(
    names.map((name, i) => partyOf(chain, name, { mnemonic, index: PRESIDENT_INDEX + i })),
  );
  const balances = await Promise.all(presidents.map(({ address }) => balanceOf(chain, address)));
  const poor = presidents.filter((_, i) => (balances[i] ?? 0n) < GAS_MONEY_LOW);
  if (poor.length > 0)
    await send(
      party,
      poor.map(({ address }) => gift(chain, party.address, address)),
    );
  return new Map(presidents.map((president) => [president.name, president]));
}

/** Base units of the chain's denom that an account holds. */
export async function balanceOf({ connection, denom }: DemoChain, address: string): Promise<bigint> {
  return BigInt((await connection.queries.bank.balance(address, denom)).amount);
}

function gift({ denom }: DemoChain, fromAddress: string, toAddress: string): EncodeObject {
  const amount = [{ denom, amount: GAS_MONEY.toString() }];
  return {
    typeUrl: '/cosmos.bank.v1beta1.MsgSend',
    value: MsgSend.fromPartial({ fromAddress, toAddress, amount }),
  };
}

/** Opens a Datanet; when its name is taken from an earlier run, the next one with a number. */
export async function openDatanet(
  chain: DemoChain,
  owner: Party,
): Promise<{ readonly id: bigint; readonly slug: string }> {
  const slug = await freeSlug(chain);
  const sent = await send(owner, [
    createDatanet(
      MsgCreateDatanet.create({
        owner: owner.address,
        slug,
        domain: 'public speeches',
        mediaType: MEDIA_TYPE,
        licence: 'CC0-1.0',
        schema: 'UTF-8 text of one address to Congress',
        admission: Admission.ADMISSION_OPEN,
      }),
    ),
  ]);
  const { datanetId } = first(responsesOf(MsgCreateDatanetResponse, sent.msgResponses));
  return { id: datanetId, slug };
}

async function freeSlug({ connection }: DemoChain): Promise<string> {
  const { datanets } = await connection.queries.openledger.datanet.datanets({
    pagination: { key: new Uint8Array(0), offset: 0n, limit: 1000n, countTotal: false, reverse: true },
  });
  const taken = new Set(datanets.map(({ slug }) => slug));
  for (let run = 1; ; run++) {
    const slug = run === 1 ? SLUG : `${SLUG}-${run}`;
    if (!taken.has(slug)) return slug;
  }
}

/** A speech on chain. */
export interface Contributed {
  readonly contributionId: bigint;
  readonly speech: Speech;
}

/** Everybody contributes their speeches at once: content into the blobs, root and length onto the chain. */
export async function contributeSpeeches(stage: {
  readonly datanetId: bigint;
  readonly speeches: readonly Speech[];
  readonly presidents: ReadonlyMap<string, Party>;
  readonly blobs: BlobStore;
}): Promise<readonly Contributed[]> {
  const { datanetId, speeches, presidents, blobs } = stage;
  const each = [...presidents.values()].map(async (president) => {
    const own = speeches.filter((speech) => speech.president === president.name);
    const messages = own.map((speech) => {
      const content = utf8(speech.text);
      const { root } = blobs.put(content).commitment;
      const message = MsgContribute.create({
        contributor: president.address,
        datanetId,
        root,
        byteLength: BigInt(content.length),
        tokenCount: BigInt(Math.ceil(content.length / 4)),
        mediaType: MEDIA_TYPE,
        title: `${speech.year} ${speech.president}`,
        uris: [`blob:${toHex(root)}`],
      });
      return contribute(message);
    });
    const sent = await send(president, messages);
    const ids = responsesOf(MsgContributeResponse, sent.msgResponses);
    return own.map((speech, i): Contributed => ({ contributionId: ids[i]?.contributionId ?? 0n, speech }));
  });
  return (await Promise.all(each)).flat();
}

/** Freezes the Datanet as it is. */
export async function freeze(publisher: Party, datanetId: bigint): Promise<MsgPublishSnapshotResponse> {
  const message = MsgPublishSnapshot.create({ publisher: publisher.address, datanetId });
  const sent = await send(publisher, [publishSnapshot(message)]);
  return first(responsesOf(MsgPublishSnapshotResponse, sent.msgResponses));
}

/** Offers the extractive model on a snapshot, at prices that do not divide evenly. */
export async function offerModel(chain: DemoChain, seller: Party, snapshotId: bigint): Promise<Model> {
  const sent = await send(seller, [
    registerModel(
      MsgRegisterModel.create({
        owner: seller.address,
        name: 'orator',
        baseModel: 'extractive-1',
        weightsRoot: sha256(utf8('openledger demo: extractive model, version 1')),
        snapshotIds: [snapshotId],
        price: { denom: chain.denom, inPer1000: '187500', outPer1000: '562500', perCall: '4999' },
        attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_SPAN,
      }),
    ),
  ]);
  const { modelId } = first(responsesOf(MsgRegisterModelResponse, sent.msgResponses));
  return (await chain.connection.queries.openledger.models.model({ modelId })).model;
}

function first<T>(responses: readonly T[]): T {
  const [response] = responses;
  if (response === undefined) throw new LedgerError('demo.response', 'the chain answered without a response');
  return response;
}
