/**
 * The economic loop on a test chain: a Datanet with documents, a snapshot, a model, and payments for
 * answers.
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { JsonObject } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import {
  type ProvableContent,
  openAnswer,
  provableContent,
  proveSpan,
} from '../../modules/attribution/verify.ts';
import { DEFAULT_PARAMS } from '../../modules/pools/params.ts';
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import {
  MsgContribute,
  MsgCreateDatanet,
  MsgPublishSnapshot,
  MsgWithdrawContribution,
} from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgRegisterModel } from '../../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { GenesisState as PoolsGenesis } from '../../proto/gen/openledger/pools/v1/genesis.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { anyOf, type TestAccount, TestChain } from './test-chain.ts';

/** Gas that every message of the loop fits into. */
export const LOOP_GAS = 3_000_000n;

/** A text of about this many bytes that no other name gives. */
export function documentText(name: string, bytes = 1000): Uint8Array {
  return utf8(`${name} said that the ${name} state of the union is strong. `.repeat(40).slice(0, bytes));
}

/** Delivers one transaction with plenty of gas. */
export function deliver(chain: TestChain, signer: TestAccount, ...messages: readonly Any[]): ExecTxResult {
  return chain.deliver(chain.sign(signer, messages, { gas: LOOP_GAS }));
}

/** As `deliver`, for what must succeed. */
export function deliverOk(chain: TestChain, signer: TestAccount, ...messages: readonly Any[]): ExecTxResult {
  const result = deliver(chain, signer, ...messages);
  if (result.code !== 0) throw new RangeError(`${result.codespace} ${result.code}: ${result.log}`);
  return result;
}

/** A MsgCreateDatanet. */
export function createDatanet(owner: TestAccount, change: Partial<MsgCreateDatanet> = {}): Any {
  return anyOf(
    MsgCreateDatanet,
    MsgCreateDatanet.create({
      owner: owner.address,
      slug: 'speeches',
      domain: 'politics',
      mediaType: 'text/plain',
      licence: 'CC0-1.0',
      admission: Admission.ADMISSION_OPEN,
      ...change,
    }),
  );
}

/** A MsgContribute of a document. */
export function contribute(
  contributor: TestAccount,
  document: ProvableContent,
  change: Partial<MsgContribute> = {},
): Any {
  const { root, byteLength } = document.commitment;
  return anyOf(
    MsgContribute,
    MsgContribute.create({
      contributor: contributor.address,
      datanetId: 1n,
      root,
      byteLength: BigInt(byteLength),
      tokenCount: 150n,
      ...change,
    }),
  );
}

/** A MsgWithdrawContribution. */
export function withdraw(contributor: TestAccount, contributionId: bigint): Any {
  return anyOf(MsgWithdrawContribution, { contributor: contributor.address, contributionId });
}

/** A MsgPublishSnapshot. */
export function publishSnapshot(publisher: TestAccount, datanetId = 1n): Any {
  return anyOf(MsgPublishSnapshot, { publisher: publisher.address, datanetId });
}

/** A MsgRegisterModel: 100 for 1,000 tokens in, 300 for 1,000 out, 1000 per call. */
export function registerModel(owner: TestAccount, change: Partial<MsgRegisterModel> = {}): Any {
  return anyOf(
    MsgRegisterModel,
    MsgRegisterModel.create({
      owner: owner.address,
      name: 'quoter',
      baseModel: 'extractive',
      weightsRoot: sha256(utf8('weights')),
      snapshotIds: [1n],
      price: { denom: 'uopen', inPer1000: '100', outPer1000: '300', perCall: '1000' },
      attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_SPAN,
      ...change,
    }),
  );
}

/** Where an answer quotes a document. */
export interface Quote {
  readonly contributionId: bigint;
  readonly document: ProvableContent;
  readonly offset: number;
  readonly length: number;
}

/** A MsgPayInference whose answer is a lead and these quotations, one after another. */
export function payInference(
  payer: Pick<TestAccount, 'address'>,
  quotes: readonly Quote[],
  change: Partial<MsgPayInference> = {},
): MsgPayInference {
  const lead = utf8('They said: ');
  const parts = quotes.map(({ document, offset, length }) =>
    document.content.subarray(offset, offset + length),
  );
  let answerOffset = lead.length;
  const spans = quotes.map(({ contributionId, document: source, offset: sourceOffset, length }) => {
    const span = proveSpan({ contributionId, source, answerOffset, sourceOffset, length });
    answerOffset += length;
    return span;
  });
  return MsgPayInference.create({
    payer: payer.address,
    modelId: 1n,
    requestHash: sha256(utf8('request')),
    tokensIn: 20n,
    tokensOut: 77n,
    answer: openAnswer(concatBytes(lead, ...parts)),
    claim: Claim.create({ spans }),
    maxFee: { denom: 'uopen', amount: '100000' },
    ...change,
  });
}

/** A payment as it stands in a transaction. */
export function paymentOf(message: MsgPayInference): Any {
  return anyOf(MsgPayInference, message);
}

/**
 * A chain on which accounts 1 and 2 have contributed, account 0 has published and account 3 offers model 1.
 */
export interface Loop {
  readonly chain: TestChain;
  readonly owner: TestAccount;
  readonly first: TestAccount;
  readonly second: TestAccount;
  readonly seller: TestAccount;
  readonly payer: TestAccount;
  /** Contributions 1 and 2. */
  readonly documents: readonly [ProvableContent, ProvableContent];
}

/** Sections of a genesis in which contributions weigh in their pools at the end of their block. */
export const SHORT_EPOCHS: JsonObject = {
  pools: messageToJson(PoolsGenesis, PoolsGenesis.create({ params: { ...DEFAULT_PARAMS, epochBlocks: 1 } })),
};

/** Plays the loop up to the model, on a chain with five accounts or more. */
export function playLoop(
  chain: TestChain = new TestChain({ accounts: 6, genesis: { sections: SHORT_EPOCHS } }),
): Loop {
  const documents = [
    provableContent(documentText('adams')),
    provableContent(documentText('jefferson', 700)),
  ] as const;
  const [owner, first, second, seller, payer] = [0, 1, 2, 3, 4].map((i) => chain.account(i));
  if (!owner || !first || !second || !seller || !payer) throw new RangeError('not enough accounts');
  deliverOk(chain, owner, createDatanet(owner));
  deliverOk(chain, first, contribute(first, documents[0]));
  deliverOk(chain, second, contribute(second, documents[1]));
  deliverOk(chain, owner, publishSnapshot(owner));
  deliverOk(chain, seller, registerModel(seller));
  return { chain, owner, first, second, seller, payer, documents };
}
