/**
 * The application alone, without node and network: genesis, signed transactions, blocks. Real signatures
 * (native libsecp256k1), a real store in memory. For tests of modules and of the application.
 */
import { createRequire } from 'node:module';
import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import type { AppOptions } from '../../app/options.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { AddressCodec } from '../../framework/address.ts';
import { coinsFromString } from '../../framework/coins.ts';
import { type PublicKey, secp256k1PublicKey } from '../../framework/tx/public-key.ts';
import type { SignatureVerifier } from '../../framework/tx/signature.ts';
import { buildGenesis, type GenesisOptions } from '../../genesis/build.ts';
import { initChainRequest } from '../../genesis/encode.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  CheckTxType,
  type CommitInfo,
  type ExecTxResult,
  type RequestFinalizeBlock,
  type ResponseCheckTx,
  type ResponseFinalizeBlock,
  type ResponseQuery,
} from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';

interface NativeSecp256k1 {
  publicKeyCreate(privateKey: Uint8Array): Uint8Array;
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { readonly signature: Uint8Array };
}

const native: NativeSecp256k1 = createRequire(import.meta.url)('secp256k1/bindings.js');

/** Checks signatures in place. */
export const plainVerifier: SignatureVerifier = {
  verify: ({ pubKey, signBytes, signature }) =>
    pubKey.kind === 'ed25519'
      ? verifyEd25519(pubKey.bytes, signBytes, signature)
      : verifySecp256k1(pubKey.bytes, sha256(signBytes), signature),
};

/** The compact signature of a digest. */
export function signSecp256k1(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return Uint8Array.from(native.ecdsaSign(digest, privateKey).signature);
}

/** Someone with a key. Account numbers of a chain's own accounts are their positions. */
export interface TestAccount {
  readonly privateKey: Uint8Array;
  readonly pubKey: PublicKey;
  readonly address: string;
}

/** An account whose key is made of a name. */
export function testAccount(name: string, prefix = 'open'): TestAccount {
  const privateKey = Uint8Array.from(sha256(utf8(`test account ${name}`)));
  const pubKey = secp256k1PublicKey(Uint8Array.from(native.publicKeyCreate(privateKey)));
  return { privateKey, pubKey, address: new AddressCodec(prefix).toText(pubKey.address) };
}

/** What may be asked of a test chain. */
export interface TestChainOptions {
  /** Accounts in the genesis document. Default 3. */
  readonly accounts?: number;
  /** What each of them has. Default `1000000000uopen`. */
  readonly coins?: string;
  readonly prefix?: string;
  readonly genesis?: Partial<GenesisOptions>;
  readonly app?: Partial<Omit<AppOptions, 'store' | 'chainId' | 'prefix'>>;
}

/** How a transaction is signed; all of it may be wrong on purpose. */
export interface SignOptions {
  /** Default `200000`. */
  readonly gas?: bigint;
  /** Default `5000uopen`. Empty for none. */
  readonly fee?: string;
  readonly payer?: string;
  readonly granter?: string;
  readonly memo?: string;
  readonly timeoutHeight?: bigint;
  readonly timeoutTimestamp?: { readonly seconds: bigint; readonly nanos: number };
  readonly unordered?: boolean;
  readonly chainId?: string;
  /** Default: what the chain says. */
  readonly sequence?: bigint;
  readonly accountNumber?: bigint;
  readonly mode?: number;
  /** Further signers, in order. */
  readonly also?: readonly TestAccount[];
  readonly extensionOptions?: readonly Any[];
}

/** What a block has besides its place in the chain. */
export type BlockContent = Partial<Pick<RequestFinalizeBlock, 'txs' | 'misbehavior'>> & {
  readonly votes?: CommitInfo['votes'];
};

/** A chain of one, driven by hand. */
export class TestChain {
  readonly #options: AppOptions;
  #app: OpenLedgerApp;
  readonly chainId = 'test-chain-1';
  readonly accounts: readonly TestAccount[];
  /** The transactions of each block, to make the same blocks on another chain. */
  readonly history: (readonly Uint8Array[])[] = [];
  #height = 0n;
  #skipped = 0n;

  constructor(options: TestChainOptions = {}) {
    const prefix = options.prefix ?? 'open';
    this.accounts = Array.from({ length: options.accounts ?? 3 }, (_, i) => testAccount(`${i}`, prefix));
    const { furtherModules = [] } = options.app ?? {};
    const stores = storeNames(composeModules(prefix, { furtherModules }).modules);
    const store = new MemoryMultiStore({ stores, initialVersion: options.genesis?.initialHeight ?? 1n });
    this.#options = { store, chainId: this.chainId, prefix, verifier: plainVerifier, ...options.app };
    this.#app = createApp(this.#options);
    const coins = coinsFromString(options.coins ?? '1000000000uopen');
    const document = buildGenesis({
      chainId: this.chainId,
      genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
      accounts: this.accounts.map(({ address }) => ({ address, coins })),
      validators: [{ pubKey: sha256(utf8('validator')), power: 10n, name: 'validator' }],
      ...options.genesis,
    });
    this.app.initChain(initChainRequest(document));
  }

  get app(): OpenLedgerApp {
    return this.#app;
  }

  get height(): bigint {
    return this.#height;
  }

  /** Of the last block, in seconds since 1970: a second for each block, and what was skipped. */
  get time(): bigint {
    return 1_700_000_000n + this.#height + this.#skipped;
  }

  /** The next block comes so many seconds later. */
  skip(seconds: number): void {
    this.#skipped += BigInt(seconds);
  }

