/** Payments besides MsgPayInference: authorised off the chain, held until they are captured, given back. */
import {
  cancellationStatement,
  inferenceStatement,
  joinSignatures,
  signStatement,
  transferStatement,
} from '../../../client/authorizations.ts';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Statement } from '../../../framework/tx/statement.ts';
import { type AccountSignature, KeyKind } from '../../../proto/gen/openledger/payments/v1/authorization.ts';
import type { Hold, Receipt } from '../../../proto/gen/openledger/payments/v1/payments.ts';
import * as query from '../../../proto/gen/openledger/payments/v1/query.ts';
import * as wire from '../../../proto/gen/openledger/payments/v1/tx.ts';
import { keyOf } from '../../support/authorizations.ts';
import { payInference } from '../../support/economic-loop.ts';
import type { Actor } from '../actors.ts';
import { CHAIN_ID } from '../genesis.ts';
import {
  actorAt,
  anyone,
  coin,
  type Draft,
  type Operation,
  operation,
  packed,
  someOf,
  type World,
} from '../world.ts';
import { asked } from './attribution.ts';
import { someQuotes } from './native.ts';

/** Seconds between two blocks, about. */
const STEP_SECONDS = 4n;
const NONCES = 300;

/** Seldom the signature of somebody else. */
function signed(world: World, statement: Statement, holder: Actor): AccountSignature {
  const { keys, threshold } = world.random.oneIn(20) ? anyone(world) : holder;
  if (threshold === 0) {
    const [only] = keys;
    if (only === undefined) throw new RangeError('an account without a key');
    return signStatement(statement, keyOf(only));
  }
  const members = keys.map(({ pubKey }) => ({ kind: KeyKind.KEY_KIND_SECP256K1, key: pubKey.bytes }));
  const parts = keys.slice(0, threshold).map((key) => signStatement(statement, keyOf(key)));
  return joinSignatures({ threshold, keys: members }, parts);
}

/** A window around now, mostly; some are over, some not yet open. */
function aWindow({ random, time }: World): { readonly validAfter: bigint; readonly validBefore: bigint } {
  const before = BigInt(random.between(random.oneIn(12) ? -20 : 10, 200));
  const after = BigInt(random.between(random.oneIn(12) ? -20 : 0, 60));
  return { validAfter: time.seconds - after, validBefore: time.seconds + before };
}

function aHash({ random }: World, name: string, most: number): Uint8Array {
  return sha256(utf8(`${name} ${random.below(most)}`));
}

function aChain({ random }: World): string {
  return random.oneIn(30) ? 'another-1' : CHAIN_ID;
}

function aTransfer(world: World, relayer: Actor): wire.MsgTransferWithAuthorization {
  const from = anyone(world);
  const authorization = {
    chainId: aChain(world),
    from: from.address,
    to: anyone(world).address,
    amount: coin(someOf(world, from) / 4n + 1n),
    nonce: aHash(world, 'nonce', NONCES),
    resourceHash: aHash(world, 'resource', NONCES),
    ...aWindow(world),
  };
  const signature = signed(world, transferStatement(authorization), from);
  return { relayer: relayer.address, authorization, signature };
}

function aCancellation(world: World, sender: Actor): wire.MsgCancelAuthorization {
  const isOwn = world.random.oneIn(2);
  const from = isOwn ? sender : anyone(world);
  const { validBefore } = aWindow(world);
  const nonce = aHash(world, 'nonce', NONCES);
  const cancellation = { chainId: aChain(world), from: from.address, nonce, validBefore };
  const signature = isOwn ? undefined : signed(world, cancellationStatement(cancellation), from);
  return { sender: sender.address, cancellation, signature };
}

type Usage = Pick<wire.MsgPayInference, 'tokensIn' | 'tokensOut' | 'answer' | 'claim' | 'claimId'>;

/** What an answer of a model took and quotes. */
function aUsage(world: World, payer: { readonly address: string }, snapshotIds: readonly bigint[]): Usage {
  const { random } = world;
  const { answer, claim } = payInference(payer, someQuotes(world, snapshotIds));
  const [tokensIn, tokensOut] = [random.between(0, 3000), random.between(0, 3000)].map(BigInt);
  return { answer, claim, tokensIn: tokensIn ?? 0n, tokensOut: tokensOut ?? 0n, claimId: 0n };
}

function anInference(world: World, payee: Actor): wire.MsgPayInferenceWithAuthorization | undefined {
  const { random, memory } = world;
  const model = random.some(memory.models);
  if (model === undefined) return undefined;
  const from = anyone(world);
  const { snapshotIds, price } = model.message;
  const authorization = {
    chainId: aChain(world),
    from: from.address,
    payee: random.oneIn(15) ? anyone(world).address : payee.address,
    modelId: model.id,
    requestHash: aHash(world, 'request', 100_000),
    maxFee: coin(random.oneIn(8) ? random.amount(2000n) : 100_000n, price.denom),
    ...aWindow(world),
  };
  const signature = signed(world, inferenceStatement(authorization), from);
  return { payee: payee.address, authorization, signature, ...aUsage(world, from, snapshotIds) };
}

