/** `genesis gentx`: the transaction that makes a node a validator from the first block on. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { composeModules } from '../../app/modules.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { amountOf, type Coin, coinsFromString } from '../../framework/coins.ts';
import { canonicalJson, type JsonObject, JsonReader } from '../../framework/json.ts';
import { genesisBalance } from '../../genesis/edit.ts';
import { type GenTxOrder, signGenTx } from '../../genesis/gentx.ts';
import { genTxFromJson } from '../../modules/genutil/gentx.ts';
import { parseListenAddress } from '../../node/config/address.ts';
import { secp256k1Signer } from '../../node/crypto/secp256k1.ts';
import { machineFiles } from '../../node/privval/durable-file.ts';
import { readKeyFile } from '../../node/privval/key-file.ts';
import { peerIdOfKey } from '../../p2p/identity.ts';
import { systemCode, usageError } from '../failure.ts';
import { makeSigner } from '../home/create.ts';
import { makeFolder } from '../home/folder.ts';
import { readNodeKey } from '../home/node-key.ts';
import { accountAddress, type AccountKey } from '../wallet/hd.ts';
import { Keyring, type KeyringBackend } from '../wallet/keyring.ts';
import { type OpenedGenesis, openGenesis } from './file.ts';

/** What was asked for. */
export interface MakeGenTxOptions {
  readonly home: string;
  readonly keyringBackend: KeyringBackend;
  readonly passphrase: string | undefined;
  /** Name of the operator's key in the home's keyring. */
  readonly key: string;
  /** What it delegates to itself, such as `100000000uopen`. */
  readonly amount: string;
  readonly moniker?: string;
  readonly identity: string;
  readonly website: string;
  readonly securityContact: string;
  readonly details: string;
  readonly commissionRate: string;
  readonly commissionMaxRate: string;
  readonly commissionMaxChangeRate: string;
  readonly minSelfDelegation: string;
  readonly ip: string;
  readonly outputDocument?: string;
}

/** Where genesis transactions are, in a home. */
export function genTxFolder(home: string): string {
  return join(home, 'config', 'gentx');
}

/**
 * Makes and signs the genesis transaction of the node in a home.
 * @returns the file that it was written to
 * @throws LedgerError `cli.usage`, `keys.not_found`, `keys.passphrase`, `genesis.invalid`, `home.missing`
 */
export async function makeGenTx(options: MakeGenTxOptions): Promise<string> {
  const genesis = openGenesis(options.home);
  const amount = coinOf(options.amount);
  const key = new Keyring(options.home, options.keyringBackend).open(options.key, options.passphrase);
  requireStake(genesis, accountAddress(genesis.prefix, key.publicKey), amount);
  const peerId = await peerIdOfKey(readNodeKey(genesis.home.paths.nodeKeyFile));
  const order = await orderOf(options, { genesis, amount, peerId });
  const text = `${canonicalJson(genTxJson(order, key))}\n`;
  const file = options.outputDocument ?? join(genTxFolder(options.home), `gentx-${peerId}.json`);
  makeFolder(dirname(file));
  writeNew(file, text);
  return file;
}

/**
 * The signed transaction.
 * @throws LedgerError `cli.usage` when the chain would refuse it
 */
export function genTxJson(order: GenTxOrder, key: AccountKey): JsonObject {
  const { addresses, router } = composeModules(order.prefix);
  const { publicKey, sign } = secp256k1Signer(key.privateKey);
  try {
    const genTx = signGenTx(order, { publicKey, sign }, router.types);
    genTxFromJson(new JsonReader(genTx, 'gentx'), { addresses, router });
    return genTx;
  } catch (cause) {
    throw usageError(`the chain would refuse this genesis transaction: ${messageOf(cause)}`);
  }
}

async function orderOf(
  options: MakeGenTxOptions,
  made: { readonly genesis: OpenedGenesis; readonly amount: Coin; readonly peerId: string },
): Promise<GenTxOrder> {
  const { home, document, prefix } = made.genesis;
  const { node, paths } = home;
  const { publicKey: consensusKey } = await readKeyFile(paths.privValidatorKeyFile, makeSigner, machineFiles);
  const { port } = parseListenAddress(node.p2p.laddr);
  const { identity, website, securityContact, details } = options;
  const moniker = options.moniker ?? node.base.moniker;
  return {
    chainId: document.chainId,
    prefix,
    consensusKey,
    amount: made.amount,
    description: { moniker, identity, website, securityContact, details },
    commission: {
      rate: options.commissionRate,
      maxRate: options.commissionMaxRate,
      maxChangeRate: options.commissionMaxChangeRate,
    },
    minSelfDelegation: wholeNumber('--min-self-delegation', options.minSelfDelegation),
    memo: `${made.peerId}@${options.ip}:${port}`,
  };
}

/** What would otherwise be found only when all transactions are collected. */
function requireStake({ document, file }: OpenedGenesis, address: string, amount: Coin): void {
  const bondDenom = bondDenomOf(new JsonReader(document.appState, 'app_state'));
  if (amount.denom !== bondDenom)
    throw usageError(
      `${amount.denom} cannot be staked: app_state.staking.params.bond_denom of ${file} is ${bondDenom}; ` +
        'change it there, or make the home with init --default-denom',
    );
  const has = amountOf(genesisBalance(document, address), amount.denom);
  if (has < amount.amount)
    throw usageError(
      `${address} has ${has}${amount.denom} in ${file}, less than ${amount.amount}${amount.denom}; ` +
        'give it more with genesis add-genesis-account',
    );
}

/** The SDK's default where the document says nothing. */
function bondDenomOf(appState: JsonReader): string {
  const staking = appState.member('staking');
  return staking.present ? staking.member('params').member('bond_denom').text() : 'stake';
}

function coinOf(text: string): Coin {
  try {
    const [coin, ...others] = coinsFromString(text);
    if (coin !== undefined && others.length === 0) return coin;
  } catch {
    // said below
  }
  throw usageError(`"${text}" is no amount of one coin, such as 100000000uopen`);
}

function wholeNumber(option: string, text: string): bigint {
  if (!/^\d{1,70}$/.test(text)) throw usageError(`${option} must be a whole number, not ${text}`);
  return BigInt(text);
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST')
      throw new LedgerError('genesis.gentx', `${file} exists already; delete it first, or name another file`);
    throw cause;
  }
}