  /** Goes on with another program on the same state. */
  restart(app: TestChainOptions['app']): void {
    this.#height = this.#app.height;
    this.#app = createApp({ ...this.#options, ...app });
  }

  /** The i-th genesis account. */
  account(i: number): TestAccount {
    const account = this.accounts[i];
    if (account === undefined) throw new RangeError(`there are ${this.accounts.length} accounts`);
    return account;
  }

  /** Executes and commits a block. */
  block(...txs: readonly Uint8Array[]): ResponseFinalizeBlock {
    return this.blockOf({ txs });
  }

  /** Executes and commits a block that also says something of the one before it. */
  blockOf({ txs = [], votes = [], misbehavior = [] }: BlockContent): ResponseFinalizeBlock {
    const { time } = this;
    this.#height++;
    this.history.push(txs);
    const response = this.app.finalizeBlock({
      txs,
      decidedLastCommit: { round: 0, votes },
      misbehavior,
      hash: sha256(utf8(`block ${this.#height}`)),
      height: this.#height,
      time: { seconds: time + 1n, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
    this.app.commit();
    return response;
  }

  /** Executes and commits a block with one transaction. */
  deliver(tx: Uint8Array): ExecTxResult {
    const [result] = this.block(tx).txResults;
    if (result === undefined) throw new RangeError('no result');
    return result;
  }

  check(tx: Uint8Array): ResponseCheckTx {
    return this.app.checkTx({ tx, type: CheckTxType.NEW });
  }

  recheck(tx: Uint8Array): ResponseCheckTx {
    return this.app.checkTx({ tx, type: CheckTxType.RECHECK });
  }

  /** Asks a method by path; the answer is decoded, an error comes back as it is. */
  query<Q, A>(
    path: string,
    types: { readonly request: MessageType<Q>; readonly response: MessageType<A> },
    request: Partial<Q>,
  ): A {
    const answer = this.rawQuery(path, types.request.encode(types.request.create(request)));
    if (answer.code !== 0) throw new RangeError(`${answer.codespace} ${answer.code}: ${answer.log}`);
    return types.response.decode(answer.value);
  }

  rawQuery(path: string, data: Uint8Array, height = 0n, prove = false): ResponseQuery {
    return this.app.query({ path, data, height, prove });
  }

  /** Balance in the last committed state. */
  balance(address: string, denom = 'uopen'): bigint {
    const { addresses, bank } = this.app.composition;
    return bank.balance(this.app.contextAt(this.app.height), addresses.toBytes(address), denom);
  }

  /** A signed transaction. */
  sign(signer: TestAccount, messages: readonly Any[], options: SignOptions = {}): Uint8Array {
    const signers = [signer, ...(options.also ?? [])];
    const bodyBytes = TxBody.encode({
      messages,
      memo: options.memo ?? '',
      timeoutHeight: options.timeoutHeight ?? 0n,
      unordered: options.unordered ?? false,
      timeoutTimestamp: options.timeoutTimestamp,
      extensionOptions: options.extensionOptions ?? [],
      nonCriticalExtensionOptions: [],
    });
    const coins = coinsFromString(options.fee ?? '5000uopen');
    const authInfoBytes = AuthInfo.encode({
      signerInfos: signers.map((account) => ({
        publicKey: account.pubKey.any,
        modeInfo: { single: { mode: options.mode ?? 1 }, multi: undefined },
        sequence: options.sequence ?? this.sequence(account),
      })),
      fee: {
        amount: coins.map(({ denom, amount }) => ({ denom, amount: amount.toString() })),
        gasLimit: options.gas ?? 200_000n,
        payer: options.payer ?? '',
        granter: options.granter ?? '',
      },
      tip: undefined,
    });
    const signatures = signers.map((account) => {
      const accountNumber = options.accountNumber ?? this.accountNumber(account);
      const chainId = options.chainId ?? this.chainId;
      const digest = sha256(SignDoc.encode({ bodyBytes, authInfoBytes, chainId, accountNumber }));
      return signSecp256k1(digest, account.privateKey);
    });
    return TxRaw.encode({ bodyBytes, authInfoBytes, signatures });
  }

  /** A signed MsgSend. */
  send(from: TestAccount, to: string, coins: string, options: SignOptions = {}): Uint8Array {
    return this.sign(from, [sendMessage(from.address, to, coins)], options);
  }

  /** In the last committed state; 0 when the account does not exist. */
  sequence(account: TestAccount): bigint {
    return this.#find(account)?.sequence ?? 0n;
  }

  accountNumber(account: TestAccount): bigint {
    const position = this.accounts.indexOf(account);
    return this.#find(account)?.accountNumber ?? BigInt(Math.max(position, 0));
  }

  #find(account: TestAccount): { readonly sequence: bigint; readonly accountNumber: bigint } | undefined {
    if (this.app.height === 0n) return undefined;
    const context = this.app.contextAt(this.app.height);
    return this.app.composition.auth.find(context, account.pubKey.address);
  }
}

/** A MsgSend as it stands in a transaction. */
export function sendMessage(from: string, to: string, coins: string): Any {
  const amount = coinsFromString(coins).map((coin) => ({
    denom: coin.denom,
    amount: coin.amount.toString(),
  }));
  return anyOf(MsgSend, { fromAddress: from, toAddress: to, amount });
}

/** A message as it stands in a transaction. */
export function anyOf<M>(type: MessageType<M>, value: M): Any {
  return { typeUrl: type.typeUrl, value: type.encode(value) };
}