/** Long enough to be captured, or so short that the hold expires soon; seldom over. */
function aTerm({ random }: World): bigint {
  if (random.oneIn(20)) return -1n;
  return BigInt(random.oneIn(3) ? random.between(60, 300) : random.between(2, 10));
}

function aHold(world: World, payer: Actor): wire.MsgHoldPayment | undefined {
  const { random, memory } = world;
  const model = random.some(memory.models);
  if (model === undefined) return undefined;
  const amount = random.oneIn(8) ? random.amount(2000n) + 1n : BigInt(random.between(15_000, 25_000));
  return {
    payer: payer.address,
    payee: random.oneIn(2) ? anyone(world).address : '',
    modelId: model.id,
    requestHash: aHash(world, 'request', 100_000),
    amount: coin(amount, model.message.price.denom),
    expires: world.time.seconds + aTerm(world),
  };
}

/** Holds that there are. */
function openHolds(world: World): readonly Hold[] {
  const types = { request: query.QueryHoldRequest, response: query.QueryHoldResponse };
  return world.memory.holdIds.flatMap((holdId) => {
    const found = asked(world, '/openledger.payments.v1.Query/Hold', types, { holdId });
    return found === undefined ? [] : [found.hold];
  });
}

/** Something that the payee of a hold does; seldom somebody else. */
function byPayee<M>(world: World, make: (hold: Hold, payee: Actor) => M): readonly [Actor, M] | undefined {
  const hold = world.random.some(openHolds(world));
  const payee = hold && actorAt(world, hold.payee);
  if (hold === undefined || payee === undefined) return undefined;
  const sender = world.random.oneIn(15) ? anyone(world) : payee;
  return [sender, make(hold, sender)];
}

function aCapture(world: World): readonly [Actor, wire.MsgCaptureHold] | undefined {
  return byPayee(world, ({ id: holdId, payer, modelId }, { address: payee }) => {
    const model = world.memory.models.find(({ id }) => id === modelId);
    return { payee, holdId, ...aUsage(world, { address: payer }, model?.message.snapshotIds ?? []) };
  });
}

/** A hold that the next block may find expired, and not returned yet. */
function aReclaim(world: World, sender: Actor): wire.MsgReclaimHold | undefined {
  const { random, time } = world;
  const holds = openHolds(world);
  const due = holds.filter(({ expires }) => expires <= time.seconds + STEP_SECONDS);
  const hold = random.some(random.oneIn(60) ? holds : due);
  return hold && { sender: sender.address, holdId: hold.id };
}

/** Somebody gives this hold back, if it is there; too early, perhaps. */
export function aReclaimOf(world: World, holdId: bigint): Draft | undefined {
  if (!openHolds(world).some(({ id }) => id === holdId)) return undefined;
  const sender = anyone(world);
  return { signers: [sender], messages: [packed(wire.MsgReclaimHold, { sender: sender.address, holdId })] };
}

/** A receipt, and the owner of its model. */
function aRefund(world: World): readonly [Actor, wire.MsgRefundPayment] | undefined {
  const { random, memory } = world;
  const receiptId = random.some(memory.receiptIds);
  if (receiptId === undefined) return undefined;
  const types = { request: query.QueryReceiptRequest, response: query.QueryReceiptResponse };
  const found = asked(world, '/openledger.payments.v1.Query/Receipt', types, { receiptId });
  if (found === undefined) return undefined;
  const receipt: Receipt = found.receipt;
  const owner = memory.models.find(({ id }) => id === receipt.modelId)?.message.owner ?? '';
  const payee = receipt.payee === '' || random.oneIn(2) ? owner : receipt.payee;
  const sender = random.oneIn(15) ? anyone(world) : actorAt(world, payee);
  if (sender === undefined) return undefined;
  const amount = coin(random.amount(BigInt(receipt.fee.amount)) + 1n, receipt.fee.denom);
  return [sender, { sender: sender.address, receiptId, amount }];
}

/** An operation whose message decides who signs. */
function signedBy<M>(
  type: Parameters<typeof operation<M>>[0],
  weight: number,
  make: (world: World) => readonly [Actor, M] | undefined,
): Operation {
  return {
    name: type.name,
    weight,
    draft(world) {
      const [signer, value] = make(world) ?? [];
      if (signer === undefined || value === undefined) return undefined;
      return { signers: [signer], messages: [{ typeUrl: type.typeUrl, value: type.encode(value) }] };
    },
  };
}

/** See the file comment. */
export const directOperations: readonly Operation[] = [
  operation(wire.MsgTransferWithAuthorization, 8, aTransfer),
  operation(wire.MsgPayInferenceWithAuthorization, 8, anInference),
  operation(wire.MsgCancelAuthorization, 4, aCancellation),
  operation(wire.MsgHoldPayment, 30, aHold),
  signedBy(wire.MsgCaptureHold, 20, aCapture),
  signedBy(wire.MsgVoidHold, 10, (world) =>
    byPayee(world, ({ id: holdId }, { address: payee }) => ({ payee, holdId })),
  ),
  operation(wire.MsgReclaimHold, 200, aReclaim),
  signedBy(wire.MsgRefundPayment, 5, aRefund),
];
