/** Transactions as far as their execution, and queries: whatever somebody sends, no check is missing. */
import { toStateError } from '../../../framework/errors.ts';
import { RequestQuery, type ResponseQuery } from '../../../proto/gen/tendermint/abci/types.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { DecodeError } from '../../../core/errors.ts';
import { StateError, sdkErrors } from '../../../framework/errors.ts';
import { provableContent } from '../../../modules/attribution/verify.ts';
import {
  contribute,
  createDatanet,
  documentText,
  LOOP_GAS,
  payInference,
  paymentOf,
  playLoop,
  publishSnapshot,
  registerModel,
} from '../../support/economic-loop.ts';
import { sendMessage, type TestAccount } from '../../support/test-chain.ts';
import type { Target } from '../target.ts';

const KIB = 1024;
const { chain, owner, first, seller, payer, documents } = playLoop();
const signed = (signer: TestAccount, ...messages: readonly Any[]): Uint8Array =>
  chain.sign(signer, messages, { gas: LOOP_GAS });
const quotes = documents.map((document, i) => ({
  contributionId: BigInt(i + 1),
  document,
  offset: 60 + i,
  length: 200,
}));

/** An error that nothing foresaw is reported as a panic: a check is missing. */
function unlessPanic(error: { readonly code: number; readonly log: string }): void {
  if (error.code === sdkErrors.panic.code) throw new RangeError(error.log);
}

function run(bytes: Uint8Array): undefined {
  const { error } = chain.app.simulate(bytes);
  if (error === undefined) return undefined;
  unlessPanic({ code: error.kind.code, log: error.message });
  throw error;
}

function ask(bytes: Uint8Array): undefined {
  const answer: ResponseQuery = chain.app.query(RequestQuery.decode(bytes));
  unlessPanic(answer);
  if (answer.code !== 0) throw new StateError(sdkErrors.invalidRequest, answer.log);
  return undefined;
}

const query = (path: string, data: Uint8Array, prove = false): Uint8Array =>
  RequestQuery.encode({ path, data, height: 0n, prove });

export const EXECUTION_TARGETS: readonly Target[] = [
  {
    name: 'tx/execute',
    form: 'protobuf',
    seeds: [
      signed(owner, createDatanet(owner, { slug: 'others' })),
      signed(first, contribute(first, provableContent(documentText('madison')))),
      signed(owner, publishSnapshot(owner)),
      signed(seller, registerModel(seller, { name: 'another' })),
      signed(payer, paymentOf(payInference(payer, quotes))),
      signed(payer, sendMessage(payer.address, owner.address, '5uopen')),
    ],
    bytesMax: 64 * KIB,
    read: run,
    documented: (error) => error instanceof StateError && toStateError(error) === error,
  },
  {
    name: 'app/query',
    form: 'protobuf',
    seeds: [
      ...chain.app.queries.routes.map(({ path, request }) => query(path, request.encode(request.create()))),
      query('/store/bank/key', Uint8Array.of(2, 1), true),
      query('/app/version', new Uint8Array(0)),
      query('/app/simulate', signed(payer, sendMessage(payer.address, owner.address, '5uopen'))),
    ],
    bytesMax: 64 * KIB,
    read: ask,
    documented: (error) => error instanceof DecodeError || error instanceof StateError,
  },
];
