/** Messages of payments besides MsgPayInference: authorised off the chain, held, given back. */
import {
  cancellationStatement,
  inferenceStatement,
  signStatement,
  transferStatement,
} from '../../../client/authorizations.ts';
import { TEST_BLOCK } from '../../../framework/testing/memory.ts';
import * as wire from '../../../proto/gen/openledger/payments/v1/tx.ts';
import { keyOf, named } from '../../support/authorizations.ts';
import { payInference, paymentOf } from '../../support/economic-loop.ts';
import { sendMessage, type TestAccount, testAccount } from '../../support/test-chain.ts';
import { anyWith, caseOf, coin, type MessageCases } from './case.ts';
import { type Offered, offered } from './native-cases.ts';
import type { MessageWorld } from './world.ts';

const NOW = TEST_BLOCK.time.seconds;
const WINDOW = { validAfter: NOW - 1000n, validBefore: NOW + 1_000_000n };
const { chainId } = TEST_BLOCK;

let numbers = 0;

/** Somebody whose key is known here, with money and without a transaction. */
function agent(world: MessageWorld): TestAccount {
  const account = testAccount(`bench agent ${numbers++}`);
  world.run(sendMessage(world.takeAccount().account.address, account.address, '1000000uopen'));
  return account;
}

interface Held extends Offered {
  readonly payer: TestAccount;
  readonly holdId: bigint;
}

function held(world: MessageWorld, expires = NOW + 1_000_000n): Held {
  const model = offered(world);
  const payer = world.takeAccount().account;
  const { response } = world.run(
    anyWith(wire.MsgHoldPayment, {
      ...{ payer: payer.address, modelId: model.modelId, requestHash: named(`hold ${numbers++}`) },
      ...{ amount: coin(5000), expires },
    }),
  );
  return { ...model, payer, holdId: wire.MsgHoldPaymentResponse.decode(response).holdId };
}

/** See the file comment. */
export const DIRECT_CASES: MessageCases = {
  ...caseOf(wire.MsgTransferWithAuthorization, (world) => {
    const from = agent(world);
    const [relayer, to] = [world.takeAccount().account.address, world.takeAccount().account.address];
    const terms = { chainId, from: from.address, to, amount: coin(5), ...WINDOW };
    const authorization = { ...terms, nonce: named('nonce'), resourceHash: named('resource') };
    const signature = signStatement(transferStatement(authorization), keyOf(from));
    return { relayer, authorization, signature };
  }),
  ...caseOf(wire.MsgPayInferenceWithAuthorization, (world) => {
    const { modelId, seller, quotes } = offered(world);
    const from = agent(world);
    const parties = { from: from.address, payee: seller.address };
    const terms = { chainId, ...parties, modelId, requestHash: named('request'), maxFee: coin(5000) };
    const authorization = { ...terms, ...WINDOW };
    const signature = signStatement(inferenceStatement(authorization), keyOf(from));
    const { answer, claim, tokensIn, tokensOut } = payInference(from, quotes);
    return { payee: seller.address, authorization, signature, answer, claim, tokensIn, tokensOut };
  }),
  ...caseOf(wire.MsgCancelAuthorization, (world) => {
    const from = agent(world);
    const nonce = named('nonce');
    const cancellation = { chainId, from: from.address, nonce, validBefore: WINDOW.validBefore };
    const signature = signStatement(cancellationStatement(cancellation), keyOf(from));
    return { sender: world.takeAccount().account.address, cancellation, signature };
  }),
  ...caseOf(wire.MsgHoldPayment, (world) => {
    const { modelId } = offered(world);
    const payer = world.takeAccount().account.address;
    const requestHash = named(`hold ${numbers++}`);
    return { payer, modelId, requestHash, amount: coin(5000), expires: NOW + 1_000_000n };
  }),
  ...caseOf(wire.MsgCaptureHold, (world) => {
    const { holdId, seller, payer, quotes } = held(world);
    const { answer, claim, tokensIn, tokensOut } = payInference(payer, quotes);
    return { payee: seller.address, holdId, answer, claim, tokensIn, tokensOut };
  }),
  ...caseOf(wire.MsgVoidHold, (world) => {
    const { holdId, seller } = held(world);
    return { payee: seller.address, holdId };
  }),
  ...caseOf(wire.MsgRefundPayment, (world) => {
    const { modelId, seller, quotes } = offered(world);
    const payer = world.takeAccount().account;
    const requestHash = named(`refund ${numbers++}`);
    const { response } = world.run(paymentOf(payInference(payer, quotes, { modelId, requestHash })));
    const { receiptId } = wire.MsgPayInferenceResponse.decode(response);
    return { sender: seller.address, receiptId, amount: coin(7) };
  }),
};
