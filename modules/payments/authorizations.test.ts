import fc from 'fast-check';
import { Secp256k1HdWallet } from '@cosmjs/amino';
import { expect, test } from 'vitest';
import {
  arbitrarySigner,
  cancellationStatement,
  joinSignatures,
  signStatement,
  signStatementInWallet,
  transferStatement,
} from '../../client/authorizations.ts';
import { moduleAddress } from '../../framework/address.ts';
import { type ErrorKind, StateError, sdkErrors } from '../../framework/errors.ts';
import { JsonReader } from '../../framework/json.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { multisigPublicKey } from '../../framework/tx/public-key.ts';
import { MsgCreateVestingAccount } from '../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import {
  type AccountSignature,
  AuthorizationState,
  KeyKind,
  SignatureForm,
  type TransferAuthorization,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import { GenesisState } from '../../proto/gen/openledger/payments/v1/genesis.ts';
import * as query from '../../proto/gen/openledger/payments/v1/query.ts';
import { MsgCancelAuthorization } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  authorizationOf,
  keyOf,
  named,
  relay,
  sessionKey,
  signedRelay,
} from '../../test/support/authorizations.ts';
import { deliver, deliverOk } from '../../test/support/economic-loop.ts';
import { restoreChain } from '../../test/support/restore.ts';
import {
  anyOf,
  sendMessage,
  type TestAccount,
  TestChain,
  testAccount,
} from '../../test/support/test-chain.ts';
import { bankErrors } from '../bank/errors.ts';
import type { SendRestriction } from '../bank/types.ts';
import { paymentErrors } from './errors.ts';

interface Scene {
  readonly chain: TestChain;
  readonly relayer: TestAccount;
  readonly seller: TestAccount;
  /** Has coins and no gas money to speak of: it never sends a transaction. */
  readonly agent: TestAccount;
}

function scene(agent = testAccount('agent')): Scene {
  const chain = new TestChain({ accounts: 3 });
  const [relayer, seller] = [chain.account(0), chain.account(1)];
  deliverOk(chain, chain.account(2), sendMessage(chain.account(2).address, agent.address, '5000uopen'));
  return { chain, relayer, seller, agent };
}

function good({ agent, seller }: Scene, change: Partial<TransferAuthorization> = {}): TransferAuthorization {
  return authorizationOf(agent, seller, change);
}

/** Relays what must be refused, and says that no money moved but the relayer's fee. */
function expectRefused(
  { chain, relayer, seller, agent }: Scene,
  message: ReturnType<typeof relay>,
  kind: ErrorKind,
): string {
  const before = [seller, agent].map(({ address }) => chain.balance(address));
  const result = deliver(chain, relayer, message);
  expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
  expect([seller, agent].map(({ address }) => chain.balance(address))).toEqual(before);
  return result.log;
}

function stateOf({ chain, agent }: Scene, nonce: Uint8Array): query.QueryAuthorizationResponse {
  return chain.query(
    '/openledger.payments.v1.Query/Authorization',
    { request: query.QueryAuthorizationRequest, response: query.QueryAuthorizationResponse },
    { from: agent.address, nonce },
  );
}

