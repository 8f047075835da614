/** What went wrong elsewhere with parameters, transactions and amounts. `README.md` lists the advisories. */
import { expect, test } from 'vitest';
import {
  checkConsensusParams,
  DEFAULT_CONSENSUS_PARAMS,
  updateConsensusParams,
} from '../../consensus/types/params.ts';
import { Decimal } from '../../core/decimal.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { AMOUNT_MAX, parseAmount } from '../../framework/coins.ts';
import { StateError } from '../../framework/errors.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { ProposalSize } from '../../node/state/proposal-size.ts';
import { decodeTx } from '../../framework/tx/decode.ts';
import { composeModules } from '../../app/modules.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { AuthInfo, ModeInfo, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { RequestPrepareProposal } from '../../proto/gen/tendermint/abci/types.ts';
import { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { TestChain } from '../support/test-chain.ts';

/**
 * Sent: a change of parameters with a vote extension height that cannot be. There: it was not checked, and
 * the chain halted at it. Here: each value has bounds; an update outside of them is refused as a whole.
 */
test('ASA-2024-001 (GHSA-qr8r-m495-7hc4): consensus parameters out of bounds', () => {
  for (const voteExtensionsEnableHeight of [-1n, 1n, 1n << 62n]) {
    const update = ConsensusParams.create({ abci: { voteExtensionsEnableHeight } });
    expect(() => updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, update)).toThrow('vote_extensions');
  }
  for (const maxBytes of [0n, -2n, 104_857_601n, 1n << 62n]) {
    const update = ConsensusParams.create({ block: { maxBytes, maxGas: -1n } });
    expect(() => updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, update)).toThrow('block.max_bytes');
  }
  expect(checkConsensusParams(DEFAULT_CONSENSUS_PARAMS)).toBe(DEFAULT_CONSENSUS_PARAMS);
});

/**
 * Sent: nothing but blocks as full as the defaults allow, 21 MiB. There: their parts took so long to get to
 * everybody that rounds failed one after another. Here: a chain that this program makes begins with 4 MiB,
 * a proposer fills a block with what it executes in the time between two, and no vote of parameters can allow
 * more than 21 MiB.
 */
test('ASA-2023-002: the default size of blocks, and the largest', () => {
  const made = buildGenesis({
    chainId: 'a-1',
    genesisTime: { seconds: 1n, nanos: 0 },
    accounts: [],
    validators: [],
  });
  expect(made.consensusParams.block?.maxBytes).toBe(4_194_304n);
  const larger = ConsensusParams.create({ block: { maxBytes: 22_020_097n, maxGas: -1n } });
  expect(() => updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, larger)).toThrow('block.max_bytes');
  const backlog = new ProposalSize(1_000);
  backlog.executed(1_000_000, 10_000);
  for (let block = 0; block < 20; block++) backlog.executed(1_000_000, 10_000);
  expect(backlog.bytesMax(21 * 1024 * 1024)).toBeLessThan(200_000);
});

/**
 * Sent: a second transaction of a sender before its first. There: the proposer dropped the first of a sender's
 * row and proposed the rest, which others then refused. Here: once one of a row is left out, so is the rest.
 */
test('ASA-2024-002: a proposal never holds a sender’s second transaction without the first', () => {
  const chain = new TestChain();
  const [alice, bob] = [chain.account(0), chain.account(1)];
  const value = MsgSend.encode({
    fromAddress: alice.address,
    toAddress: bob.address,
    amount: [{ denom: 'uopen', amount: '1' }],
  });
  const message = { typeUrl: MsgSend.typeUrl, value };
  const large = chain.sign(alice, [message], { memo: 'x'.repeat(200) });
  const next = chain.sign(alice, [message], { sequence: chain.sequence(alice) + 1n });
  const request = (maxTxBytes: number): readonly Uint8Array[] =>
    chain.app.prepareProposal(
      RequestPrepareProposal.create({ txs: [large, next], maxTxBytes: BigInt(maxTxBytes), height: 1n }),
    ).txs;
  expect(request(large.length + next.length + 20)).toEqual([large, next]);
  expect(request(large.length - 1)).toEqual([]);
});

