import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import type { Event } from '../../framework/events.ts';
import type { JsonObject } from '../../framework/json.ts';
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgPayInference, MsgUpdateParams } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { QueryPoolRequest, QueryPoolResponse } from '../../proto/gen/openledger/pools/v1/query.ts';
import { MsgClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import * as wire from '../../proto/gen/openledger/payments/v1/query.ts';
import {
  contribute,
  createDatanet,
  deliver,
  deliverOk,
  documentText,
  type Loop,
  LOOP_GAS,
  payInference,
  paymentOf,
  playLoop,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { restoreChain, startFrom } from '../../test/support/restore.ts';
import { claimableOf, wealthOf } from '../../test/support/earnings.ts';
import { anyOf, TestChain } from '../../test/support/test-chain.ts';
import { attributionErrors } from '../attribution/errors.ts';
import { committedAnswer, openAnswer, provableContent, proveRange, proveSpan } from '../attribution/prove.ts';
import { paymentErrors } from './errors.ts';
import { DEFAULT_PARAMS } from './params.ts';

const SERVICE = '/openledger.payments.v1.Query';

/** Quotes 100 bytes of contribution 1 and 50 of contribution 2. */
function honestPayment({ payer, documents }: Loop): MsgPayInference {
  return payInference(payer, [
    { contributionId: 1n, document: documents[0], offset: 200, length: 100 },
    { contributionId: 2n, document: documents[1], offset: 10, length: 50 },
  ]);
}

function moduleBalance({ chain }: Loop, name: string): bigint {
  return chain.balance(chain.app.composition.addresses.toText(moduleAddress(name)));
}

/** What was transferred to a module's account, each time. */
function amountsTo({ chain }: Loop, events: readonly Event[], module: string): readonly string[] {
  const address = chain.app.composition.addresses.toText(moduleAddress(module));
  return events
    .filter(({ type }) => type === 'transfer')
    .map(({ attributes }) => new Map(attributes.map(({ key, value }) => [key, value])))
    .filter((pairs) => pairs.get('recipient') === address)
    .map((pairs) => pairs.get('amount') ?? '');
}

function explain({ chain }: Loop, receiptId: bigint): wire.QueryExplainResponse {
  const types = { request: wire.QueryExplainRequest, response: wire.QueryExplainResponse };
  return chain.query(`${SERVICE}/Explain`, types, { receiptId });
}

test('a payment reaches platform, model, stakers and the quoted contributors in one transaction, to the unit', () => {
  const loop = playLoop();
  const { chain, payer, seller, first, second } = loop;
  const before = [payer, seller, first, second].map(({ address }) => wealthOf(chain, address));
  const pool = moduleBalance(loop, 'distribution');
  const stakers = moduleBalance(loop, 'fee_collector');
  const result = deliverOk(chain, payer, paymentOf(honestPayment(loop)));
  // (20 × 100 + 77 × 300) / 1000 = 25.1, rounded up, + 1000.
  const after = [payer, seller, first, second].map(({ address }) => wealthOf(chain, address));
  const gained = after.map((balance, i) => balance - (before[i] ?? 0n));
  expect(gained).toEqual([-1026n - 5000n, 205n, 342n, 171n]);
  expect(moduleBalance(loop, 'distribution') - pool).toBe(103n);
  expect(moduleBalance(loop, 'fee_collector') - stakers).toBe(205n + 5000n);
  expect(result.events.filter(({ type }) => type === 'contributor_payout').length).toBe(2);
  // Model and contributors are paid by one transfer, into the pools.
  expect(amountsTo(loop, result.events, 'pools')).toEqual(['718uopen']);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('explain gives the claim, the policy and a sentence for each payout', () => {
  const loop = playLoop();
  const tx = loop.chain.sign(loop.payer, [paymentOf(honestPayment(loop))], { gas: LOOP_GAS });
  expect(loop.chain.deliver(tx).code).toBe(0);
  const { receipt, model, claim, reasons } = explain(loop, 1n);
  expect(toHex(receipt.txHash)).toBe(toHex(sha256(tx)));
  expect([receipt.split, model.id, claim?.totalWeight]).toEqual([
    { platform: '103', model: '205', stakers: '205', contributors: '513' },
    1n,
    150n * 720_720n,
  ]);
  expect(reasons.length).toBe(receipt.payouts.length);
  expect(reasons.join('\n')).toContain(
    'contribution 1 is quoted with weight 72072000 of 108108000 in claim 1',
  );
  const paid = loop.chain.query(
    `${SERVICE}/ReceiptsByContributor`,
    { request: wire.QueryReceiptsByContributorRequest, response: wire.QueryReceiptsByContributorResponse },
    { contributor: loop.second.address },
  );
  expect(paid.receipts.map(({ id }) => id)).toEqual([1n]);
});

/** Delivers a payment that must fail; says that its payer lost the transaction's fee and nothing else moved. */
function expectRefused(loop: Loop, message: MsgPayInference, kind: ErrorKind): string {
  const { chain, payer, first, second, seller } = loop;
  const others = [first, second, seller].map(({ address }) => chain.balance(address));
  const before = chain.balance(payer.address);
  const pool = moduleBalance(loop, 'distribution');
  const result = deliver(chain, payer, paymentOf(message));
  expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
  expect(chain.balance(payer.address)).toBe(before - 5000n);
  expect([first, second, seller].map(({ address }) => chain.balance(address))).toEqual(others);
  expect(moduleBalance(loop, 'distribution')).toBe(pool);
  return result.log;
}

test('every lie is refused under its own number, and costs the payer nothing but gas', () => {
  const loop = playLoop();
  const honest = honestPayment(loop);
  const { claim, answer } = honest;
  const [span] = claim.spans;
  if (span === undefined) throw new RangeError('no span');
  const forged = answer.content.slice();
  forged[20] = (forged[20] ?? 0) ^ 1;
  const falseDocument = provableContent(loop.documents[0].content.slice().fill(33, 205, 215));
  const falseAnswer = answer.content.slice().fill(33, 11 + 5, 11 + 15);
  const withSpan = (change: Partial<typeof span>) => ({
    ...honest,
    claim: { ...claim, spans: claim.spans.with(0, { ...span, ...change }) },
  });
  const log = expectRefused(
    loop,
    { ...honest, answer: openAnswer(forged) },
    attributionErrors['forged-span'],
  );
  expect(log).toContain('span 0: byte 20 of the answer is not byte 209 of contribution 1');
  expectRefused(
    loop,
    { ...withSpan({ sourceProof: proveRange(falseDocument, 200, 100) }), answer: openAnswer(falseAnswer) },
    attributionErrors['wrong-root'],
  );
  expectRefused(loop, withSpan({ contributionId: 99n }), attributionErrors['unknown-contribution']);
  expectRefused(loop, withSpan({ sourceOffset: 999n }), attributionErrors['span-outside-contribution']);
  expectRefused(loop, { ...honest, maxFee: { denom: 'uopen', amount: '1025' } }, paymentErrors.feeAboveMax);
  expectRefused(loop, { ...honest, maxFee: { denom: 'uusd', amount: '1025' } }, paymentErrors.wrongDenom);
  expectRefused(loop, { ...honest, modelId: 9n }, paymentErrors.unknownModel);
  expectRefused(loop, { ...honest, tokensIn: 1n << 60n }, paymentErrors.tooManyTokens);
  expectRefused(loop, { ...honest, requestHash: new Uint8Array(31) }, paymentErrors.invalidPayment);
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
});

test('a request is paid once', () => {
  const loop = playLoop();
  deliverOk(loop.chain, loop.payer, paymentOf(honestPayment(loop)));
  const log = expectRefused(loop, honestPayment(loop), paymentErrors.requestPaid);
  expect(log).toContain('receipt 1 has this request_hash');
});

test('a contribution that came after the snapshot is not paid', () => {
  const loop = playLoop();
  const { chain, second, payer } = loop;
  const late = provableContent(documentText('madison'));
  deliverOk(chain, second, contribute(second, late));
  const quote = { contributionId: 3n, document: late, offset: 0, length: 100 };
  expectRefused(loop, payInference(payer, [quote]), attributionErrors['contribution-not-in-snapshot']);
});

test('an answer that stays private is given by its root, and its spans are opened', () => {
  const loop = playLoop();
  const text = provableContent(
    utf8(`private: ${new TextDecoder().decode(loop.documents[0].content.subarray(0, 400))}`),
  );
  const quotation = {
    contributionId: 1n,
    source: loop.documents[0],
    answerOffset: 9,
    sourceOffset: 0,
    length: 400,
  };
  const claim = Claim.create({ spans: [proveSpan({ ...quotation, committedAnswer: text })] });
  const message = payInference(loop.payer, [], { answer: committedAnswer(text), claim });
  deliverOk(loop.chain, loop.payer, paymentOf(message));
  expect(toHex(explain(loop, 1n).claim?.answerRoot ?? new Uint8Array(0))).toBe(toHex(text.commitment.root));
});

test('what an answer without quotation leaves for contributors waits in the pool of the datanet, and whoever contributed claims it', () => {
  const loop = playLoop();
  deliverOk(loop.chain, loop.payer, paymentOf(payInference(loop.payer, [])));
  expect([moduleBalance(loop, 'payments'), moduleBalance(loop, 'pools')]).toEqual([0n, 513n + 205n]);
  const types = { request: QueryPoolRequest, response: QueryPoolResponse };
  const { totals } = loop.chain.query('/openledger.pools.v1.Query/Pool', types, { kind: 1, subject: 1n });
  expect(totals.map(({ denom, totals: { paid } }) => [denom, paid])).toEqual([['uopen', '513']]);
  const { receipt, reasons } = explain(loop, 1n);
  const pools = loop.chain.app.composition.addresses.toText(moduleAddress('pools'));
  expect(receipt.payouts.at(-1)).toMatchObject({
    recipient: pools,
    datanetId: 1n,
    positions: 2n,
    amount: '513',
  });
  expect(reasons.at(-1)).toContain(
    ': the first 2 positions of datanet 1, a snapshot of the model, because the answer quotes nothing',
  );
  const { first, second, chain } = loop;
  // 513 by bytes, 1000 and 700: 301.76 and 211.24.
  const gains = [first, second].map((contributor, slot) => {
    const before = chain.balance(contributor.address);
    const pool = { kind: 1, subject: 1n };
    deliverOk(
      chain,
      contributor,
      anyOf(MsgClaim, { owner: contributor.address, pools: [{ pool, slots: [BigInt(slot)] }] }),
    );
    return chain.balance(contributor.address) - before + 5000n;
  });
  expect(gains).toEqual([301n, 211n]);
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
});

test('what a pool has nobody for goes to the residual party, and the receipt says so', () => {
  const loop = playLoop(new TestChain({ accounts: 6 }));
  const { chain, payer } = loop;
  const platform = moduleBalance(loop, 'distribution');
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  // The contributions weigh from the end of their epoch on.
  expect(moduleBalance(loop, 'distribution') - platform).toBe(103n + 513n);
  const { receipt, reasons } = explain(loop, 1n);
  const account = chain.app.composition.addresses.toText(moduleAddress('distribution'));
  expect(receipt.payouts.at(-1)).toMatchObject({
    recipient: account,
    datanetId: 1n,
    positions: 2n,
    amount: '513',
  });
  expect(reasons.at(-1)).toContain('instead of the contributors, of whom none had a weight');
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('ancestors take their royalty of the model part', () => {
  const loop = playLoop();
  const { chain, owner, seller, payer } = loop;
  const author = chain.account(5);
  deliverOk(chain, author, registerModel(author, { royaltyBps: 1000 }));
  deliverOk(chain, owner, registerModel(owner, { parentIds: [2n] }));
  const before = [owner, author].map(({ address }) => wealthOf(chain, address));
  deliverOk(chain, payer, paymentOf({ ...payInference(payer, []), modelId: 3n }));
  const after = [owner, author].map(({ address }) => wealthOf(chain, address));
  // A tenth of 205, and the rest; half a unit of each stays with its slot.
  expect(after.map((balance, i) => balance - (before[i] ?? 0n))).toEqual([184n, 20n]);
  expect(wealthOf(chain, seller.address)).toBe(1_000_000_000n - 5000n);
  const { receipt, reasons } = explain(loop, 1n);
  const parts = receipt.payouts.filter(({ party }) => party === Party.PARTY_MODEL);
  expect(parts).toMatchObject([{ modelId: 3n, amount: '205' }]);
  expect(reasons[1]).toContain(
    'pool of model 3, the model part, 2000 of 10000 of the fee of 1026; of it its owner 9000 of 10000, model 2 1000',
  );
  // 369 and 41 but for what did not divide in units of 2^-64: the root has that until the next payment.
  const again = payInference(payer, [], { modelId: 3n, requestHash: sha256(utf8('again')) });
  deliverOk(chain, payer, paymentOf(again));
  expect([owner, author].map(({ address }) => claimableOf(chain, address))).toEqual([368n, 40n]);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('a model without snapshots leaves the contributors’ part to the residual party', () => {
  const loop = playLoop();
  const { chain, seller, payer } = loop;
  deliverOk(chain, seller, registerModel(seller, { snapshotIds: [], attributionMethod: 0 }));
  const pool = moduleBalance(loop, 'distribution');
  deliverOk(chain, payer, paymentOf({ ...payInference(payer, []), modelId: 2n }));
  expect(moduleBalance(loop, 'distribution') - pool).toBe(103n + 513n);
});

test('random payments keep every invariant, and the totals add up', () => {
  const loop = playLoop();
  const { chain, payer, documents } = loop;
  let nonce = 0;
  const quote = fc.record({
    which: fc.boolean(),
    offset: fc.nat(500),
    length: fc.integer({ min: 16, max: 200 }),
  });
  fc.assert(
    fc.property(
      fc.array(quote, { maxLength: 4 }),
      fc.nat(5000),
      fc.integer({ min: 1, max: 5000 }),
      (quotes, tokensIn, tokensOut) => {
        const message = payInference(
          payer,
          quotes.map(({ which, offset, length }) => ({
            contributionId: which ? 1n : 2n,
            document: which ? documents[0] : documents[1],
            offset,
            length,
          })),
          {
            requestHash: sha256(utf8(`request ${nonce++}`)),
            tokensIn: BigInt(tokensIn),
            tokensOut: BigInt(tokensOut),
          },
        );
        deliverOk(chain, payer, paymentOf(message));
      },
    ),
    { numRuns: 60 },
  );
  expect(chain.app.brokenInvariants()).toEqual([]);
  const { totals } = chain.query(
    `${SERVICE}/Totals`,
    { request: wire.QueryTotalsRequest, response: wire.QueryTotalsResponse },
    {},
  );
  const [row] = totals;
  if (row === undefined) throw new RangeError('no totals');
  const { platform, model, stakers, contributors } = row.split;
  expect(BigInt(platform) + BigInt(model) + BigInt(stakers) + BigInt(contributors)).toBe(BigInt(row.fee));
});

test('an encoded payment reads back, so that what was signed is what is paid', () => {
  const message = honestPayment(playLoop());
  expect(anyOf(MsgPayInference, MsgPayInference.decode(MsgPayInference.encode(message)))).toEqual(
    paymentOf(message),
  );
});

test('the state that is exported is the state that its genesis restores, and every invariant holds of it', () => {
  const loop = playLoop();
  const { chain, owner, second, payer, documents } = loop;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'copies', admission: 2 }));
  const list = { owner: owner.address, datanetId: 2n, add: [second.address], remove: [] };
  deliverOk(chain, owner, anyOf(MsgUpdateAllowList, list));
  deliverOk(chain, second, contribute(second, documents[0], { datanetId: 2n }));
  deliverOk(chain, owner, registerModel(owner, { parentIds: [1n] }));
  deliverOk(chain, payer, paymentOf(honestPayment(loop)));
  deliverOk(chain, payer, paymentOf(payInference(payer, [], { requestHash: sha256(utf8('other')) })));
  const restored = restoreChain(chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const { bank, datanet, models, attribution, payments, pools } = chain.app.exportState().appState;
  const exported = { bank, datanet, models, attribution, payments, pools };
  expect(restored.exportState().appState).toMatchObject(exported);
});

test('a genesis with two receipts of one payer for one request is refused, and where is said', () => {
  const loop = playLoop();
  const { chain, payer } = loop;
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  deliverOk(chain, payer, paymentOf(payInference(payer, [], { requestHash: sha256(utf8('other')) })));
  const exported = chain.app.exportState();
  const payments = exported.appState['payments'] as JsonObject & {
    readonly receipts: readonly JsonObject[];
  };
  const [first = {}, second = {}] = payments.receipts;
  const receipts = [first, { ...second, request_hash: first['request_hash'] ?? '' }];
  const appState = { ...exported.appState, payments: { ...payments, receipts } };
  expect(() => startFrom(chain, { ...exported, appState })).toThrow(
    /receipts\[1\]\.request_hash.*has a receipt for it already/,
  );
});

test('parameters are the governance account’s to change', () => {
  const { chain, owner } = playLoop();
  const { addresses } = chain.app.composition;
  const message = { authority: owner.address, params: { ...DEFAULT_PARAMS, tokensMax: 5n } };
  expect(deliver(chain, owner, anyOf(MsgUpdateParams, message)).log).toContain('invalid authority');
  const gov = { ...message, authority: addresses.toText(moduleAddress('gov')) };
  expect(deliver(chain, owner, anyOf(MsgUpdateParams, gov)).code).not.toBe(0);
});
