/**
 * Random economics: Datanets, contributions, snapshots, models and payments, honest and not, on two
 * executions of the same blocks. Equal app hashes and results, every invariant, no coin more or less.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { provableContent } from '../../modules/attribution/verify.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  contribute,
  createDatanet,
  documentText,
  LOOP_GAS,
  payInference,
  paymentOf,
  publishSnapshot,
  registerModel,
} from '../support/economic-loop.ts';
import { type TestAccount, TestChain } from '../support/test-chain.ts';

const ACCOUNTS = 5;
const BLOCKS = 200;
const COINS = '2000000uopen';

/** What someone does; ids may or may not exist when it happens. */
interface Plan {
  readonly actor: number;
  readonly what: 'datanet' | 'contribute' | 'snapshot' | 'model' | 'pay';
  readonly id: bigint;
  readonly document: number;
  readonly parents: readonly bigint[];
  readonly offset: number;
  readonly length: number;
  readonly lie: 'none' | 'answer' | 'proof' | 'offset' | 'denom';
}

const id = fc.bigInt({ min: 1n, max: 5n });
const plan: fc.Arbitrary<Plan> = fc.record({
  actor: fc.nat(ACCOUNTS - 1),
  what: fc.constantFrom('datanet', 'contribute', 'contribute', 'snapshot', 'model', 'pay', 'pay', 'pay'),
  id,
  document: fc.nat(9),
  parents: fc.uniqueArray(id, { maxLength: 2 }),
  offset: fc.nat(700),
  length: fc.integer({ min: 10, max: 300 }),
  lie: fc.constantFrom('none', 'none', 'none', 'none', 'answer', 'proof', 'offset', 'denom'),
});
const blocks = fc.array(fc.array(plan, { minLength: 1, maxLength: 3 }), {
  minLength: BLOCKS,
  maxLength: BLOCKS,
  size: 'max',
});

const QUIET: Omit<Plan, 'what'> = {
  actor: 0,
  id: 1n,
  document: 0,
  parents: [],
  offset: 0,
  length: 50,
  lie: 'none',
};

/** So that random payments have something to quote: contribution i + 1 of Datanet 1 is document i. */
const OPENING: readonly (readonly Plan[])[] = [
  [{ ...QUIET, what: 'datanet' }],
  ...Array.from({ length: 6 }, (_, document): readonly Plan[] => [
    { ...QUIET, what: 'contribute', actor: document % ACCOUNTS, document },
  ]),
  [{ ...QUIET, what: 'snapshot' }],
  [{ ...QUIET, what: 'model', actor: 1 }],
];

const documents = Array.from({ length: 10 }, (_, i) => provableContent(documentText(`speaker ${i}`, 800)));

function messageOf(actor: TestAccount, planned: Plan, nonce: number): Any {
  switch (planned.what) {
    case 'datanet':
      return createDatanet(actor, { slug: `net-${planned.document}` });
    case 'contribute':
      return contribute(actor, documentAt(planned), { datanetId: planned.id });
    case 'snapshot':
      return publishSnapshot(actor, planned.id);
    case 'model': {
      const price = { denom: 'uopen', inPer1000: '7', outPer1000: `${planned.length}`, perCall: '13' };
      const { parents: parentIds, offset: royaltyBps } = planned;
      return registerModel(actor, { snapshotIds: [planned.id], parentIds, royaltyBps, price });
    }
    case 'pay':
      return payment(actor, planned, nonce);
  }
}

function payment(actor: TestAccount, planned: Plan, nonce: number): Any {
  const document = documentAt(planned);
  const { offset, length } = planned;
  const contributionId = BigInt(1 + (planned.document % 6));
  const message = payInference(actor, [{ contributionId, document, offset: offset % 500, length }], {
    modelId: planned.id,
    requestHash: sha256(utf8(`request ${nonce}`)),
    tokensOut: BigInt(offset),
  });
  const [span] = message.claim.spans;
  if (span === undefined) throw new RangeError('no span');
  switch (planned.lie) {
    case 'none':
      return paymentOf(message);
    case 'answer':
      message.answer.content.fill(33, 11, 13);
      return paymentOf(message);
    case 'proof':
      return paymentOf({
        ...message,
        claim: { ...message.claim, spans: [{ ...span, sourceProof: { chunks: [], hashes: [] } }] },
      });
    case 'offset':
      return paymentOf({
        ...message,
        claim: { ...message.claim, spans: [{ ...span, sourceOffset: 1n << 63n }] },
      });
    case 'denom':
      return paymentOf({ ...message, maxFee: { denom: 'uusd', amount: '1000000' } });
  }
}

function documentAt(planned: Plan): (typeof documents)[number] {
  const document = documents[planned.document];
  if (document === undefined) throw new RangeError('no document');
  return document;
}

test(`${BLOCKS} blocks of random economics are the same on two executions, and no coin is made or lost`, () => {
  fc.assert(
    fc.property(blocks, (plans) => {
      const [first, second] = [0, 1].map(() => new TestChain({ accounts: ACCOUNTS, coins: COINS }));
      if (first === undefined || second === undefined) throw new RangeError('no chains');
      const outcomes = new Set<string>();
      first.block();
      second.block();
      for (const [height, planned] of [...OPENING, ...plans].entries()) {
        const txs = planned.map((one, i) => {
          const actor = first.account(one.actor);
          const options = { gas: LOOP_GAS, fee: '500uopen' };
          return first.sign(actor, [messageOf(actor, one, height * 10 + i)], options);
        });
        const [a, b] = [first.block(...txs), second.block(...txs)];
        expect(toHex(b.appHash)).toBe(toHex(a.appHash));
        expect(b.txResults).toEqual(a.txResults);
        for (const { code, codespace } of a.txResults) outcomes.add(`${codespace} ${code}`);
      }
      expect(first.app.brokenInvariants()).toEqual([]);
      expect(second.app.brokenInvariants()).toEqual([]);
      const { bank } = first.app.composition;
      expect(bank.supply(first.app.contextAt(first.height), 'uopen')).toBe(2_000_000n * BigInt(ACCOUNTS));
      for (const reached of [' 0', 'datanet 9', 'attribution 5', 'attribution 9', 'payments 3'])
        expect(outcomes).toContain(reached);
    }),
    { numRuns: 1, endOnFailure: true },
  );
}, 60_000);
