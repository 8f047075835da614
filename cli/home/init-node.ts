/** Makes a node that joins a chain, or that begins one as its only validator. */
import { addressOf } from '../../consensus/types/public-key.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { writeFileSync } from 'node:fs';
import { fromBech32 } from '../../core/bech32.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { coinsFromString } from '../../framework/coins.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { formatListenAddress, parseListenAddress } from '../../node/config/address.ts';
import {
  type ConsensusKeyType,
  CONSENSUS_KEY_TYPES,
  isConsensusKeyType,
} from '../../modules/consensus/keys.ts';
import type { AppConfig, NodeConfig } from '../../node/config/config.ts';
import {
  defaultAppConfig,
  defaultNodeConfig,
  readAppConfig,
  readNodeConfig,
  writeAppConfig,
  writeNodeConfig,
} from '../../node/config/toml.ts';
import { usageError } from '../failure.ts';
import { CHAIN_ID_FORM, checkForm, DENOM_FORM } from '../forms.ts';
import { nextFreePort } from '../devnet/ports.ts';
import { createHome } from './create.ts';
import { type CheckedGenesis, checkGenesis, readGenesisFile } from './genesis-file.ts';

const VALIDATOR_POWER = 100n;
/** Stands for the validator's key until there is one: a genesis is checked before anything is written. */
const ANY_KEY: Readonly<Record<ConsensusKeyType, PublicKey>> = {
  ed25519: { type: 'ed25519', bytes: new Uint8Array(32) },
  secp256k1: { type: 'secp256k1', bytes: new Uint8Array(33) },
};
/** Beyond the ports that a devnet of ten takes. */
const PORT_STEP = 100;

/** What was asked for. */
export interface InitNodeOptions {
  readonly home: string;
  readonly moniker: string;
  readonly genesis?: string | undefined;
  readonly chainId?: string | undefined;
  /** Chain id of a new chain when none is given. */
  readonly newChainId: string;
  readonly persistentPeers?: string | undefined;
  readonly rpcLaddr?: string | undefined;
  readonly p2pLaddr?: string | undefined;
  readonly minimumGasPrices?: string | undefined;
  /** What is staked on a new chain. */
  readonly defaultDenom?: string | undefined;
  /** `address=coins`, of a new chain. */
  readonly account: readonly string[];
  readonly now: Date;
  /** Of the validator key: ed25519 (default) or secp256k1. */
  readonly keyType?: string | undefined;
}

/** What was made, as it is printed. */
export interface InitializedNode {
  readonly moniker: string;
  readonly chain_id: string;
  readonly home: string;
  readonly genesis: string;
  readonly rpc_laddr: string;
  readonly p2p_laddr: string;
  readonly node_id: string;
  /** Upper-case hexadecimal of the consensus address. */
  readonly validator_address: string;
}

/**
 * Makes the home. Nothing is written unless everything that was given is valid.
 * @throws LedgerError `genesis.file`, `genesis.invalid`, `config.value`, `home.exists`, `cli.usage`
 */
export async function initNode(options: InitNodeOptions): Promise<InitializedNode> {
  if (options.genesis === undefined) checkForm('--chain-id', options.chainId, CHAIN_ID_FORM);
  checkForm('--default-denom', options.defaultDenom, DENOM_FORM);
  const given = options.genesis === undefined ? undefined : readGenesisFile(options.genesis);
  if (given !== undefined) requireChainId(given, options);
  const keyType = keyTypeOf(options, given);
  const node = await nodeConfig(options);
  if (given === undefined) checkGenesis(newGenesis(options, ANY_KEY[keyType]));
  const home = await createHome({ home: options.home, node, app: appConfig(options), keyType });
  const genesis = given ?? checkGenesis(newGenesis(options, home.validatorPublicKey));
  writeFileSync(home.paths.genesisFile, genesis.text);
  return {
    moniker: options.moniker,
    chain_id: genesis.document.chainId,
    home: options.home,
    genesis: home.paths.genesisFile,
    rpc_laddr: node.rpc.laddr,
    p2p_laddr: node.p2p.laddr,
    node_id: home.peerId,
    validator_address: toUpperHex(addressOf(home.validatorPublicKey)),
  };
}

