import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { sdkErrors } from '../../framework/errors.ts';
import { MsgClaim, MsgSetAutoClaim } from '../../proto/gen/openledger/pools/v1/tx.ts';
import type { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  contribute,
  createDatanet,
  deliver,
  documentText,
  payInference,
  paymentOf,
  playLoop,
  publishSnapshot,
  registerModel,
} from '../../test/support/economic-loop.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { provableContent } from '../attribution/prove.ts';

test('no bytes in a message of ours make the state machine fail in another way than by refusing', () => {
  const loop = playLoop();
  const { chain, owner, seller, payer, first, documents } = loop;
  const row = { pool: { kind: 1, subject: 1n }, slots: [0n] };
  const minimum = { denom: 'uopen', amount: '10' };
  const quote = { contributionId: 1n, document: documents[0], offset: 100, length: 200 };
  const messages = [
    createDatanet(owner, { slug: 'other' }),
    contribute(payer, provableContent(documentText('madison'))),
    publishSnapshot(owner),
    registerModel(seller, { parentIds: [1n] }),
    paymentOf(payInference(payer, [quote])),
    anyOf(MsgClaim, { owner: first.address, pools: [row] }),
    anyOf(MsgSetAutoClaim, { owner: first.address, pools: [row], minimum, intervalBlocks: 100, times: 2 }),
  ];
  const signers = [owner, payer, owner, seller, payer, first, first];
  const hits = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.nat(6),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (which, edits) => {
        const [message, signer] = [messages[which], signers[which]];
        if (message === undefined || signer === undefined) throw new RangeError('no message');
        const value = message.value.slice();
        // The signer's address comes first; changed, the transaction is refused before the message is looked at.
        const keep = 2 + signer.address.length;
        for (const [at, byte] of edits) value[keep + (at % (value.length - keep))] = byte;
        const { code, codespace } = deliver(chain, signer, { ...message, value });
        hits.set(`${codespace} ${code}`, (hits.get(`${codespace} ${code}`) ?? 0) + 1);
        expect(code).not.toBe(sdkErrors.panic.code);
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
  expect(chain.app.brokenInvariants()).toEqual([]);
  expect(hits.size).toBeGreaterThan(5);
});

test('a payment without enough gas pays its gas, and nobody', () => {
  const { chain, payer, first, documents } = playLoop();
  const quote = { contributionId: 1n, document: documents[0], offset: 100, length: 200 };
  const tx = chain.sign(payer, [paymentOf(payInference(payer, [quote]))], { gas: 60_000n });
  const before = [payer, first].map(({ address }) => chain.balance(address));
  const { code, codespace } = chain.deliver(tx);
  expect([codespace, code]).toEqual(['sdk', sdkErrors.outOfGas.code]);
  expect([payer, first].map(({ address }) => chain.balance(address))).toEqual([
    (before[0] ?? 0n) - 5000n,
    before[1],
  ]);
});

test('a payer who has too little pays gas only', () => {
  const { chain, payer, seller, documents } = playLoop();
  deliver(
    chain,
    seller,
    registerModel(seller, {
      price: { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '99999999999' },
    }),
  );
  const quote = { contributionId: 1n, document: documents[0], offset: 100, length: 200 };
  const maxFee = { denom: 'uopen', amount: '99999999999' };
  const { code, codespace } = deliver(
    chain,
    payer,
    paymentOf(payInference(payer, [quote], { modelId: 2n, maxFee })),
  );
  expect([codespace, code]).toEqual(['sdk', sdkErrors.insufficientFunds.code]);
  expect(chain.balance(payer.address)).toBe(1_000_000_000n - 5000n);
});

test('a free model is paid nothing, exactly', () => {
  const { chain, payer, seller } = playLoop();
  deliver(
    chain,
    seller,
    registerModel(seller, { price: { denom: 'uopen', inPer1000: '0', outPer1000: '0', perCall: '0' } }),
  );
  const message: MsgPayInference = payInference(payer, [], {
    modelId: 2n,
    requestHash: sha256(utf8('free')),
  });
  expect(deliver(chain, payer, paymentOf(message)).code).toBe(0);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('a query for what is not there says so, and one for what cannot be says why', () => {
  const { chain } = playLoop();
  const ask = (path: string, data: Uint8Array): string => chain.rawQuery(path, data).log;
  const nine = Uint8Array.of(8, 9);
  for (const [path, what] of [
    ['/openledger.payments.v1.Query/Receipt', 'receipt 9'],
    ['/openledger.payments.v1.Query/Explain', 'receipt 9'],
    ['/openledger.models.v1.Query/Model', 'model 9'],
    ['/openledger.attribution.v1.Query/Claim', 'claim 9'],
    ['/openledger.datanet.v1.Query/Datanet', 'datanet 9'],
    ['/openledger.datanet.v1.Query/Contribution', 'contribution 9'],
    ['/openledger.datanet.v1.Query/Snapshot', 'snapshot 9'],
  ] as const)
    expect(ask(path, nine)).toContain(`there is no ${what}`);
  const noAddress = Uint8Array.of(10, 2, 120, 120);
  expect(ask('/openledger.payments.v1.Query/ReceiptsByPayer', noAddress)).toContain("'xx' is not an address");
  expect(ask('/openledger.models.v1.Query/ModelsByOwner', Uint8Array.of(10, 200))).toContain('decode');
});
