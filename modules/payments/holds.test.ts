import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import { type ErrorKind, sdkErrors } from '../../framework/errors.ts';
import { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { GenesisState } from '../../proto/gen/openledger/payments/v1/genesis.ts';
import type { Hold } from '../../proto/gen/openledger/payments/v1/payments.ts';
import * as query from '../../proto/gen/openledger/payments/v1/query.ts';
import {
  MsgCaptureHold,
  MsgCaptureHoldResponse,
  MsgHoldPayment,
  MsgReclaimHold,
  MsgRefundPayment,
  MsgVoidHold,
} from '../../proto/gen/openledger/payments/v1/tx.ts';
import { TxMsgData } from '../../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { named } from '../../test/support/authorizations.ts';
import {
  deliver,
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { wealthOf } from '../../test/support/earnings.ts';
import { anyOf, type TestAccount } from '../../test/support/test-chain.ts';
import { paymentErrors } from './errors.ts';

const FEE = 5000n;
const SERVICE = '/openledger.payments.v1.Query';

function now({ chain }: Loop): bigint {
  return 1_700_000_000n + chain.height;
}

/** A MsgHoldPayment of 2,000 for a hundred seconds, to the model's owner. */
function hold(loop: Loop, change: Partial<MsgHoldPayment> = {}): Any {
  const message = MsgHoldPayment.create({
    payer: loop.payer.address,
    modelId: 1n,
    requestHash: named('request'),
    amount: { denom: 'uopen', amount: '2000' },
    expires: now(loop) + 100n,
    ...change,
  });
  return anyOf(MsgHoldPayment, message);
}

/** A MsgCaptureHold of what costs 1,026, quoting both contributors. */
function capture(loop: Loop, change: Partial<MsgCaptureHold> = {}): Any {
  const { documents, payer, seller } = loop;
  const { answer, claim, tokensIn, tokensOut } = payInference(payer, [
    { contributionId: 1n, document: documents[0], offset: 200, length: 100 },
    { contributionId: 2n, document: documents[1], offset: 10, length: 50 },
  ]);
  const usage = { answer, claim, tokensIn, tokensOut };
  const message = { payee: seller.address, holdId: 1n, claimId: 0n, ...usage, ...change };
  return anyOf(MsgCaptureHold, message);
}

function held({ chain }: Loop): bigint {
  return chain.balance(chain.app.composition.addresses.toText(moduleAddress('payments')));
}

function expectRefused({ chain }: Loop, signer: TestAccount, message: Any, kind: ErrorKind): void {
  const result = deliver(chain, signer, message);
  expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
}

function holdsOf({ chain }: Loop, role: 'Payer' | 'Payee', address: string): readonly Hold[] {
  if (role === 'Payer')
    return chain.query(
      `${SERVICE}/HoldsByPayer`,
      { request: query.QueryHoldsByPayerRequest, response: query.QueryHoldsByPayerResponse },
      { payer: address },
    ).holds;
  return chain.query(
    `${SERVICE}/HoldsByPayee`,
    { request: query.QueryHoldsByPayeeRequest, response: query.QueryHoldsByPayeeResponse },
    { payee: address },
  ).holds;
}

test('a payee takes the price of the request out of a hold, by the model’s split; the rest returns at once', () => {
  const loop = playLoop();
  const { chain, payer, seller, first, second } = loop;
  deliverOk(chain, payer, hold(loop));
  expect([held(loop), holdsOf(loop, 'Payer', payer.address).length]).toEqual([2000n, 1]);
  expect(holdsOf(loop, 'Payee', seller.address)).toEqual(holdsOf(loop, 'Payer', payer.address));
  const before = [payer, seller, first, second].map(({ address }) => wealthOf(chain, address));
  const result = deliverOk(chain, seller, capture(loop));
  const after = [payer, seller, first, second].map(({ address }) => wealthOf(chain, address));
  expect(after.map((balance, i) => balance - (before[i] ?? 0n))).toEqual([974n, 205n - FEE, 342n, 171n]);
  const [response] = TxMsgData.decode(result.data).msgResponses;
  const { returned, fee } = MsgCaptureHoldResponse.decode(response?.value ?? new Uint8Array(0));
  expect([returned.amount, fee.amount]).toEqual(['974', '1026']);
  expect([held(loop), holdsOf(loop, 'Payee', seller.address)]).toEqual([0n, []]);
  const { receipt } = chain.query(
    `${SERVICE}/Receipt`,
    { request: query.QueryReceiptRequest, response: query.QueryReceiptResponse },
    { receiptId: 1n },
  );
  expect([receipt.payer, receipt.payee]).toEqual([payer.address, seller.address]);
  expectRefused(loop, seller, capture(loop), paymentErrors.unknownHold);
  expectRefused(loop, payer, hold(loop), paymentErrors.requestPaid);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('what a capture leaves unattributed waits in the pools, beside other holds', () => {
  const loop = playLoop();
  const { chain, payer, seller } = loop;
  deliverOk(chain, payer, hold(loop));
  deliverOk(chain, payer, hold(loop, { requestHash: named('other') }));
  const answer = Answer.create({ content: new Uint8Array(5) });
  deliverOk(chain, seller, capture(loop, { answer, claim: Claim.create({}) }));
  const pools = chain.app.composition.addresses.toText(moduleAddress('pools'));
  expect([held(loop), chain.balance(pools)]).toEqual([2000n, 513n + 205n]);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('each reason to refuse a hold, a capture, a void and a reclaim has its number', () => {
  const loop = playLoop();
  const { chain, payer, seller, first } = loop;
  const holds: readonly (readonly [Partial<MsgHoldPayment>, ErrorKind])[] = [
    [{ modelId: 9n }, paymentErrors.unknownModel],
    [{ amount: { denom: 'uusd', amount: '5' } }, paymentErrors.wrongDenom],
    [{ amount: { denom: 'uopen', amount: '0' } }, paymentErrors.invalidHold],
    [{ amount: { denom: 'uopen', amount: '9999999999' } }, sdkErrors.insufficientFunds],
    [{ requestHash: new Uint8Array(33) }, paymentErrors.invalidHold],
    [{ expires: 1_700_000_000n }, paymentErrors.invalidHold],
    [{ expires: 1_800_000_000n }, paymentErrors.invalidHold],
    [{ payee: 'nobody' }, sdkErrors.invalidAddress],
  ];
  for (const [change, kind] of holds) expectRefused(loop, payer, hold(loop, change), kind);
  const expires = now(loop) + 14n;
  deliverOk(chain, payer, hold(loop, { payee: first.address, expires }));
  expectRefused(loop, payer, hold(loop), paymentErrors.requestHeld);
  expectRefused(loop, seller, capture(loop), paymentErrors.notPayee);
  expectRefused(
    loop,
    first,
    capture(loop, { payee: first.address, tokensIn: 9_999n, tokensOut: 99_999n }),
    paymentErrors.feeAboveMax,
  );
  expectRefused(
    loop,
    first,
    capture(loop, { payee: first.address, tokensOut: 0n }),
    paymentErrors.invalidPayment,
  );
  expectRefused(
    loop,
    first,
    capture(loop, { payee: first.address, tokensIn: 1n << 60n }),
    paymentErrors.tooManyTokens,
  );
  expectRefused(
    loop,
    seller,
    anyOf(MsgVoidHold, { payee: seller.address, holdId: 1n }),
    paymentErrors.notPayee,
  );
  expectRefused(
    loop,
    seller,
    anyOf(MsgVoidHold, { payee: seller.address, holdId: 2n }),
    paymentErrors.unknownHold,
  );
  expectRefused(
    loop,
    payer,
    anyOf(MsgReclaimHold, { sender: payer.address, holdId: 1n }),
    paymentErrors.holdNotExpired,
  );
  while (now(loop) < expires - 1n) chain.block();
  // The next block's time is that of the expiry: its transactions come before its end.
  expectRefused(loop, first, capture(loop, { payee: first.address }), paymentErrors.holdExpired);
  expect(held(loop)).toBe(0n);
  expectRefused(
    loop,
    payer,
    anyOf(MsgReclaimHold, { sender: payer.address, holdId: 1n }),
    paymentErrors.unknownHold,
  );
});

test('while a request is held, its payer cannot pay it by the own word and so make the hold worthless', () => {
  const loop = playLoop();
  const { chain, payer, seller } = loop;
  deliverOk(chain, payer, hold(loop));
  const own = payInference(payer, [], { requestHash: named('request'), tokensOut: 1n });
  expectRefused(loop, payer, paymentOf(own), paymentErrors.requestHeld);
  deliverOk(chain, seller, capture(loop));
});

test('a hold goes back whole when its payee voids it, when it expires, and when anybody reclaims it', () => {
  const loop = playLoop();
  const { chain, payer, seller, first } = loop;
  const balance = chain.balance(payer.address);
  deliverOk(chain, payer, hold(loop));
  const voided = deliverOk(chain, seller, anyOf(MsgVoidHold, { payee: seller.address, holdId: 1n }));
  expect(
    voided.events.find(({ type }) => type === 'return_hold')?.attributes.map(({ value }) => value),
  ).toContain('voided');
  expect(chain.balance(payer.address)).toBe(balance - FEE);
  const expires = now(loop) + 3n;
  deliverOk(chain, payer, hold(loop, { expires }));
  chain.block();
  expect(chain.balance(payer.address)).toBe(balance - 2n * FEE - 2000n);
  // Its transactions come before its end, where the hold expires by itself.
  deliverOk(chain, first, anyOf(MsgReclaimHold, { sender: first.address, holdId: 2n }));
  expect([chain.balance(payer.address), held(loop)]).toEqual([balance - 2n * FEE, 0n]);
  deliverOk(chain, payer, hold(loop, { expires: now(loop) + 2n }));
  const { events } = chain.block();
  expect(events.filter(({ type }) => type === 'return_hold').length).toBe(1);
  expect([chain.balance(payer.address), held(loop)]).toEqual([balance - 3n * FEE, 0n]);
  deliverOk(chain, payer, paymentOf(payInference(payer, [], { requestHash: named('request') })));
  expect(chain.app.brokenInvariants()).toEqual([]);
});

function refund({ address }: TestAccount, amount: string, change: Partial<MsgRefundPayment> = {}): Any {
  const value = { sender: address, receiptId: 1n, amount: { denom: 'uopen', amount }, ...change };
  return anyOf(MsgRefundPayment, value);
}

test('who was paid gives back out of the own account, never more than the fee, and nobody else loses', () => {
  const loop = playLoop();
  const { chain, payer, seller, owner, first, second } = loop;
  deliverOk(chain, payer, hold(loop, { payee: owner.address }));
  deliverOk(chain, owner, capture(loop, { payee: owner.address }));
  const before = [payer, first, second].map(({ address }) => wealthOf(chain, address));
  expectRefused(loop, first, refund(first, '1'), paymentErrors.notRefunder);
  expectRefused(loop, seller, refund(seller, '1', { receiptId: 2n }), paymentErrors.unknownReceipt);
  expectRefused(
    loop,
    seller,
    refund(seller, '1', { amount: { denom: 'uusd', amount: '1' } }),
    paymentErrors.wrongDenom,
  );
  expectRefused(loop, seller, refund(seller, '0'), paymentErrors.invalidPayment);
  expectRefused(loop, seller, refund(seller, '1027'), paymentErrors.refundAboveFee);
  deliverOk(chain, seller, refund(seller, '1000'));
  expectRefused(loop, owner, refund(owner, '27'), paymentErrors.refundAboveFee);
  const told = deliverOk(chain, owner, refund(owner, '26')).events.find(
    ({ type }) => type === 'refund_payment',
  );
  expect(told?.attributes.map(({ value }) => value)).toEqual(
    expect.arrayContaining(['26uopen', '1026uopen']),
  );
  const after = [payer, first, second].map(({ address }) => wealthOf(chain, address));
  expect(after.map((balance, i) => balance - (before[i] ?? 0n))).toEqual([1026n, -FEE, 0n]);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('holds and refunds go through an export, and a restored hold is returned when its time comes', () => {
  const loop = playLoop();
  const { chain, payer, seller } = loop;
  deliverOk(chain, payer, hold(loop));
  deliverOk(chain, seller, capture(loop));
  deliverOk(chain, seller, refund(seller, '7'));
  deliverOk(chain, payer, hold(loop, { requestHash: named('other') }));
  const { addresses, bank } = chain.app.composition;
  const payerBytes = addresses.toBytes(payer.address);
  const balance = chain.balance(payer.address);
  // The restored chain's first block comes years later.
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const context = restored.contextAt(restored.height);
  expect(bank.balance(context, payerBytes, 'uopen') - balance).toBe(2000n);
  const { payments } = restored.exportState().appState;
  const genesis = messageFromJson(GenesisState, new JsonReader(payments, ''));
  expect([genesis.holds, genesis.holdSequence, genesis.receipts[0]?.refunded]).toEqual([[], 2n, '7']);
});

test('random holds, captures, voids, payments and refunds keep every invariant', () => {
  const loop = playLoop();
  const { chain, payer, seller, first } = loop;
  deliverOk(chain, seller, registerModel(seller, { snapshotIds: [], attributionMethod: 0 }));
  const step = fc.record({ what: fc.nat(6), which: fc.nat(40), amount: fc.integer({ min: 1, max: 3000 }) });
  const done = new Set<number>();
  let opened = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 10 }), (steps) => {
      for (const { what, which, amount } of steps) {
        const requestHash = named(`request ${which}`);
        const holdId = BigInt(Math.max(opened - (which % 3), 1));
        const messages: readonly (readonly [TestAccount, Any])[] = [
          [
            payer,
            hold(loop, {
              requestHash,
              modelId: BigInt(1 + (amount % 2)),
              amount: { denom: 'uopen', amount: `${amount}` },
              expires: now(loop) + BigInt(2 + (amount % 12)),
            }),
          ],
          [
            seller,
            capture(loop, {
              holdId,
              ...(amount % 2 === 0 ? { answer: Answer.create({}), claim: Claim.create({}) } : {}),
            }),
          ],
          [seller, anyOf(MsgVoidHold, { payee: seller.address, holdId })],
          [payer, paymentOf(payInference(payer, [], { requestHash }))],
          [seller, refund(seller, `${amount % 400}`, { receiptId: BigInt(1 + (which % 9)) })],
          [first, anyOf(MsgReclaimHold, { sender: first.address, holdId })],
        ];
        const [signer, message] = messages[what] ?? messages[0] ?? [];
        if (signer === undefined || message === undefined) throw new RangeError('no message');
        if (deliver(chain, signer, message).code === 0) {
          done.add(what % 6);
          if (what % 6 === 0) opened++;
        }
        expect(chain.app.brokenInvariants()).toEqual([]);
      }
    }),
    { numRuns: 25 },
  );
  expect([...done].sort()).toEqual(expect.arrayContaining([0, 1, 2, 3, 4]));
});