/**
 * Sent: amounts of more bits than a number may have. There: Int and Dec disagreed on how many, and what one
 * took made the other panic. Here: one bound, 256 bits, at every reading and after every operation.
 */
test('ASA-2024-010: amounts and decimal numbers beyond 256 bits', () => {
  const max = (1n << 256n) - 1n;
  expect(AMOUNT_MAX).toBe(max);
  expect(parseAmount(max.toString())).toBe(max);
  for (const text of [(max + 1n).toString(), `-${max + 1n}`, '9'.repeat(78), '9'.repeat(100_000), '1e9', ''])
    expect(() => parseAmount(text)).toThrow(StateError);
  const largest = Decimal.ofUnits((max + 1n) * 10n ** 18n - 1n);
  // Every amount is a decimal number, and the whole part of every decimal number is an amount.
  expect(Decimal.ofInteger(max).truncate()).toBe(max);
  expect(largest.truncate()).toBe(max);
  // Rounded up it is none, and is not taken for one.
  expect(() => parseAmount(largest.round().toString())).toThrow(StateError);
  const unit = Decimal.ofUnits(1n);
  for (const beyond of [
    () => Decimal.ofInteger(max + 1n),
    () => Decimal.ofInteger(-max - 1n),
    () => Decimal.ofText(`${max + 1n}`),
    () => Decimal.ofText(`-${max + 1n}`),
    () => Decimal.ofWire(`${(max + 1n) * 10n ** 18n}`),
    () => largest.add(unit),
    () => largest.negate().subtract(unit),
    () => largest.multiply(Decimal.ofInteger(2n)),
    () => largest.multiplyInteger(2n),
    () => largest.divide(unit),
    () => Decimal.ofInteger(2n).power(256n),
  ])
    expect(beyond).toThrow(LedgerError);
});

/**
 * Sent: transactions that nest messages, or signers, in themselves without end. There: decoding recursed
 * until the stack was gone, or took long. Here: a limit of depth and one of elements, before any work.
 */
test('ASA-2024-012, 013 (GHSA-8wcc-m6j2-qxvm): transactions that nest without end', () => {
  const { addresses, router } = composeModules('open');
  const decode = (bytes: Uint8Array): unknown => decodeTx(bytes, sha256(bytes), { router, addresses });
  let mode = ModeInfo.create({ single: { mode: 1 } });
  for (let level = 0; level < 200; level++)
    mode = ModeInfo.create({ multi: { bitarray: undefined, modeInfos: [mode] } });
  const fee = { amount: [], gasLimit: 1n, payer: '', granter: '' };
  const signerInfos = [{ publicKey: undefined, modeInfo: mode, sequence: 0n }];
  const bodyBytes = TxBody.encode(TxBody.create({ messages: [Any.create()] }));
  const nested = TxRaw.encode({
    bodyBytes,
    authInfoBytes: AuthInfo.encode(AuthInfo.create({ signerInfos, fee })),
    signatures: [],
  });
  expect(() => decode(nested)).toThrow('nested deeper');
  let any = Any.create({ typeUrl: MsgSend.typeUrl });
  for (let level = 0; level < 300; level++) any = { typeUrl: '/google.protobuf.Any', value: Any.encode(any) };
  const authInfoBytes = AuthInfo.encode(AuthInfo.create({ fee }));
  const wrapped = TxBody.encode(TxBody.create({ messages: [any] }));
  expect(() => decode(TxRaw.encode({ bodyBytes: wrapped, authInfoBytes, signatures: [] }))).toThrow(
    StateError,
  );
  const many = TxBody.encode(TxBody.create({ messages: new Array<Any>(10_001).fill(Any.create()) }));
  expect(() => decode(TxRaw.encode({ bodyBytes: many, authInfoBytes, signatures: [] }))).toThrow('more than');
});
