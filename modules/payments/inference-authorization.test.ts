import { expect, test } from 'vitest';
import { inferenceStatement, signStatement, transferStatement } from '../../client/authorizations.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import type { InferenceAuthorization } from '../../proto/gen/openledger/payments/v1/authorization.ts';
import * as query from '../../proto/gen/openledger/payments/v1/query.ts';
import {
  MsgCancelAuthorization,
  MsgHoldPayment,
  MsgPayInferenceWithAuthorization,
} from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { authorizationOf, keyOf, named, relay } from '../../test/support/authorizations.ts';
import {
  deliver,
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
} from '../../test/support/economic-loop.ts';
import { wealthOf } from '../../test/support/earnings.ts';
import { anyOf, sendMessage, type TestAccount, testAccount } from '../../test/support/test-chain.ts';
import { paymentErrors } from './errors.ts';

const agent = testAccount('agent');

/** The loop, and an agent with 5,000 that never sends a transaction. */
function scene(): Loop {
  const loop = playLoop();
  deliverOk(loop.chain, loop.payer, sendMessage(loop.payer.address, agent.address, '5000uopen'));
  return loop;
}

/** Up to 1,100 for a request to model 1, to be collected by its owner. */
function authorized(loop: Loop, change: Partial<InferenceAuthorization> = {}): InferenceAuthorization {
  return {
    chainId: loop.chain.chainId,
    from: agent.address,
    payee: loop.seller.address,
    modelId: 1n,
    requestHash: named('request'),
    maxFee: { denom: 'uopen', amount: '1100' },
    validAfter: 1_700_000_000n,
    validBefore: 1_700_003_600n,
    ...change,
  };
}

/** Collects 1,026 for an answer that quotes contribution 1. */
function collect(
  loop: Loop,
  authorization: InferenceAuthorization,
  change: Partial<MsgPayInferenceWithAuthorization> = {},
): Any {
  const quote = { contributionId: 1n, document: loop.documents[0], offset: 200, length: 100 };
  const { answer, claim, tokensIn, tokensOut } = payInference(agent, [quote]);
  const signature = signStatement(inferenceStatement(authorization), keyOf(agent));
  const usage = { answer, claim, tokensIn, tokensOut, claimId: 0n };
  const payee = loop.seller.address;
  return anyOf(MsgPayInferenceWithAuthorization, { payee, authorization, signature, ...usage, ...change });
}

function expectRefused({ chain }: Loop, signer: TestAccount, message: Any, kind: ErrorKind): void {
  const before = chain.balance(agent.address);
  const result = deliver(chain, signer, message);
  expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
  expect(chain.balance(agent.address)).toBe(before);
}

