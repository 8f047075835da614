/** Accounts of several keys: CosmJS signs for them; what is wrong is told as the SDK tells it. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../core/hash.ts';
import { multisigPublicKey, type PublicKey } from '../framework/tx/public-key.ts';
import { aminoSignBytes } from '../framework/tx/amino-json.ts';
import { decodeTx } from '../framework/tx/decode.ts';
import { MultiSignature } from '../proto/gen/cosmos/crypto/multisig/v1beta1/multisig.ts';
import { AuthInfo, type ModeInfo, TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { type CosmSigner, cosmMultisig, cosmMultisigTx, cosmSigner } from '../test/support/cosmjs-signer.ts';
import {
  sendMessage,
  signSecp256k1,
  type TestAccount,
  TestChain,
  testAccount,
} from '../test/support/test-chain.ts';

const MSG_SEND = '/cosmos.bank.v1beta1.MsgSend';

async function cosmSigners(count: number): Promise<readonly CosmSigner[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => cosmSigner(i)));
}

describe('a multisig account of CosmJS', () => {
  it.each([
    [2, 3, 100_000n],
    [2, 5, 200_000n],
  ])('sends with %i of %i keys, below %i gas', async (threshold, count, gasMax) => {
    const chain = new TestChain();
    const signers = await cosmSigners(count);
    const multisig = cosmMultisig(threshold, signers);
    chain.deliver(chain.send(chain.account(0), multisig.address, '1000000uopen'));
    const value = {
      fromAddress: multisig.address,
      toAddress: chain.account(1).address,
      amount: [{ denom: 'uopen', amount: '77' }],
    };
    const signing = signers.slice(count - threshold);
    const tx = await cosmMultisigTx(chain, multisig, [{ typeUrl: MSG_SEND, value }], { signing });
    expect(chain.check(tx)).toMatchObject({ code: 0, log: '' });
    expect(chain.app.signatureTasks(tx)).toHaveLength(threshold);
    const result = chain.deliver(tx);
    expect(result).toMatchObject({ code: 0, log: '' });
    expect(result.gasUsed).toBeLessThan(gasMax);
    expect(chain.balance(multisig.address)).toBe(1_000_000n - 77n - 2500n);
    const signatures = result.events.flatMap(({ attributes }) =>
      attributes.filter(({ key }) => key === 'signature'),
    );
    expect(signatures).toHaveLength(threshold + 1);

    const again = await cosmMultisigTx(chain, multisig, [{ typeUrl: MSG_SEND, value }], { signing });
    expect(chain.deliver(again)).toMatchObject({ code: 0, log: '' });
    const few = { signing: signing.slice(1) };
    const short = await cosmMultisigTx(chain, multisig, [{ typeUrl: MSG_SEND, value }], few);
    expect(chain.deliver(short)).toMatchObject({ code: 4, log: /please verify account number/ });
  });
});

interface Signing {
  readonly key: PublicKey;
  readonly modeInfo: ModeInfo;
  /** From what is to be signed. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly sequence?: bigint;
  readonly omitKey?: boolean;
  readonly gasLimit?: bigint;
}

const AMINO: ModeInfo = { single: { mode: 127 }, multi: undefined };

const several = (bits: number, modeInfos: readonly ModeInfo[], count = modeInfos.length): ModeInfo => ({
  single: undefined,
  multi: { bitarray: { extraBitsStored: count, elems: Uint8Array.of(bits) }, modeInfos },
});

/** Signatures of several, put together. */
const together =
  (...signers: readonly ((bytes: Uint8Array) => Uint8Array)[]) =>
  (bytes: Uint8Array): Uint8Array =>
    MultiSignature.encode({ signatures: signers.map((sign) => sign(bytes)) });

const by =
  ({ privateKey }: TestAccount) =>
  (bytes: Uint8Array): Uint8Array =>
    signSecp256k1(sha256(bytes), privateKey);

function signed(chain: TestChain, { key, modeInfo, sign, ...options }: Signing): Uint8Array {
  const { addresses, auth, router } = chain.app.composition;
  const from = addresses.toText(key.address);
  const account = auth.find(chain.app.contextAt(chain.app.height), key.address);
  const sequence = options.sequence ?? account?.sequence ?? 0n;
  const messages = [sendMessage(from, chain.account(1).address, '1uopen')];
  const bodyBytes = TxBody.encode(TxBody.create({ messages }));
  const publicKey = options.omitKey === true ? undefined : key.any;
  const amount = [{ denom: 'uopen', amount: '10' }];
  const authInfoBytes = AuthInfo.encode(
    AuthInfo.create({
      signerInfos: [{ publicKey, modeInfo, sequence }],
      fee: { amount, gasLimit: options.gasLimit ?? 300_000n, payer: '', granter: '' },
    }),
  );
  const unsigned = TxRaw.encode({ bodyBytes, authInfoBytes: withoutSigners(authInfoBytes), signatures: [] });
  const { chainId } = chain;
  const tx = decodeTx(unsigned, sha256(unsigned), { router, addresses });
  const accountNumber = account?.accountNumber ?? 0n;
  const signature = sign(aminoSignBytes(tx, { chainId, accountNumber, sequence }));
  return TxRaw.encode({ bodyBytes, authInfoBytes, signatures: [signature] });
}

