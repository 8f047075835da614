/** A chain with short windows, a Datanet of two contributors, a snapshot and a model. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EncodeObject } from '@cosmjs/proto-signing';
import { type DemoChain, type Party, partyOf, send } from '../../cli/demo/party.ts';
import { createDevnet } from '../../cli/devnet/layout.ts';
import {
  connect,
  contentRoot,
  contribute,
  createDatanet,
  publishSnapshot,
  registerModel,
  responsesOf,
} from '../../client/index.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { DEFAULT_PARAMS as DEFAULT_SETTLEMENT_PARAMS } from '../../modules/settlement/params.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import {
  MsgContribute,
  MsgContributeResponse,
  MsgCreateDatanet,
  MsgCreateDatanetResponse,
  MsgPublishSnapshot,
  MsgPublishSnapshotResponse,
} from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { Params as SettlementParams } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../proto/gen/openledger/models/v1/tx.ts';
import { RunningDevnet } from './program.ts';

const DENOM = 'uopen';
const GAS_PRICE = `0.001${DENOM}`;

/** Who acts, in the order of the devnet's accounts. */
export type Role = 'owner' | 'alice' | 'bob' | 'attestor' | 'watcher' | 'liar' | 'payer';
const ROLES: readonly Role[] = ['owner', 'alice', 'bob', 'attestor', 'watcher', 'liar', 'payer'];

/** What alice and bob contribute. */
export const TEXTS: readonly { readonly by: Role; readonly text: string }[] = [
  {
    by: 'alice',
    text: `We choose to go to the moon in this decade and do the other things, not because they are easy,
but because they are hard; because that goal will serve to organize and measure the best of our energies and skills. `.repeat(
      4,
    ),
  },
  {
    by: 'bob',
    text: `It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light. `.repeat(
      5,
    ),
  },
];

/** A running chain and everybody on it. */
export interface Scene {
  readonly devnet: RunningDevnet;
  readonly chain: DemoChain;
  readonly rpc: string;
  readonly parties: Readonly<Record<Role, Party>>;
  /** Names of the keys in the keyring of the home. */
  readonly keys: Readonly<Record<Role, string>>;
  readonly contents: string;
}

/** Windows in blocks. */
const PARAMS: Params = { ...DEFAULT_PARAMS, challengeBlocks: 61, claimBlocks: 61, requestBlocks: 60 };

/** Makes and starts the chain, one validator. */
export async function startScene(home: string): Promise<Scene> {
  const settings = { chainId: 'attest-1', prefix: 'open', denom: DENOM, blockTimeMs: 200, rpcPort: 0 };
  const counts = { validators: 1, accounts: ROLES.length };
  const record = await createDevnet({ home, settings: { ...settings, ...counts }, now: new Date() });
  for (const node of record.nodes) shorten(join(node.home, 'config', 'genesis.json'));
  const devnet = await RunningDevnet.start(['--home', home]);
  await devnet.waitForHeight(1);
  const rpc = devnet.ready.nodes[0]?.rpc ?? '';
  const connection = await connect(rpc, { gasPrice: GAS_PRICE, pollIntervalMs: 50 });
  const chain: DemoChain = { connection, ...settings, gasPrice: GAS_PRICE };
  const made = await Promise.all(
    record.accounts.map(({ name, mnemonic }) => partyOf(chain, name, { mnemonic, index: 0 })),
  );
  const party = (role: Role): Party => {
    const found = made[ROLES.indexOf(role)];
    if (found === undefined) throw new Error(`there is no account for ${role}`);
    return found;
  };
  const each = <T>(of: (role: Role) => T): Readonly<Record<Role, T>> => ({
    owner: of('owner'),
    alice: of('alice'),
    bob: of('bob'),
    attestor: of('attestor'),
    watcher: of('watcher'),
    liar: of('liar'),
    payer: of('payer'),
  });
  const contents = join(home, 'contents');
  mkdirSync(contents);
  for (const { by, text } of TEXTS) writeFileSync(join(contents, `${by}.txt`), text);
  return { devnet, chain, rpc, parties: each(party), keys: each((role) => party(role).name), contents };
}

const SETTLEMENT: SettlementParams = { ...DEFAULT_SETTLEMENT_PARAMS, windowBlocks: 61, requestBlocks: 20 };

function shorten(file: string): void {
  const genesis = JSON.parse(readFileSync(file, 'utf8'));
  genesis.app_state.attribution = { ...genesis.app_state.attribution, params: messageToJson(Params, PARAMS) };
  genesis.app_state.settlement = { params: messageToJson(SettlementParams, SETTLEMENT) };
  writeFileSync(file, JSON.stringify(genesis));
}

/** Sends messages and decodes the one response of a type. */
export async function act<T>(
  party: Party,
  messages: readonly EncodeObject[],
  response: MessageType<T>,
): Promise<T> {
  const [found] = responsesOf(response, (await send(party, messages)).msgResponses);
  if (found === undefined) throw new Error(`no ${response.name}`);
  return found;
}

/** Puts the texts on the chain, freezes them, and offers two models: attributed by quotations, and by provenance. */
export async function setStage({ chain, parties }: Scene): Promise<{
  readonly snapshotId: bigint;
  readonly quotingModelId: bigint;
  readonly tracedModelId: bigint;
  readonly contributionIds: readonly bigint[];
}> {
  const { owner } = parties;
  const datanet = MsgCreateDatanet.create({
    owner: owner.address,
    slug: 'famous-words',
    domain: 'speeches',
    mediaType: 'text/plain',
    licence: 'CC0-1.0',
    admission: Admission.ADMISSION_OPEN,
  });
  const { datanetId } = await act(owner, [createDatanet(datanet)], MsgCreateDatanetResponse);
  const contributionIds: bigint[] = [];
  for (const { by, text } of TEXTS) {
    const content = utf8(text);
    const message = MsgContribute.create({
      contributor: parties[by].address,
      datanetId,
      root: contentRoot(content),
      byteLength: BigInt(content.length),
      mediaType: 'text/plain',
      title: by,
    });
    contributionIds.push(
      (await act(parties[by], [contribute(message)], MsgContributeResponse)).contributionId,
    );
  }
  const snapshot = MsgPublishSnapshot.create({ publisher: owner.address, datanetId });
  const { snapshotId } = await act(owner, [publishSnapshot(snapshot)], MsgPublishSnapshotResponse);
  const model = {
    owner: owner.address,
    baseModel: 'parrot-1',
    weightsRoot: sha256(utf8('parrot')),
    snapshotIds: [snapshotId],
    price: { denom: chain.denom, inPer1000: '1000', outPer1000: '1000', perCall: '100000' },
  };
  const quoting = MsgRegisterModel.create({
    ...model,
    name: 'parrot',
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_SPAN,
  });
  const traced = MsgRegisterModel.create({
    ...model,
    name: 'grey parrot',
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly: false },
  });
  const { modelId: quotingModelId } = await act(owner, [registerModel(quoting)], MsgRegisterModelResponse);
  const { modelId: tracedModelId } = await act(owner, [registerModel(traced)], MsgRegisterModelResponse);
  return { snapshotId, quotingModelId, tracedModelId, contributionIds };
}
