/**
 * The whole state machine over random blocks: what two nodes compute is equal, and coins neither appear nor
 * vanish.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { moduleAddress } from '../framework/address.ts';
import { anyOf, sendMessage, type SignOptions, TestChain, testAccount } from '../test/support/test-chain.ts';
import { MsgMultiSend } from '../proto/gen/cosmos/bank/v1beta1/tx.ts';

const ACCOUNTS = 8;
const BLOCKS = 1000;
const COINS = '5000000uopen,3000000uusd';

/** One transaction to be, good or bad in one of many ways. */
interface Plan {
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  readonly denom: 'uopen' | 'uusd' | 'unone';
  readonly fault: Fault;
}

const FAULTS = [
  'none',
  'none',
  'none',
  'two messages',
  'many outputs',
  'other sequence',
  'other chain',
  'little gas',
  'no fee',
  'huge fee',
  'fee in two coins',
  'unknown sender',
  'new recipient',
  'to a module',
  'junk',
] as const;
type Fault = (typeof FAULTS)[number];

const plan: fc.Arbitrary<Plan> = fc.record({
  from: fc.nat(ACCOUNTS - 1),
  to: fc.nat(ACCOUNTS - 1),
  amount: fc.oneof(fc.nat(2000), fc.constant(50_000_000)),
  denom: fc.constantFrom('uopen', 'uopen', 'uusd', 'unone'),
  fault: fc.constantFrom(...FAULTS),
});

const blocks = fc.array(fc.array(plan, { maxLength: 4 }), {
  minLength: BLOCKS,
  maxLength: BLOCKS,
  size: 'max',
});

function transactionOf(chain: TestChain, { from, to, amount, denom, fault }: Plan): Uint8Array {
  const sender = fault === 'unknown sender' ? testAccount(`unknown ${from}`) : chain.account(from);
  const target = recipientOf(chain, to, fault);
  const coins = amount === 0 ? '' : `${amount}${denom}`;
  if (fault === 'junk') return Uint8Array.of(from, to, amount & 255);
  const send = sendMessage(sender.address, target, coins);
  if (fault === 'many outputs') {
    const share = [{ denom, amount: `${amount}` }];
    const inputs = [{ address: sender.address, coins: [{ denom, amount: `${2 * amount}` }] }];
    const outputs = [target, sender.address].map((address) => ({ address, coins: share }));
    return chain.sign(sender, [anyOf(MsgMultiSend, { inputs, outputs })], optionsOf(fault));
  }
  return chain.sign(sender, fault === 'two messages' ? [send, send] : [send], optionsOf(fault));
}

function recipientOf(chain: TestChain, to: number, fault: Fault): string {
  switch (fault) {
    case 'new recipient':
      return testAccount(`recipient ${to} ${chain.height % 50n}`).address;
    case 'to a module':
      return chain.app.composition.addresses.toText(moduleAddress('gov'));
    default:
      return chain.account(to).address;
  }
}

function optionsOf(fault: Fault): SignOptions {
  switch (fault) {
    case 'other sequence':
      return { sequence: 99_999n };
    case 'other chain':
      return { chainId: 'another-chain' };
    case 'little gas':
      return { gas: 32_000n };
    case 'no fee':
      return { fee: '' };
    case 'huge fee':
      return { fee: '999999999uopen' };
    case 'fee in two coins':
      return { fee: '3uopen,4uusd' };
    default:
      return { fee: '300uopen' };
  }
}

describe(`${BLOCKS} random blocks`, () => {
  it('give two executions the same app hashes and results, and conserve the supply', () => {
    fc.assert(
      fc.property(blocks, (plans) => {
        const [first, second] = [0, 1].map(() => new TestChain({ accounts: ACCOUNTS, coins: COINS }));
        if (first === undefined || second === undefined) throw new RangeError('no chains');
        first.block();
        second.block();
        const codes = new Set<string>();
        for (const [i, planned] of plans.entries()) {
          const txs = planned.map((one) => transactionOf(first, one));
          // The first node has seen the transactions in CheckTx, the second sees them in the block only.
          for (const tx of txs) first.check(tx);
          const a = first.block(...txs);
          const b = second.block(...txs.map((tx) => Uint8Array.from(tx)));
          expect(toHex(b.appHash)).toBe(toHex(a.appHash));
          expect(b.txResults).toEqual(a.txResults);
          for (const { code, codespace } of a.txResults) codes.add(`${codespace} ${code}`);
          if (i % 100 === 99) expect(first.app.brokenInvariants()).toEqual([]);
        }
        expect(supplyOf(first)).toEqual(['uopen 40000000', 'uusd 24000000']);
        expect(second.app.brokenInvariants()).toEqual([]);
        // The plans have reached success and each kind of failure.
        for (const code of [' 0', 'sdk 2', 'sdk 4', 'sdk 5', 'sdk 9', 'sdk 10', 'sdk 11', 'sdk 32'])
          expect(codes).toContain(code);
      }),
      { numRuns: 1 },
    );
  }, 60_000);
});

function supplyOf({ app }: TestChain): readonly string[] {
  const context = app.contextAt(app.height);
  return ['uopen', 'uusd'].map((denom) => `${denom} ${app.composition.bank.supply(context, denom)}`);
}