/** The same without signers: JSON does not show them. */
function withoutSigners(authInfoBytes: Uint8Array): Uint8Array {
  return AuthInfo.encode({ ...AuthInfo.decode(authInfoBytes), signerInfos: [] });
}

describe('an account of several keys', () => {
  const [a, b, c] = [testAccount('a'), testAccount('b'), testAccount('c')] as const;
  const inner = multisigPublicKey(2, [a.pubKey, b.pubKey]);
  const key = multisigPublicKey(2, [inner, c.pubKey]);
  const modeInfo = several(0b1100_0000, [several(0b1100_0000, [AMINO, AMINO]), AMINO]);
  const sign = together(together(by(a), by(b)), by(c));

  function chainWith(account: PublicKey): TestChain {
    const chain = new TestChain();
    const address = chain.app.composition.addresses.toText(account.address);
    chain.deliver(chain.send(chain.account(0), address, '1000000uopen'));
    return chain;
  }

  it('may have keys of several keys, and need not show its key again', () => {
    const chain = chainWith(key);
    expect(chain.deliver(signed(chain, { key, modeInfo, sign }))).toMatchObject({ code: 0, log: '' });
    const again = signed(chain, { key, modeInfo, sign, omitKey: true });
    expect(chain.app.signatureTasks(again)).toHaveLength(3);
    expect(chain.deliver(again)).toMatchObject({ code: 0, log: '' });
  });

  it('is charged for each signature', () => {
    const chain = chainWith(key);
    chain.deliver(signed(chain, { key, modeInfo, sign }));
    const three = chain.deliver(signed(chain, { key, modeInfo, sign })).gasUsed;
    const flat = multisigPublicKey(1, [a.pubKey, b.pubKey]);
    const other = chainWith(flat);
    const one = { key: flat, modeInfo: several(0b1000_0000, [AMINO], 2), sign: together(by(a)) };
    other.deliver(signed(other, one));
    const [tx, long] = [signed(other, one), signed(chain, { key, modeInfo, sign })];
    // Two more signatures, the bytes by which the transaction is longer, and those of the account, which is
    // read three times and written (at 3 and 30 gas).
    const bytes = BigInt(long.length - tx.length);
    const stored = BigInt(key.any.value.length - flat.any.value.length);
    const difference = three - other.deliver(tx).gasUsed;
    expect(difference).toBeGreaterThanOrEqual(2000n + 10n * bytes + 39n * stored);
    expect(difference).toBeLessThan(2000n + 10n * bytes + 39n * (stored + 10n));
  });

  it.each<[string, Partial<Signing>, number, string]>([
    ['a wrong signature', { sign: together(together(by(a), by(a)), by(c)) }, 4, 'sequence (0)'],
    ['a wrong sequence', { sequence: 7n }, 32, 'expected 0, got 7'],
    ['one signature', { modeInfo: AMINO, sign: by(a) }, 4, 'expected a mode of several'],
    ['a mode too many', { modeInfo: several(0b1100_0000, [AMINO, AMINO, AMINO], 2) }, 2, '2 signatures'],
    ['another key', { modeInfo: several(0b1100_0000, [AMINO, AMINO]), sign: together(by(a), by(c)) }, 4, ''],
  ])('is refused with %s', (_, change, code, log) => {
    const chain = chainWith(key);
    const result = chain.check(signed(chain, { key, modeInfo, sign, ...change }));
    expect(result.code).toBe(code);
    expect(result.log).toContain(log);
  });

  it('counts all its keys against the limit of signatures', () => {
    const large = multisigPublicKey(1, [key, key, inner]);
    const chain = chainWith(large);
    const only = several(0b0010_0000, [several(0b1100_0000, [AMINO, AMINO])], 3);
    const result = chain.check(
      signed(chain, { key: large, modeInfo: only, sign: together(together(by(a), by(b))) }),
    );
    expect(result).toMatchObject({ code: 14, log: /signatures: 8, limit: 7/ });
  });

  it('is simulated without signatures, and what that costs suffices', () => {
    const chain = chainWith(key);
    const unsigned = signed(chain, { key, modeInfo: AMINO, sign: () => new Uint8Array() });
    const { error, gasUsed } = chain.app.simulate(unsigned);
    expect(error).toBeUndefined();
    expect(chain.deliver(signed(chain, { key, modeInfo, sign })).gasUsed).toBeLessThan(gasUsed);
  });
});
