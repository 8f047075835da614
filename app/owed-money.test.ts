/** What the chain owes at the end of a block is paid whatever send restrictions say: none stops the chain. */
import { expect, test } from 'vitest';
import { equalBytes } from '../core/bytes.ts';
import { StateError, sdkErrors } from '../framework/errors.ts';
import type { SendRestriction } from '../modules/bank/types.ts';
import { MsgSubmitProposal } from '../proto/gen/cosmos/gov/v1/tx.ts';
import { MsgHoldPayment, MsgVoidHold } from '../proto/gen/openledger/payments/v1/tx.ts';
import { MsgClaim, MsgSetAutoClaim } from '../proto/gen/openledger/pools/v1/tx.ts';
import { EpochState } from '../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgRetireIndex } from '../proto/gen/openledger/attribution/v1/tx.ts';
import {
  attributionLoop,
  emptyBlocks,
  publishIndexOk,
  SHORT,
  shardOf,
} from '../test/support/attribution-world.ts';
import { named } from '../test/support/authorizations.ts';
import {
  deliver,
  deliverOk,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
  SHORT_EPOCHS,
} from '../test/support/economic-loop.ts';
import { GOV_PARAMS } from '../test/support/gov-world.ts';
import { BOND, SettlementWorld } from '../test/support/settlement-world.ts';
import {
  anyOf,
  sendMessage,
  type TestAccount,
  TestChain,
  type TestChainOptions,
} from '../test/support/test-chain.ts';

/** A rule that lets nothing reach one account, once it is listed. */
class List {
  #listed: Uint8Array | undefined;

  readonly rule: SendRestriction = (_, { to }) => {
    if (this.#listed !== undefined && equalBytes(to, this.#listed))
      throw new StateError(sdkErrors.unauthorized, 'listed');
    return to;
  };

  chain(options: TestChainOptions): TestChain {
    return new TestChain({ ...options, app: { sendRestrictions: [this.rule] } });
  }

  add({ pubKey }: TestAccount): void {
    this.#listed = pubKey.address;
  }
}

function listedLoop(): { readonly loop: Loop; readonly list: List } {
  const list = new List();
  const sections = {
    ...SHORT_EPOCHS,
    gov: { starting_proposal_id: '1', params: { ...GOV_PARAMS, max_deposit_period: '5s' } },
  };
  return { loop: playLoop(list.chain({ accounts: 6, genesis: { sections } })), list };
}

function blocks(chain: TestChain, count: number): void {
  for (let i = 0; i < count; i++) chain.block();
}

test('a hold that expires goes back; one that is voided is refused, as other transactions are', () => {
  const { loop, list } = listedLoop();
  const { chain, payer, seller } = loop;
  const hold = anyOf(MsgHoldPayment, {
    payer: payer.address,
    payee: '',
    modelId: 1n,
    requestHash: named('request'),
    amount: { denom: 'uopen', amount: '2000' },
    expires: chain.time + 6n,
  });
  deliverOk(chain, payer, hold);
  list.add(payer);
  const before = chain.balance(payer.address);
  const voided = deliver(chain, seller, anyOf(MsgVoidHold, { payee: seller.address, holdId: 1n }));
  expect([voided.codespace, voided.code]).toEqual(['sdk', 4]);
  expect(deliver(chain, seller, sendMessage(seller.address, payer.address, '1uopen')).code).toBe(4);
  expect(chain.balance(payer.address)).toBe(before);
  blocks(chain, 8);
  expect(chain.balance(payer.address)).toBe(before + 2_000n);
});

test('an automatic claim pays its owner, whose own claim is refused', () => {
  const { loop, list } = listedLoop();
  const { chain, payer, seller } = loop;
  const pools = [{ pool: { kind: 2, subject: 1n }, slots: [0n] }];
  deliverOk(chain, payer, paymentOf(payInference(payer, [])));
  const order = { owner: seller.address, pools, minimum: { denom: 'uopen', amount: '1' } };
  deliverOk(chain, seller, anyOf(MsgSetAutoClaim, { ...order, intervalBlocks: 100, times: 1 }));
  list.add(seller);
  const claim = deliver(chain, seller, anyOf(MsgClaim, { owner: seller.address, pools }));
  expect([claim.codespace, claim.code]).toEqual(['sdk', 4]);
  const before = chain.balance(seller.address);
  blocks(chain, 101);
  expect(chain.balance(seller.address)).toBeGreaterThan(before);
});

test('a deposit on a proposal that is dropped goes back', () => {
  const { loop, list } = listedLoop();
  const { chain, payer } = loop;
  const proposal = MsgSubmitProposal.create({
    initialDeposit: [{ denom: 'uopen', amount: '500' }],
    proposer: payer.address,
    title: 'title',
    summary: 'summary',
    metadata: 'text only',
  });
  deliverOk(chain, payer, anyOf(MsgSubmitProposal, proposal));
  list.add(payer);
  const before = chain.balance(payer.address);
  blocks(chain, 8);
  expect(chain.balance(payer.address)).toBe(before + 500n);
});

test('the bond of an epoch that is paid goes back to its gateway', () => {
  const list = new List();
  const world = new SettlementWorld({}, (options) => list.chain(options));
  world.register();
  world.claim([0, 2_048n]);
  world.settle(world.published());
  list.add(world.gateway);
  const before = world.chain.balance(world.gateway.address);
  world.waitWindow();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.chain.balance(world.gateway.address)).toBe(before + BOND);
});

test('the bond of an index that is retired goes back to its publisher', () => {
  const list = new List();
  const loop = attributionLoop({}, (options) => list.chain(options));
  const { chain, attestor } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const retire = { sender: attestor.address, indexId: 1n };
  emptyBlocks(loop, SHORT.challengeBlocks);
  deliverOk(chain, attestor, anyOf(MsgRetireIndex, retire));
  list.add(attestor);
  const before = chain.balance(attestor.address);
  emptyBlocks(loop, 8);
  expect(chain.balance(attestor.address)).toBe(before + 1_000n);
});
