/** What all nodes of a simulation agree on: genesis, accounts, configuration, and the transactions of clients. */
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { AddressCodec } from '../../framework/address.ts';
import { coinsFromString } from '../../framework/coins.ts';
import type { JsonValue } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { DEFAULT_PARAMS, paramsToWire } from '../../modules/slashing/params.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { GenesisState as SlashingGenesis } from '../../proto/gen/cosmos/slashing/v1beta1/genesis.ts';
import { AuthInfo, SignDoc, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { stakingSections } from '../support/staking-world.ts';
import { signSecp256k1, testAccount, sendMessage, type TestAccount } from '../support/test-chain.ts';
import type { SignatureScheme } from './keys.ts';

/** The chain of every simulation: signed transactions can be used again and again. */
export const CHAIN_ID = 'simulation-1';
export const PREFIX = 'open';
/** Nanoseconds since 1970 at which virtual time begins; the genesis time is the same. */
export const GENESIS_SECONDS = 1_700_000_000n;
const COINS_HELD = 1_000_000_000n;
const COINS = `${COINS_HELD}uopen`;
/** Of the stake's denomination. */
export const TOKENS_PER_POWER = 1_000_000n;
/** Accounts with stake, behind those of the validators' operators, that may become operators. */
export const NEWCOMERS = 2;
/** Stake that was moved is free, and may be moved again, while a run is on. */
const SOON = '3s';
const FEE = '5000';
const TRANSFER_GAS = 200_000n;

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
  /** Power is stake, which operators have bonded; otherwise the set is fixed and nobody is punished. */
  readonly isStaked?: boolean;
  /** Who misses more than half of so many blocks is jailed, and stake is free soon. Default: a hundred. */
  readonly slashingWindow?: bigint | undefined;
}

/** The genesis document of a simulation. */
export function simulationGenesis(options: ChainOptions): GenesisDocument {
  const { powers, accounts: clients, scheme, evidenceBlocks, isStaked = false } = options;
  const count = isStaked ? clients + powers.length + NEWCOMERS : clients;
  const accounts = Array.from({ length: count }, (_, i) => clientAccount(i));
  const keys = (i: number): Uint8Array => scheme.makeSigner(validatorSeed(i), 'ed25519').publicKey;
  const coins = coinsFromString(COINS);
  const document = buildGenesis({
    chainId: CHAIN_ID,
    genesisTime: { seconds: GENESIS_SECONDS, nanos: 0 },
    accounts: accounts.map(({ address }) => ({ address, coins })),
    validators: powers.map((power, i) => ({ pubKey: keys(i), power, name: `v${i}` })),
    ...(isStaked && {
      sections: {
        ...stakingSections({
          validators: powers.map((power) => power * TOKENS_PER_POWER),
          accounts,
          operators: accounts.slice(clients),
          keys,
          coins: COINS_HELD,
          prefix: PREFIX,
          params: { unbonding_time: options.slashingWindow === undefined ? '1814400s' : SOON },
        }),
        slashing: slashingSection(options.slashingWindow),
      },
    }),
  });
  if (evidenceBlocks === undefined) return document;
  const evidence = {
    maxAgeNumBlocks: evidenceBlocks,
    maxAgeDuration: { seconds: 1n, nanos: 0 },
    maxBytes: 1_048_576n,
  };
  return { ...document, consensusParams: { ...document.consensusParams, evidence } };
}

function slashingSection(signedBlocksWindow = DEFAULT_PARAMS.signedBlocksWindow): JsonValue {
  const params = paramsToWire({ ...DEFAULT_PARAMS, signedBlocksWindow });
  return messageToJson(SlashingGenesis, { params, signingInfos: [], missedBlocks: [] });
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

/** A signed transaction of an account. */
export function signedTx(order: {
  readonly from: number;
  readonly sequence: number;
  readonly messages: readonly Any[];
  readonly gas: bigint;
}): Uint8Array {
  const { from, sequence, messages, gas } = order;
  const account = clientAccount(from);
  const bodyBytes = TxBody.encode({
    messages,
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
    fee: { amount: [{ denom: 'uopen', amount: FEE }], gasLimit: gas, payer: '', granter: '' },
    tip: undefined,
  });
  const doc = SignDoc.encode({ bodyBytes, authInfoBytes, chainId: CHAIN_ID, accountNumber: BigInt(from) });
  const signature = signSecp256k1(sha256(doc), account.privateKey);
  return TxRaw.encode({ bodyBytes, authInfoBytes, signatures: [signature] });
}

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
  const messages = [sendMessage(account.address, receiver, `${amount}uopen`)];
  const tx = signedTx({ from, sequence, messages, gas: TRANSFER_GAS });
  signedBefore.set(key, tx);
  return tx;
}