test('an account that never sent a transaction pays by what it signed; a relayer pays the gas', () => {
  const at = scene();
  const { chain, relayer, seller, agent } = at;
  const before = chain.balance(seller.address);
  const result = deliverOk(chain, relayer, signedRelay(relayer, agent, good(at)));
  expect([chain.balance(seller.address) - before, chain.balance(agent.address)]).toEqual([1000n, 4000n]);
  const told = result.events.find(({ type }) => type === 'transfer_with_authorization');
  expect(told?.attributes.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['from', 'to', 'amount', 'nonce', 'resource_hash', 'relayer']),
  );
  expect(stateOf(at, named('nonce'))).toMatchObject({ state: 1, validBefore: 1_700_003_600n });
  expect(chain.sequence(agent)).toBe(0n);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('each reason to refuse an authorisation has its number', () => {
  const at = scene();
  const { chain, relayer, agent, seller } = at;
  const signed = (change: Partial<TransferAuthorization>) => signedRelay(relayer, agent, good(at, change));
  const cases: readonly (readonly [Partial<TransferAuthorization>, ErrorKind])[] = [
    [{ chainId: 'test-chain-2' }, paymentErrors.otherChain],
    [{ validAfter: 1_700_000_100n }, paymentErrors.notYetValid],
    [{ validAfter: 1_600_000_000n, validBefore: 1_600_000_001n }, paymentErrors.authorizationExpired],
    [{ validAfter: 1_690_000_000n }, paymentErrors.windowTooLong],
    [{ nonce: new Uint8Array(31) }, paymentErrors.invalidAuthorization],
    [{ resourceHash: new Uint8Array(0) }, paymentErrors.invalidAuthorization],
    [{ validAfter: -1n }, paymentErrors.invalidAuthorization],
    [{ validBefore: 1_700_000_000n }, paymentErrors.invalidAuthorization],
    [{ amount: { denom: 'uopen', amount: '0' } }, paymentErrors.invalidAuthorization],
    [{ amount: { denom: 'uopen', amount: '01' } }, paymentErrors.invalidAuthorization],
    [{ amount: { denom: 'uopen', amount: '-1' } }, paymentErrors.invalidAuthorization],
    [{ to: seller.address.toUpperCase() }, paymentErrors.invalidAuthorization],
    [{ to: 'nobody' }, sdkErrors.invalidAddress],
    [{ from: seller.address }, paymentErrors.wrongSigner],
    [{ amount: { denom: 'uopen', amount: '5001' } }, sdkErrors.insufficientFunds],
  ];
  for (const [change, kind] of cases) expectRefused(at, signed(change), kind);
  deliverOk(chain, relayer, signed({}));
  expectRefused(at, signed({}), paymentErrors.authorizationUsed);
});

test('a window is open strictly between its ends', () => {
  const at = scene();
  const { chain, relayer, agent } = at;
  // The next block's time is now + 1.
  const now = 1_700_000_000n + chain.height;
  const signed = (name: string, validAfter: bigint, validBefore: bigint) =>
    signedRelay(relayer, agent, good(at, { validAfter, validBefore, nonce: named(name) }));
  expectRefused(at, signed('a', now + 1n, now + 9n), paymentErrors.notYetValid);
  expectRefused(at, signed('b', now - 9n, now + 2n), paymentErrors.authorizationExpired);
  deliverOk(chain, relayer, signed('c', now + 2n, now + 4n));
});

test('whoever changes a field, or takes the signature for another, is refused', () => {
  const at = scene();
  const { relayer, agent } = at;
  const authorization = good(at);
  const signature = signStatement(transferStatement(authorization), keyOf(agent));
  const changes: readonly Partial<TransferAuthorization>[] = [
    { to: relayer.address },
    { amount: { denom: 'uopen', amount: '999' } },
    { amount: { denom: 'uusd', amount: '1000' } },
    { validAfter: 1_699_999_999n },
    { validBefore: 1_700_003_601n },
    { nonce: named('other') },
    { resourceHash: named('other') },
  ];
  for (const change of changes)
    expectRefused(
      at,
      relay(relayer, { ...authorization, ...change }, signature),
      paymentErrors.wrongSignature,
    );
  const [key] = signature.keys;
  if (key === undefined) throw new RangeError('no key');
  const other: readonly (readonly [AccountSignature, ErrorKind])[] = [
    [{ ...signature, form: SignatureForm.SIGNATURE_FORM_ADR036 }, paymentErrors.wrongSignature],
    [{ ...signature, form: 0 }, paymentErrors.invalidAuthorization],
    [{ ...signature, keys: [] }, paymentErrors.invalidAuthorization],
    [{ ...signature, keys: [key, key] }, paymentErrors.invalidAuthorization],
    [{ ...signature, threshold: 1 }, paymentErrors.wrongSigner],
    [{ ...signature, threshold: 2 }, paymentErrors.invalidAuthorization],
    [{ ...signature, keys: [{ ...key, kind: 3 }] }, paymentErrors.invalidAuthorization],
    [{ ...signature, keys: [{ ...key, kind: KeyKind.KEY_KIND_ED25519 }] }, sdkErrors.invalidPubKey],
    [{ ...signature, keys: [{ ...key, signature: new Uint8Array(0) }] }, paymentErrors.invalidAuthorization],
    [{ ...signature, keys: [{ ...key, signature: new Uint8Array(64) }] }, paymentErrors.wrongSignature],
    [
      { ...signature, keys: Array.from({ length: 17 }, () => key), threshold: 1 },
      paymentErrors.invalidAuthorization,
    ],
    [signStatement(transferStatement(authorization), keyOf(relayer)), paymentErrors.wrongSigner],
    [
      signStatement(cancellationStatement({ ...authorization, nonce: named('nonce') }), keyOf(agent)),
      paymentErrors.wrongSignature,
    ],
  ];
  for (const [wrong, kind] of other) expectRefused(at, relay(relayer, authorization, wrong), kind);
});

test('a wallet signs the text that it shows (ADR-036)', async () => {
  const wallet = await Secp256k1HdWallet.generate(12, { prefix: 'open' });
  const [account] = await wallet.getAccounts();
  if (account === undefined) throw new RangeError('no account');
  const at = scene({ ...testAccount('wallet'), address: account.address });
  const authorization = good(at);
  const statement = transferStatement(authorization);
  const who = { chainId: at.chain.chainId, address: account.address };
  const signature = await signStatementInWallet(statement, arbitrarySigner(wallet), who);
  const changed = { ...authorization, to: at.relayer.address };
  expectRefused(at, relay(at.relayer, changed, signature), paymentErrors.wrongSignature);
  deliverOk(at.chain, at.relayer, relay(at.relayer, authorization, signature));
  expect(at.chain.balance(account.address)).toBe(4000n);
});

test('an account of an ed25519 key authorises, though it cannot send transactions', () => {
  const session = sessionKey('agent');
  const { addresses } = new TestChain().app.composition;
  const at = scene({ ...testAccount('x'), address: addresses.toText(session.pubKey.address) });
  const authorization = good(at);
  const signature = signStatement(transferStatement(authorization), session);
  deliverOk(at.chain, at.relayer, relay(at.relayer, authorization, signature));
  expect(at.chain.balance(at.agent.address)).toBe(4000n);
});

test('an account of several keys authorises when enough of them signed, in one form', () => {
  const members = ['one', 'two', 'three'].map((name) => testAccount(name));
  const pubKey = multisigPublicKey(
    2,
    members.map((member) => member.pubKey),
  );
  const { addresses } = new TestChain().app.composition;
  const at = scene({ ...testAccount('x'), address: addresses.toText(pubKey.address) });
  const authorization = good(at);
  const statement = transferStatement(authorization);
  const keys = members.map((member) => ({ kind: KeyKind.KEY_KIND_SECP256K1, key: member.pubKey.bytes }));
  const parts = members.map((member) => signStatement(statement, keyOf(member)));
  const by = (threshold: number, ...which: readonly number[]): AccountSignature =>
    joinSignatures(
      { threshold, keys },
      which.flatMap((i) => parts[i] ?? []),
    );
  expectRefused(at, relay(at.relayer, authorization, by(2, 1)), paymentErrors.invalidAuthorization);
  expectRefused(at, relay(at.relayer, authorization, by(1, 1)), paymentErrors.wrongSigner);
  const forged = {
    ...by(2, 0, 2),
    keys: by(2, 0, 2).keys.map((key, i) =>
      i === 2 ? { ...key, signature: by(2, 0, 1).keys[1]?.signature ?? key.signature } : key,
    ),
  };
  expectRefused(at, relay(at.relayer, authorization, forged), paymentErrors.wrongSignature);
  deliverOk(at.chain, at.relayer, relay(at.relayer, authorization, by(2, 0, 2)));
  expect(at.chain.balance(at.agent.address)).toBe(4000n);
});

function cancel(
  sender: TestAccount,
  authorization: TransferAuthorization,
  by?: TestAccount,
  validBefore = authorization.validBefore,
): ReturnType<typeof anyOf> {
  const { chainId, from, nonce } = authorization;
  const cancellation = { chainId, from, nonce, validBefore };
  const signature = by && signStatement(cancellationStatement(cancellation), keyOf(by));
  return anyOf(MsgCancelAuthorization, { sender: sender.address, cancellation, signature });
}

test('an authorisation is cancelled by its account, or by anybody with its signature, and not after it was used', () => {
  const at = scene();
  const { chain, relayer, agent, seller } = at;
  const first = good(at, { nonce: named('first') });
  expectRefused(at, cancel(relayer, first), paymentErrors.wrongSigner);
  expectRefused(at, cancel(relayer, first, relayer), paymentErrors.wrongSigner);
  expectRefused(at, cancel(relayer, { ...first, chainId: 'x' }, agent), paymentErrors.otherChain);
  expectRefused(at, cancel(relayer, first, agent, 1_700_000_000n), paymentErrors.authorizationExpired);
  const result = deliverOk(chain, relayer, cancel(relayer, first, agent));
  expect(result.events.filter(({ type }) => type === 'cancel_authorization').length).toBe(1);
  expectRefused(at, signedRelay(relayer, agent, first), paymentErrors.authorizationCancelled);
  expectRefused(at, cancel(relayer, first, agent), paymentErrors.authorizationCancelled);
  expect(stateOf(at, first.nonce).state).toBe(AuthorizationState.AUTHORIZATION_STATE_CANCELLED);
  const second = good(at, { nonce: named('second') });
  deliverOk(chain, relayer, signedRelay(relayer, agent, second));
  expectRefused(at, cancel(relayer, second, agent), paymentErrors.authorizationUsed);
  const own = authorizationOf(seller, relayer, { nonce: named('second') });
  deliverOk(chain, seller, cancel(seller, own));
  expectRefused(at, signedRelay(relayer, seller, own), paymentErrors.authorizationCancelled);
});

test('blocked recipients, disabled denominations, restrictions and locked coins are refused as MsgSend refuses them', () => {
  const agent = testAccount('agent');
  const [relayer, seller] = [testAccount('0'), testAccount('1')];
  const coins = ['uopen', 'uusd'].map((denom) => ({ denom, amount: '1000000' }));
  const send_enabled = [{ denom: 'uusd', enabled: false }];
  const balances = [relayer, seller, agent].map(({ address }) => ({ address, coins }));
  const bank = { params: { send_enabled: [], default_send_enabled: true }, send_enabled, balances };
  const restrict: SendRestriction = (_, { to, coins: sent }) => {
    if (sent.some(({ amount }) => amount === 666n)) throw new StateError(sdkErrors.conflict, 'restricted');
    return to;
  };
  const chain = new TestChain({ genesis: { sections: { bank } }, app: { sendRestrictions: [restrict] } });
  chain.block();
  const at = { chain, relayer, seller, agent };
  const pays = (to: string, amount: string, denom = 'uopen', from = agent) =>
    signedRelay(relayer, from, authorizationOf(from, { address: to }, { amount: { denom, amount } }));
  const module = chain.app.composition.addresses.toText(moduleAddress('payments'));
  expectRefused(at, pays(module, '1000'), sdkErrors.unauthorized);
  expectRefused(at, pays(seller.address, '1000', 'uusd'), bankErrors.sendDisabled);
  expectRefused(at, pays(seller.address, '666'), sdkErrors.conflict);
  const locked = testAccount('locked');
  const vesting = { fromAddress: seller.address, toAddress: locked.address, amount: [], endTime: 1n << 40n };
  const amount = [{ denom: 'uopen', amount: '900' }];
  deliverOk(chain, seller, anyOf(MsgCreateVestingAccount, { ...vesting, amount, delayed: true }));
  deliverOk(chain, seller, sendMessage(seller.address, locked.address, '100uopen'));
  expectRefused(at, pays(seller.address, '101', 'uopen', locked), sdkErrors.insufficientFunds);
  deliverOk(chain, relayer, pays(seller.address, '100', 'uopen', locked));
});

test('a nonce is forgotten in the block in which its authorisation expires', () => {
  const at = scene();
  const { chain, relayer, agent } = at;
  const validBefore = 1_700_000_000n + chain.height + 6n;
  const authorization = good(at, { validBefore });
  deliverOk(chain, relayer, signedRelay(relayer, agent, authorization));
  while (1_700_000_000n + chain.height < validBefore - 1n) chain.block();
  expect(stateOf(at, authorization.nonce).state).toBe(1);
  expectRefused(at, signedRelay(relayer, agent, authorization), paymentErrors.authorizationExpired);
  expect(stateOf(at, authorization.nonce)).toMatchObject({ state: 0, validBefore: 0n });
  expectRefused(at, signedRelay(relayer, agent, authorization), paymentErrors.authorizationExpired);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('what is cancelled never pays, though the cancellation names an earlier end than the authorisation', () => {
  const at = scene();
  const { chain, relayer, agent } = at;
  const authorization = good(at);
  deliverOk(chain, relayer, cancel(relayer, authorization, agent, 1_700_000_000n + chain.height + 5n));
  for (let i = 0; i < 8; i++) chain.block();
  expectRefused(at, signedRelay(relayer, agent, authorization), paymentErrors.authorizationCancelled);
  expectRefused(at, cancel(relayer, authorization, agent), paymentErrors.authorizationCancelled);
  expect(stateOf(at, authorization.nonce).state).toBe(AuthorizationState.AUTHORIZATION_STATE_CANCELLED);
  // One that begins in years may be taken back today.
  const later = good(at, { nonce: named('later'), validAfter: 1_900_000_000n, validBefore: 1_900_000_100n });
  deliverOk(chain, relayer, cancel(relayer, later, agent));
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('what is spent stays spent through an export', () => {
  // A restored chain goes on in 2027, when the authorisation is still good.
  const params = { tokens_max: '10', authorization_seconds_max: '200000000', hold_seconds_max: '9' };
  const sections = { payments: { params } };
  const at = { ...scene(), ...{ chain: new TestChain({ genesis: { sections } }) } };
  const { chain, relayer, seller } = at;
  const authorization = authorizationOf(seller, relayer, { validBefore: 1_850_000_000n });
  deliverOk(chain, relayer, signedRelay(relayer, seller, authorization));
  deliverOk(chain, relayer, cancel(relayer, { ...authorization, nonce: named('other') }, seller));
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const { payments } = chain.app.exportState().appState;
  expect(messageFromJson(GenesisState, new JsonReader(payments, '')).spentNonces.length).toBe(2);
  expect(restored.exportState().appState['payments']).toEqual(payments);
});

test('no order of relays and cancellations makes one nonce pay twice', () => {
  const at = scene();
  const { chain, relayer, agent, seller } = at;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 8 }), (steps) => {
      const run = named(`${chain.height}`);
      const spent = new Set<number>();
      for (const [which, isCancelled] of steps) {
        const nonce = run.map((byte, i) => (i === 0 ? byte ^ which : byte));
        const authorization = good(at, { nonce, amount: { denom: 'uopen', amount: '1' } });
        const before = chain.balance(seller.address);
        const message = isCancelled
          ? cancel(relayer, authorization, agent)
          : signedRelay(relayer, agent, authorization);
        const { code } = deliver(chain, relayer, message);
        expect(code === 0).toBe(!spent.has(which));
        expect(chain.balance(seller.address) - before).toBe(code === 0 && !isCancelled ? 1n : 0n);
        spent.add(which);
      }
    }),
    { numRuns: 25 },
  );
  expect(chain.app.brokenInvariants()).toEqual([]);
});
