import { describe, expect, it } from 'vitest';
import { sha256 } from '../core/hash.ts';
import type { JsonObject, JsonValue } from '../framework/json.ts';
import { type GenTxOrder, signGenTx } from '../genesis/gentx.ts';
import { DEFAULT_PARAMS, paramsToJson } from '../modules/staking/params.ts';
import { consensusKey, stakingSections } from '../test/support/staking-world.ts';
import { signSecp256k1, TestChain, testAccount } from '../test/support/test-chain.ts';
import { composeModules } from './modules.ts';

const { types } = composeModules('open').router;
const staking = { params: paramsToJson({ ...DEFAULT_PARAMS, bondDenom: 'uopen' }) };

/** Signed by account `i`, for validator `i`. */
function genTx(i: number, change: Partial<GenTxOrder> = {}): JsonObject {
  const { privateKey, pubKey } = testAccount(`${i}`);
  const order: GenTxOrder = {
    chainId: 'test-chain-1',
    prefix: 'open',
    consensusKey: { type: 'ed25519', bytes: consensusKey(i) },
    amount: { denom: 'uopen', amount: 3_000_000n + BigInt(i) * 1_000_000n },
    description: { moniker: `validator ${i}` },
    ...change,
  };
  const sign = (message: Uint8Array): Uint8Array => signSecp256k1(sha256(message), privateKey);
  return signGenTx(order, { publicKey: pubKey.bytes, sign }, types);
}

function chainOf(genTxs: readonly JsonValue[], sections: JsonObject = {}): TestChain {
  return new TestChain({
    genesis: { validators: [], sections: { staking, genutil: { gen_txs: genTxs }, ...sections } },
  });
}

const refusal = (genTxs: readonly JsonValue[], sections: JsonObject = {}): string => {
  try {
    chainOf(genTxs, sections);
    return 'it started';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const withBody = (genTx: JsonObject, body: JsonObject): JsonObject => ({
  ...genTx,
  body: { ...Object(genTx['body']), ...body },
});

describe('genesis transactions', () => {
  it('make the validators, bonded with the delegations of their operators', () => {
    const chain = chainOf([genTx(0), genTx(1)]);
    const { staking: keeper, consensus } = chain.app.composition;
    chain.block();
    const context = chain.app.contextAt(1n);
    expect(keeper.ownsValidatorSet(context)).toBe(true);
    const bonded = [...keeper.bondedByPower(context)];
    expect(bonded.map(({ description, tokens, status }) => [description.moniker, tokens, status])).toEqual([
      ['validator 1', 4_000_000n, 'bonded'],
      ['validator 0', 3_000_000n, 'bonded'],
    ]);
    expect(consensus.params(context).validator?.pubKeyTypes).toEqual(['ed25519']);
    expect(keeper.lastTotalPower(context)).toBe(7n);
    expect(chain.balance(testAccount('0').address)).toBe(1_000_000_000n - 3_000_000n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('leave accounts as if they had sent a transaction, and leave none in the exported state', () => {
    const chain = chainOf([genTx(0)]);
    chain.block();
    const sent = chain.send(chain.account(0), testAccount('x').address, '1uopen', { sequence: 1n });
    expect(chain.deliver(sent).code).toBe(0);
    const sections = chain.app.exportState().appState;
    expect(sections['genutil']).toEqual({ gen_txs: [] });
    const again = new TestChain({ genesis: { validators: [], sections } });
    again.block();
    const { validators, delegations } = Object(sections['staking']);
    expect(validators).toHaveLength(1);
    expect(again.app.exportState().appState).toMatchObject({ staking: { validators, delegations } });
  });

  it.each<[string, () => readonly JsonValue[], string]>([
    [
      'with the signature of somebody else',
      () => [genTx(0), { ...genTx(1), signatures: [Object(genTx(0))['signatures'][0]] }],
      'app_state.genutil.gen_txs[1]: signature verification failed; please verify account number (0) and ' +
        'chain-id (test-chain-1): (unable to verify single signer signature): unauthorized',
    ],
    [
      'of another chain',
      () => [genTx(0, { chainId: 'other' })],
      'app_state.genutil.gen_txs[0]: signature verification failed',
    ],
    ['of an account without coins', () => [genTx(7)], 'app_state.genutil.gen_txs[0]: fee payer address: '],
    [
      'of two validators with one key',
      () => [genTx(0), genTx(1, { consensusKey: { type: 'ed25519', bytes: consensusKey(0) } })],
      'app_state.genutil.gen_txs[1]: failed to execute message; message index: 0: validator already exist',
    ],
    [
      'in another denomination than the staked one',
      () => [genTx(0, { amount: { denom: 'stake', amount: 5_000_000n } })],
      'app_state.genutil.gen_txs[0]: failed to execute message; message index: 0: invalid coin denomination: ' +
        'got stake, expected uopen',
    ],
    [
      'that are all too weak to sign',
      () => [genTx(0, { amount: { denom: 'uopen', amount: 999_999n } })],
      'app_state.genutil.gen_txs: no validator has the power to sign',
    ],
    [
      'without a message',
      () => [withBody(genTx(0), { messages: [] })],
      'app_state.genutil.gen_txs[0]: must contain at least one message',
    ],
    [
      'with two messages',
      () => {
        const [message] = Object(genTx(0)['body'])['messages'];
        return [withBody(genTx(0), { messages: [message, message] })];
      },
      'app_state.genutil.gen_txs[0].body.messages: has 2 messages, a genesis transaction has one',
    ],
    [
      'with another message',
      () => {
        const address = testAccount('0').address;
        const send = { '@type': '/cosmos.bank.v1beta1.MsgSend', from_address: address, to_address: address };
        return [withBody(genTx(0), { messages: [{ ...send, amount: [] }] })];
      },
      'app_state.genutil.gen_txs[0].body.messages: holds /cosmos.bank.v1beta1.MsgSend, not ' +
        '/cosmos.staking.v1beta1.MsgCreateValidator',
    ],
    [
      'that the message itself refuses',
      () => [genTx(0, { minSelfDelegation: 0n })],
      'app_state.genutil.gen_txs[0].body.messages: minimum self delegation must be a positive integer',
    ],
    [
      'with a misspelt field',
      () => [{ ...genTx(0), signature: 'AA==' }],
      'app_state.genutil.gen_txs[0].signature: is not a known field',
    ],
  ])('%s are refused with the place', (_, genTxs, message) => {
    expect(refusal(genTxs())).toContain(message);
  });

  it('beside validators of app_state.staking are refused', () => {
    const accounts = [0, 1, 2].map((i) => testAccount(`${i}`));
    const sections = stakingSections({ accounts, validators: [10_000_000n] });
    expect(refusal([genTx(1)], sections)).toContain(
      'app_state.genutil.gen_txs: app_state.staking lists validators already',
    );
  });
});
