/** Signers who do not pay may sign before the fee is known: SIGN_MODE_DIRECT_AUX. */
import { SignDocDirectAux } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../core/hash.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import {
  sendMessage,
  signSecp256k1,
  type TestAccount,
  TestChain,
  testAccount,
} from '../test/support/test-chain.ts';

const [DIRECT, AUX] = [1, 3];

interface Options {
  /** Modes of the first and second signer. */
  readonly modes: readonly [number, number];
  /** Who pays; default the first signer. */
  readonly payer?: string;
  readonly gasLimit?: bigint;
  /** What the auxiliary signer says of itself and the chain, when that is not true. */
  readonly aux?: Partial<{ readonly chainId: string; readonly sequence: bigint; readonly key: TestAccount }>;
}

/** A sends to B, B sends to A. What an auxiliary signer signs is encoded by CosmJS. */
function bothSend(
  chain: TestChain,
  { modes, payer = '', gasLimit = 300_000n, aux = {} }: Options,
): Uint8Array {
  const [a, b] = [chain.account(0), chain.account(1)];
  const messages = [sendMessage(a.address, b.address, '5uopen'), sendMessage(b.address, a.address, '2uopen')];
  const bodyBytes = TxBody.encode(TxBody.create({ messages }));
  const signers = [a, b] as const;
  const authInfoBytes = AuthInfo.encode(
    AuthInfo.create({
      signerInfos: signers.map((signer, i) => ({
        publicKey: signer.pubKey.any,
        modeInfo: { single: { mode: modes[i] ?? 0 }, multi: undefined },
        sequence: chain.sequence(signer),
      })),
      fee: { amount: [{ denom: 'uopen', amount: '1000' }], gasLimit, payer, granter: '' },
    }),
  );
  const signatures = signers.map((signer, i) => {
    const accountNumber = chain.accountNumber(signer);
    const { chainId } = chain;
    const document =
      modes[i] === AUX
        ? SignDocDirectAux.encode(
            SignDocDirectAux.fromPartial({
              bodyBytes,
              publicKey: (aux.key ?? signer).pubKey.any,
              chainId: aux.chainId ?? chainId,
              accountNumber,
              sequence: aux.sequence ?? chain.sequence(signer),
            }),
          ).finish()
        : SignDoc.encode({ bodyBytes, authInfoBytes, chainId, accountNumber });
    return signSecp256k1(sha256(document), signer.privateKey);
  });
  return TxRaw.encode({ bodyBytes, authInfoBytes, signatures });
}

describe('an auxiliary signer', () => {
  it('signs body, key, chain and sequence, and the other pays', () => {
    const chain = new TestChain();
    const tx = bothSend(chain, { modes: [DIRECT, AUX] });
    expect(chain.check(tx)).toMatchObject({ code: 0, log: '' });
    expect(chain.app.signatureTasks(tx)).toHaveLength(2);
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });
    expect(chain.balance(chain.account(0).address)).toBe(1_000_000_000n - 1000n - 3n);
    expect(chain.balance(chain.account(1).address)).toBe(1_000_000_000n + 3n);
    // A second time, with keys that are known and other sequences.
    expect(chain.deliver(bothSend(chain, { modes: [DIRECT, AUX] }))).toMatchObject({ code: 0, log: '' });
  });

  it('may come first when another pays', () => {
    const chain = new TestChain();
    const payer = chain.account(1).address;
    const tx = bothSend(chain, { modes: [AUX, DIRECT], payer });
    expect(chain.deliver(tx)).toMatchObject({ code: 0, log: '' });
    expect(chain.balance(payer)).toBe(1_000_000_000n - 1000n + 3n);
  });

  it('does not sign the fee: who pays it may choose it later', () => {
    const chain = new TestChain();
    const [low, high] = [200_000n, 400_000n].map((gasLimit) => {
      const tx = bothSend(chain, { modes: [DIRECT, AUX], gasLimit });
      return TxRaw.decode(tx).signatures[1];
    });
    expect(low).toEqual(high);
  });

  it.each<[string, Options, string]>([
    // `cosmossdk.io/x/tx` v0.13.7 signing/directaux, as x/auth v0.50.13 ante/sigverify.go wraps it.
    [
      'pays',
      { modes: [AUX, DIRECT] },
      'signature verification failed; please verify account number (0) and chain-id (test-chain-1): (fee payer ' +
        `${testAccount('0').address} cannot sign with SIGN_MODE_DIRECT_AUX: unauthorized): unauthorized`,
    ],
    ['means another chain', { modes: [DIRECT, AUX], aux: { chainId: 'x' } }, 'unable to verify'],
    ['means another sequence', { modes: [DIRECT, AUX], aux: { sequence: 5n } }, 'unable to verify'],
  ])('is refused when it %s', (_, options, log) => {
    const chain = new TestChain();
    const result = chain.check(bothSend(chain, options));
    expect(result.code).toBe(4);
    expect(result.log).toContain(log);
  });

  it('is refused when it signed with the name of another key', () => {
    const chain = new TestChain();
    const aux = { key: chain.account(2) };
    expect(chain.check(bothSend(chain, { modes: [DIRECT, AUX], aux }))).toMatchObject({ code: 4 });
  });
});
