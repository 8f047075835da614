import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { ChannelWorld } from '../../test/support/channel-world.ts';
import { accountSigner, consentOf, sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { anyOf, type TestAccount } from '../../test/support/test-chain.ts';
import { channelErrors } from './errors.ts';

const { CLAIM_OUTCOME_PAID: PAID } = wire.ClaimOutcome;
const { CLAIM_OUTCOME_KEY_RETIRED: RETIRED } = wire.ClaimOutcome;

test('vouchers of a key that was rotated are good for the delay, in time and in blocks; rotations do not overlap', () => {
  const world = new ChannelWorld();
  const { payer, receiver } = world;
  const id = world.open(world.config());
  const next = sessionSigner('next');
  const rotation = (signer = next): Any =>
    anyOf(wire.MsgRotateKey, { payer: payer.address, channelId: id, payerAuthorizer: signer.key });
  world.refused(
    receiver,
    anyOf(wire.MsgRotateKey, { payer: receiver.address, channelId: id, payerAuthorizer: next.key }),
    channelErrors.notAParty,
  );
  world.sendOk(payer, rotation());
  const old = (cumulative: bigint): wire.ClaimRow => world.row(voucherFor(id, { cumulative }));
  const young = voucherFor(id, { keyVersion: 1, cumulative: 200n });
  world.refused(receiver, world.claimOf(world.row(young)), channelErrors.wrongSignature);
  world.refused(
    receiver,
    world.claimOf(world.row(voucherFor(id), { signer: next })),
    channelErrors.wrongSignature,
  );
  expect(world.claim(old(100n), world.row(young, { signer: next }))).toEqual([
    [PAID, '100'],
    [PAID, '100'],
  ]);
  world.refused(payer, rotation(sessionSigner('third')), channelErrors.rotationUnderWay);
  world.chain.skip(1000);
  expect(world.claim(old(210n))).toEqual([[PAID, '10']]);
  for (let i = 0; i < 100; i++) world.chain.block();
  expect(world.claim(old(220n))).toEqual([[RETIRED, '0']]);
  world.sendOk(payer, rotation(sessionSigner('third')));
  expect(world.claim(old(220n), world.row({ ...young, cumulative: 230n }, { signer: next }))).toEqual([
    [RETIRED, '0'],
    [PAID, '20'],
  ]);
});

test('a withdrawal takes its delay in time and in blocks, and takes no deposits and no keys', () => {
  const world = new ChannelWorld();
  const { chain, payer, other } = world;
  const id = world.open(world.config());
  const initiate = world.payerMessage('initiate', id);
  const finalize = world.payerMessage('finalize', id);
  world.refused(payer, finalize, channelErrors.withdrawalNotDue);
  const theirs = anyOf(wire.MsgInitiateWithdrawal, { payer: other.address, channelId: id });
  world.refused(other, theirs, channelErrors.notAParty);
  world.sendOk(payer, initiate);
  world.refused(payer, initiate, channelErrors.beingWithdrawn);
  const topUp = { sender: payer.address, channelId: id, amount: { denom: 'uopen', amount: '5' } };
  world.refused(payer, anyOf(wire.MsgTopUpChannel, topUp), channelErrors.beingWithdrawn);
  const rotation = { payer: payer.address, channelId: id, payerAuthorizer: sessionSigner('next').key };
  world.refused(payer, anyOf(wire.MsgRotateKey, rotation), channelErrors.beingWithdrawn);
  chain.skip(900);
  world.refused(payer, finalize, channelErrors.withdrawalNotDue);
  for (let i = 0; i < 100; i++) chain.block();
  world.refused(
    other,
    anyOf(wire.MsgFinalizeWithdrawal, { payer: other.address, channelId: id }),
    channelErrors.notAParty,
  );
  world.sendOk(payer, finalize);
  world.refused(payer, finalize, channelErrors.unknownChannel);
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  world.sendOk(payer, world.payerMessage('initiate', second));
  for (let i = 0; i < 120; i++) chain.block();
  world.refused(payer, world.payerMessage('finalize', second), channelErrors.withdrawalNotDue);
});

test('both parties close at once by what they agree on; the receiver alone may give up the rest', () => {
  const world = new ChannelWorld();
  const { chain, payer, receiver, other } = world;
  const id = world.open(world.config());
  world.claim(world.row(voucherFor(id)));
  const closeBefore = chain.time + 600n;
  const agreement = { channelId: id, keyVersion: 0, total: 140n, closeBefore };
  const consents = {
    payer: consentOf(agreement, world.session),
    receiver: consentOf(agreement, accountSigner(receiver)),
  };
  const close = (sender: TestAccount, change: Partial<wire.MsgCloseChannel> = {}): Any =>
    anyOf(wire.MsgCloseChannel, {
      sender: sender.address,
      channelId: id,
      total: '140',
      closeBefore,
      consent: sender === payer ? consents.receiver : consents.payer,
      ...change,
    });
  const { notAParty, invalidAgreement, wrongSignature, invalidVoucher } = channelErrors;
  world.refused(other, close(other), notAParty);
  world.refused(payer, close(payer, { consent: undefined }), invalidAgreement);
  world.refused(payer, close(payer, { consent: undefined, total: '100' }), invalidAgreement);
  world.refused(receiver, close(receiver, { consent: undefined }), invalidAgreement);
  world.refused(payer, close(payer, { total: '99' }), invalidAgreement);
  world.refused(payer, close(payer, { total: '1001' }), invalidAgreement);
  world.refused(payer, close(payer, { total: '139' }), wrongSignature);
  world.refused(payer, close(payer, { closeBefore: closeBefore + 1n }), wrongSignature);
  world.refused(payer, close(payer, { consent: consents.payer }), wrongSignature);
  world.refused(receiver, close(receiver, { consent: consents.receiver }), wrongSignature);
  world.refused(payer, close(payer, { consent: { ...consents.receiver, form: 3 } }), invalidVoucher);
  chain.skip(600);
  world.refused(payer, close(payer), invalidAgreement);
  const late = { ...agreement, closeBefore: chain.time + 60n };
  const [had, got] = [chain.balance(payer.address), chain.balance(receiver.address)];
  const consent = consentOf(late, accountSigner(receiver));
  world.sendOk(payer, close(payer, { closeBefore: late.closeBefore, consent }));
  expect([chain.balance(payer.address) - had, chain.balance(receiver.address) - got]).toEqual([860n, 40n]);
  const second = world.open(world.config({ salt: sha256(utf8('second')) }));
  world.sendOk(
    receiver,
    close(receiver, { channelId: second, total: '0', closeBefore: chain.time + 9n, consent: undefined }),
  );
  expect(chain.balance(payer.address) - had).toBe(860n);
  expect(world.held()).toBe(0n);
  world.sound();
});
