/** First and last of what limits allow, refunds under the rules of transfers, and whose the residual is. */
import { expect, test } from 'vitest';
import type { ErrorKind } from '../../framework/errors.ts';
import type { JsonObject } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { GenesisState } from '../../proto/gen/openledger/payments/v1/genesis.ts';
import type { Params } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { MsgHoldPayment, MsgRefundPayment } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { authorizationOf, named, signedRelay } from '../../test/support/authorizations.ts';
import {
  deliver,
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
  SHORT_EPOCHS,
} from '../../test/support/economic-loop.ts';
import { anyOf, type TestAccount, TestChain, testAccount } from '../../test/support/test-chain.ts';
import { bankErrors } from '../bank/errors.ts';
import { paymentErrors } from './errors.ts';
import { sumOfParts } from './fee.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { withoutContributors } from './payouts.ts';

const ACCOUNTS = 6;

function loopWith(params: Partial<Params>, further: JsonObject = {}): Loop {
  const genesis = GenesisState.create({ params: { ...DEFAULT_PARAMS, ...params } });
  const sections = { ...SHORT_EPOCHS, ...further, payments: messageToJson(GenesisState, genesis) };
  return playLoop(new TestChain({ accounts: ACCOUNTS, genesis: { sections } }));
}

function expectRefused({ chain }: Loop, signer: TestAccount, message: Any, kind: ErrorKind): void {
  const result = deliver(chain, signer, message);
  expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
}

test('a payment has as many tokens of each kind as the parameters say, and not one more', () => {
  const loop = loopWith({ tokensMax: 50n });
  const { payer } = loop;
  const pays = (change: Partial<MsgPayInference>): Any =>
    paymentOf(payInference(payer, [], { tokensIn: 50n, tokensOut: 50n, ...change }));
  expectRefused(loop, payer, pays({ tokensIn: 51n }), paymentErrors.tooManyTokens);
  expectRefused(loop, payer, pays({ tokensOut: 51n }), paymentErrors.tooManyTokens);
  deliverOk(loop.chain, payer, pays({}));
});

test('a hold expires behind the block that opens it, by at most the longest time, and says what it is', () => {
  const loop = loopWith({ holdSecondsMax: 100n });
  const { chain, payer, seller } = loop;
  const holds = (name: string, seconds: bigint): Any => {
    const amount = { denom: 'uopen', amount: '2000' };
    // From the time of the block that it comes into.
    const expires = chain.time + 1n + seconds;
    const message = { payer: payer.address, modelId: 1n, requestHash: named(name), amount, expires };
    return anyOf(MsgHoldPayment, MsgHoldPayment.create(message));
  };
  expectRefused(loop, payer, holds('now', 0n), paymentErrors.invalidHold);
  expectRefused(loop, payer, holds('long', 101n), paymentErrors.invalidHold);
  deliverOk(chain, payer, holds('short', 1n));
  const { events } = deliverOk(chain, payer, holds('longest', 100n));
  const told = events.find(({ type }) => type === 'hold_payment')?.attributes ?? [];
  expect(Object.fromEntries(told.map(({ key, value }) => [key, value]))).toMatchObject({
    hold_id: '2',
    payer: payer.address,
    payee: seller.address,
    amount: '2000uopen',
    expires: `${chain.time + 100n}`,
  });
});

test('an authorisation is good for the longest time, and for no second more', () => {
  const loop = loopWith({ authorizationSecondsMax: 100n });
  const { chain, payer, seller, first } = loop;
  const lasting = (seconds: bigint): Any => {
    const validAfter = chain.time;
    const window = { validAfter, validBefore: validAfter + seconds };
    return signedRelay(first, payer, authorizationOf(payer, seller, window));
  };
  expectRefused(loop, first, lasting(101n), paymentErrors.windowTooLong);
  deliverOk(chain, first, lasting(100n));
});

test('a refund is a transfer: of a denomination that may not be sent nothing is given back', () => {
  const coins = [{ denom: 'uopen', amount: '1000000000' }];
  const balances = Array.from({ length: ACCOUNTS }, (_, i) => ({
    address: testAccount(`${i}`).address,
    coins,
  }));
  const params = { send_enabled: [], default_send_enabled: true };
  const bank = { params, send_enabled: [{ denom: 'uopen', enabled: false }], balances };
  const loop = loopWith({}, { bank });
  const { chain, payer, seller } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  const amount = { denom: 'uopen', amount: '1' };
  const refund = anyOf(MsgRefundPayment, { sender: seller.address, receiptId: 1n, amount });
  expectRefused(loop, seller, refund, bankErrors.sendDisabled);
});

test('without contributors their part is the residual party’s, or the platform’s, and nothing is lost', () => {
  const parts = { platform: 1n, model: 20n, stakers: 300n, contributors: 4_000n };
  const cases = [
    [Party.PARTY_PLATFORM, { platform: 4_001n }],
    [Party.PARTY_MODEL, { model: 4_020n }],
    [Party.PARTY_STAKERS, { stakers: 4_300n }],
    [Party.PARTY_CONTRIBUTORS, { platform: 4_001n }],
  ] as const;
  for (const [residual, change] of cases) {
    const freed = withoutContributors(parts, residual);
    expect(freed).toEqual({ ...parts, contributors: 0n, ...change });
    expect(sumOfParts(freed)).toBe(sumOfParts(parts));
  }
});
