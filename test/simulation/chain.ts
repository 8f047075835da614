/** What all nodes of a simulation agree on: genesis, accounts, configuration, and the transactions of clients. */
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { AddressCodec } from '../../framework/address.ts';
import { coinsFromString } from '../../framework/coins.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { buildGenesis } from '../../genesis/build.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { signSecp256k1, testAccount, sendMessage, type TestAccount } from '../support/test-chain.ts';
import type { SignatureScheme } from './keys.ts';

/** The chain of every simulation: signed transactions can be used again and again. */
export const CHAIN_ID = 'simulation-1';
export const PREFIX = 'open';
/** Nanoseconds since 1970 at which virtual time begins; the genesis time is the same. */
export const GENESIS_SECONDS = 1_700_000_000n;
const COINS = '1000000000uopen';
const FEE = '5000';

const accountsMade: TestAccount[] = [];

/** The i-th account that clients send from. */
export function clientAccount(index: number): TestAccount {
  for (let i = accountsMade.length; i <= index; i++) accountsMade.push(testAccount(`client ${i}`, PREFIX));
  const account = accountsMade[index];
  if (account === undefined) throw new RangeError('no account');
  return account;
}

/** The secret of a validator's key. */
export function validatorSeed(index: number): Uint8Array {
  return sha256(utf8(`validator ${index}`));
}

/** What a genesis is made of. */
export interface ChainOptions {
  /** Power of each validator, in the order of the keys. */
  readonly powers: readonly bigint[];
  readonly accounts: number;
  readonly scheme: SignatureScheme;
  /** Evidence is too old after so many blocks and a second: blocks below can go. Default: as always. */
  readonly evidenceBlocks?: bigint | undefined;
}

/** The genesis document of a simulation. */
export function simulationGenesis(options: ChainOptions): GenesisDocument {
  const { powers, accounts, scheme, evidenceBlocks } = options;
  const document = buildGenesis({
    chainId: CHAIN_ID,
    genesisTime: { seconds: GENESIS_SECONDS, nanos: 0 },
    accounts: Array.from({ length: accounts }, (_, i) => ({
      address: clientAccount(i).address,
      coins: coinsFromString(COINS),
    })),
    validators: powers.map((power, i) => ({
      pubKey: scheme.makeSigner(validatorSeed(i), 'ed25519').publicKey,
      power,
      name: `v${i}`,
    })),
  });
  if (evidenceBlocks === undefined) return document;
  const evidence = {
    maxAgeNumBlocks: evidenceBlocks,
    maxAgeDuration: { seconds: 1n, nanos: 0 },
    maxBytes: 1_048_576n,
  };
  return { ...document, consensusParams: { ...document.consensusParams, evidence } };
}

/** Blocks of a fraction of a second; no index; a peer is named so that nodes wait for company. */
export function simulationConfig(): NodeConfig {
  const config = defaultNodeConfig();
  return {
    ...config,
    p2p: { ...config.p2p, pex: false, persistentPeers: [`/ip4/127.0.0.1/tcp/1/p2p/${'1'.repeat(52)}`] },
    consensus: {
      ...config.consensus,
      timeoutProposeMs: 600,
      timeoutProposeDeltaMs: 200,
      timeoutPrevoteMs: 300,
      timeoutPrevoteDeltaMs: 150,
      timeoutPrecommitMs: 300,
      timeoutPrecommitDeltaMs: 150,
      timeoutCommitMs: 250,
    },
    txIndex: { indexer: 'null' },
  };
}

const signedBefore = new Map<string, Uint8Array>();
const codec = new AddressCodec(PREFIX);

/** A signed transfer, the same bytes whenever it is asked for. */
export function transfer(order: {
  readonly from: number;
  readonly to: number;
  readonly sequence: number;
  readonly amount: number;
}): Uint8Array {
  const { from, to, sequence, amount } = order;
  const key = `${from}/${to}/${sequence}/${amount}`;
  const known = signedBefore.get(key);
  if (known !== undefined) return known;
  const account = clientAccount(from);
  const receiver = codec.toText(clientAccount(to).pubKey.address);
  const bodyBytes = TxBody.encode({
    messages: [sendMessage(account.address, receiver, `${amount}uopen`)],
    memo: '',
    timeoutHeight: 0n,
    extensionOptions: [],
    nonCriticalExtensionOptions: [],
    timeoutTimestamp: undefined,
    unordered: false,
  });
  const authInfoBytes = AuthInfo.encode({
    signerInfos: [
      {
        publicKey: account.pubKey.any,
        modeInfo: { single: { mode: 1 }, multi: undefined },
        sequence: BigInt(sequence),
      },
    ],
    fee: { amount: [{ denom: 'uopen', amount: FEE }], gasLimit: 200_000n, payer: '', granter: '' },
    tip: undefined,
  });
  const doc = SignDoc.encode({ bodyBytes, authInfoBytes, chainId: CHAIN_ID, accountNumber: BigInt(from) });
  const signature = signSecp256k1(sha256(doc), account.privateKey);
  const tx = TxRaw.encode({ bodyBytes, authInfoBytes, signatures: [signature] });
  signedBefore.set(key, tx);
  return tx;
}