test('an agent without gas pays for an inference: price and split as if it had sent the message', () => {
  const loop = scene();
  const { chain, seller, first } = loop;
  const before = [agent, seller, first].map(({ address }) => wealthOf(chain, address));
  deliverOk(chain, seller, collect(loop, authorized(loop)));
  const after = [agent, seller, first].map(({ address }) => wealthOf(chain, address));
  expect(after.map((balance, i) => balance - (before[i] ?? 0n))).toEqual([-1026n, 205n - 5000n, 513n]);
  const { receipt } = chain.query(
    '/openledger.payments.v1.Query/Receipt',
    { request: query.QueryReceiptRequest, response: query.QueryReceiptResponse },
    { receiptId: 1n },
  );
  expect([receipt.payer, receipt.payee]).toEqual([agent.address, seller.address]);
  const { receiptId, state } = chain.query(
    '/openledger.payments.v1.Query/Authorization',
    { request: query.QueryAuthorizationRequest, response: query.QueryAuthorizationResponse },
    { from: agent.address, nonce: named('request') },
  );
  expect([receiptId, state]).toEqual([1n, 0]);
  expectRefused(loop, seller, collect(loop, authorized(loop)), paymentErrors.requestPaid);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('only the named payee collects, once, in time, on this chain, and no more than was authorised', () => {
  const loop = scene();
  const { chain, seller, first } = loop;
  const good = authorized(loop);
  const cases: readonly (readonly [Partial<InferenceAuthorization>, ErrorKind])[] = [
    [{ chainId: 'another-1' }, paymentErrors.otherChain],
    [{ validAfter: 1_700_000_900n }, paymentErrors.notYetValid],
    [{ validAfter: 1n, validBefore: 2n }, paymentErrors.authorizationExpired],
    [{ validAfter: 1_600_000_000n }, paymentErrors.windowTooLong],
    [{ modelId: 7n }, paymentErrors.unknownModel],
    [{ maxFee: { denom: 'uopen', amount: '1025' } }, paymentErrors.feeAboveMax],
    [{ maxFee: { denom: 'uusd', amount: '1100' } }, paymentErrors.wrongDenom],
    [{ maxFee: { denom: 'uopen', amount: '1e3' } }, paymentErrors.invalidAuthorization],
    [{ requestHash: new Uint8Array(1) }, paymentErrors.invalidAuthorization],
    [{ from: first.address }, paymentErrors.wrongSigner],
  ];
  for (const [change, kind] of cases)
    expectRefused(loop, seller, collect(loop, authorized(loop, change)), kind);
  const others: readonly Partial<InferenceAuthorization>[] = [
    { requestHash: named('other') },
    { maxFee: { denom: 'uopen', amount: '1101' } },
    { validBefore: 1_700_003_601n },
    { validAfter: 1_699_999_999n },
  ];
  const signature = signStatement(inferenceStatement(good), keyOf(agent));
  for (const change of others)
    expectRefused(
      loop,
      seller,
      collect(loop, { ...good, ...change }, { signature }),
      paymentErrors.wrongSignature,
    );
  // Who could state the tokens in another's name could also name other sources.
  expectRefused(loop, first, collect(loop, good, { payee: first.address }), paymentErrors.notPayee);
  const stolen = { ...good, payee: first.address };
  expectRefused(
    loop,
    first,
    collect(loop, stolen, { payee: first.address, signature }),
    paymentErrors.wrongSignature,
  );
  expectRefused(loop, seller, collect(loop, good, { tokensOut: 0n }), paymentErrors.invalidPayment);
  deliverOk(chain, seller, collect(loop, good));
});

test('a cancelled one is refused; one for a held request too; neither kind passes for the other', () => {
  const loop = scene();
  const { chain, seller, payer } = loop;
  const { chainId, from, requestHash: nonce, validBefore } = authorized(loop);
  const cancellation = { chainId, from: payer.address, nonce, validBefore };
  const mine = authorized(loop, { from: payer.address });
  const signature = signStatement(inferenceStatement(mine), keyOf(payer));
  deliverOk(
    chain,
    payer,
    anyOf(MsgCancelAuthorization, { sender: payer.address, cancellation, signature: undefined }),
  );
  expectRefused(loop, seller, collect(loop, mine, { signature }), paymentErrors.authorizationCancelled);
  expect(from).not.toBe(payer.address);
  const asTransfer = authorizationOf(agent, seller);
  const forInference = signStatement(inferenceStatement(authorized(loop)), keyOf(agent));
  expectRefused(loop, seller, relay(seller, asTransfer, forInference), paymentErrors.wrongSignature);
  const forTransfer = signStatement(transferStatement(asTransfer), keyOf(agent));
  expectRefused(
    loop,
    seller,
    collect(loop, authorized(loop), { signature: forTransfer }),
    paymentErrors.wrongSignature,
  );
  const requestHash = named('held');
  const amount = { denom: 'uopen', amount: '1500' };
  const expires = 1_700_000_100n;
  const held = { payer: payer.address, payee: '', modelId: 1n, requestHash, amount, expires };
  deliverOk(chain, payer, anyOf(MsgHoldPayment, held));
  const second = authorized(loop, { from: payer.address, requestHash });
  const signed = signStatement(inferenceStatement(second), keyOf(payer));
  expectRefused(loop, seller, collect(loop, second, { signature: signed }), paymentErrors.requestHeld);
});

test('an inference that was paid by the payer itself is not collected a second time', () => {
  const loop = scene();
  const { chain, payer, seller } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [], { requestHash: named('request') })));
  const again = authorized(loop, { from: payer.address });
  const signature = signStatement(inferenceStatement(again), keyOf(payer));
  expectRefused(loop, seller, collect(loop, again, { signature }), paymentErrors.requestPaid);
});