/** The kind of the validator key; the chain that the node joins must allow it. */
function keyTypeOf(
  { keyType = 'ed25519' }: InitNodeOptions,
  given: CheckedGenesis | undefined,
): ConsensusKeyType {
  if (!isConsensusKeyType(keyType))
    throw usageError(`--key-type must be ${CONSENSUS_KEY_TYPES.join(' or ')}`);
  const allowed = given?.document.consensusParams.validator?.pubKeyTypes ?? [keyType];
  if (allowed.includes(keyType)) return keyType;
  throw usageError(
    `--key-type ${keyType}: validators of this chain have keys of type ${allowed.join(' or ')}`,
  );
}

function requireChainId({ document }: CheckedGenesis, options: InitNodeOptions): void {
  if (options.defaultDenom !== undefined)
    throw usageError('--default-denom is of a new chain; leave out --genesis');
  if (options.account.length > 0)
    throw usageError('--account makes accounts of a new chain; leave out --genesis');
  if (options.chainId === undefined || options.chainId === document.chainId) return;
  throw new LedgerError(
    'genesis.invalid',
    `the genesis ${options.genesis} is of chain ${document.chainId}, not of ${options.chainId}`,
  );
}

/**
 * The defaults with what was given; written and read again, so that a wrong value is named as in the file.
 */
async function nodeConfig(options: InitNodeOptions): Promise<NodeConfig> {
  const config = defaultNodeConfig();
  const peers = options.persistentPeers ?? '';
  const text = writeNodeConfig({
    ...config,
    base: { ...config.base, moniker: options.moniker },
    rpc: { ...config.rpc, laddr: options.rpcLaddr ?? (await freeAddress(config.rpc.laddr)) },
    p2p: {
      ...config.p2p,
      laddr: options.p2pLaddr ?? (await freeAddress(config.p2p.laddr)),
      persistentPeers: [peers],
    },
  });
  return readNodeConfig({ file: 'what you gave', text }).config;
}

/** The address, or one with the next free port: a second node on this machine must not need to be told. */
async function freeAddress(laddr: string): Promise<string> {
  const { host, port } = parseListenAddress(laddr);
  return formatListenAddress({ host, port: await nextFreePort({ host, port, step: PORT_STEP }) });
}

function appConfig(options: InitNodeOptions): AppConfig {
  const minimumGasPrices = options.minimumGasPrices ?? '';
  const text = writeAppConfig({ ...defaultAppConfig(), minimumGasPrices });
  return readAppConfig({ file: 'what you gave', text }).config;
}

function newGenesis(options: InitNodeOptions, { type: keyType, bytes: pubKey }: PublicKey): string {
  const nowMs = BigInt(options.now.getTime());
  const accounts = options.account.map((given) => {
    const [address = '', coins = ''] = given.split('=');
    try {
      fromBech32(address);
      return { address, coins: coinsFromString(coins) };
    } catch (cause) {
      throw usageError(`--account ${given} is not an address and coins: ${messageOf(cause)}`);
    }
  });
  return encodeGenesis(
    buildGenesis({
      chainId: options.chainId ?? options.newChainId,
      genesisTime: { seconds: nowMs / 1000n, nanos: Number(nowMs % 1000n) * 1_000_000 },
      accounts,
      validators: [{ keyType, pubKey, power: VALIDATOR_POWER, name: options.moniker }],
      blockTimeMs: defaultNodeConfig().consensus.timeoutCommitMs,
      ...(options.defaultDenom === undefined ? {} : { bondDenom: options.defaultDenom }),
    }),
  );
}
