/** Makes the homes, keys and genesis of a devnet. It needs the whole state machine, for the genesis. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicKey } from '../../consensus/types/validator.ts';
import type { JsonObject } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { buildGenesis, type FundedAccount, microDenomMetadata } from '../../genesis/build.ts';
import { withGenTxs } from '../../genesis/edit.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { DEFAULT_PARAMS as DEFAULT_ATTRIBUTION_PARAMS } from '../../modules/attribution/params.ts';
import { DEFAULT_PARAMS } from '../../modules/gov/params.ts';
import { DEFAULT_PARAMS as DEFAULT_SETTLEMENT_PARAMS } from '../../modules/settlement/params.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { defaultAppConfig, defaultNodeConfig } from '../../node/config/toml.ts';
import { Params } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { Params as AttributionParams } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Params as SettlementParams } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { Duration } from '../../proto/gen/google/protobuf/duration.ts';
import { checkGenesis } from '../home/genesis-file.ts';
import { createHome } from '../home/create.ts';
import { genTxJson } from '../genesis/gentx.ts';
import { accountAddress, type AccountKey, keyOfMnemonic, mnemonicsOf, newMnemonic } from '../wallet/hd.ts';
import { Keyring } from '../wallet/keyring.ts';
import { accountName, nodeName } from './inventory.ts';
import type { DevnetPlan } from './layout.ts';
import { LOOPBACK } from './ports.ts';
import { type DevnetAccount, type DevnetNode, type DevnetRecord, writeRecord } from './record.ts';

/** What each account starts with, in base units: a million of the token. */
const ACCOUNT_FUNDS = 1_000_000_000_000n;
/** What each validator has delegated to itself: power 100, at 10^6 base units for each. */
const VALIDATOR_STAKE = 100_000_000n;
/** Base units per gas that validators of a devnet ask for: little, but not nothing, as on a real chain. */
const GAS_PRICE = '0.001';
/**
 * When a validator that is down is jailed: the Cosmos Hub's values. With the SDK's defaults one that is
 * stopped for fifty blocks, a few seconds of a devnet, would not come back by itself.
 */
const SLASHING_PARAMS = {
  signed_blocks_window: '10000',
  min_signed_per_window: '0.050000000000000000',
  downtime_jail_duration: '600s',
  slash_fraction_double_sign: '0.050000000000000000',
  slash_fraction_downtime: '0.000100000000000000',
} as const;

/** Makes what the plan says, in a place where nothing of it is. @throws LedgerError `keys.mnemonic` */
export async function makeDevnet(plan: DevnetPlan): Promise<DevnetRecord> {
  const { home, settings } = plan;
  const accounts = createAccounts(plan);
  const nodes: DevnetNode[] = [];
  const operators: Operator[] = [];
  const genesisFiles: string[] = [];
  for (let i = 0; i < settings.validators; i++) {
    const moniker = nodeName(i);
    const node = await createHome({
      home: join(home, moniker),
      node: withMoniker(defaultNodeConfig(), moniker),
      app: { ...defaultAppConfig(), minimumGasPrices: `${GAS_PRICE}${settings.denom}` },
    });
    const key = operatorKey(plan, moniker);
    operators.push({ moniker, key, consensusKey: node.validatorPublicKey });
    genesisFiles.push(node.paths.genesisFile);
    const p2p = `/ip4/${LOOPBACK}/tcp/0/p2p/${node.peerId}`;
    const operator = accountAddress(`${settings.prefix}valoper`, key.publicKey);
    nodes.push({ moniker, home: join(home, moniker), pid: 0, rpc: '', p2p, operator });
  }
  const text = genesisText(plan, accounts, operators);
  checkGenesis(text);
  for (const file of genesisFiles) writeFileSync(file, text);
  const record: DevnetRecord = {
    version: 1,
    chain_id: settings.chainId,
    prefix: settings.prefix,
    denom: settings.denom,
    block_time_ms: settings.blockTimeMs,
    rpc_port: settings.rpcPort,
    nodes,
    accounts,
  };
  writeRecord(home, record);
  return record;
}

/** Names, addresses and mnemonics; the keys also go into a keyring, for `keys --keyring-backend test`. */
function createAccounts({ home, settings, mnemonic }: DevnetPlan): readonly DevnetAccount[] {
  const mnemonics = mnemonicsOf(mnemonic ?? newMnemonic(), settings.accounts);
  const keyring = new Keyring(home, 'test');
  return mnemonics.map((words, i) => {
    const name = accountName(i);
    const key = keyOfMnemonic(words);
    keyring.add(name, key);
    return { name, address: accountAddress(settings.prefix, key.publicKey), mnemonic: words };
  });
}

/** Who runs a validator. */
interface Operator {
  readonly moniker: string;
  readonly key: AccountKey;
  readonly consensusKey: PublicKey;
}

/** A new key, which goes into the keyring under the name of the node. */
function operatorKey({ home }: DevnetPlan, moniker: string): AccountKey {
  const key = keyOfMnemonic(newMnemonic());
  new Keyring(home, 'test').add(moniker, key);
  return key;
}

/** Accounts, and for each validator the transaction that makes it one: staking owns the set. */
function genesisText(
  plan: DevnetPlan,
  accounts: readonly DevnetAccount[],
  operators: readonly Operator[],
): string {
  const { settings, extraAccounts = [], now } = plan;
  const { chainId, prefix, denom } = settings;
  const funded = (address: string): FundedAccount => ({
    address,
    coins: [{ denom, amount: ACCOUNT_FUNDS }],
  });
  const staking = operators.map(({ key }) => ({
    address: accountAddress(prefix, key.publicKey),
    coins: [{ denom, amount: VALIDATOR_STAKE }],
  }));
  const nowMs = BigInt(now.getTime());
  const document = buildGenesis({
    chainId,
    genesisTime: { seconds: nowMs / 1000n, nanos: Number(nowMs % 1000n) * 1_000_000 },
    accounts: [...[...accounts.map(({ address }) => address), ...extraAccounts].map(funded), ...staking],
    validators: [],
    bondDenom: denom,
    blockTimeMs: settings.blockTimeMs,
    denomMetadata: [microDenomMetadata(denom)],
    sections: {
      slashing: { params: SLASHING_PARAMS },
      gov: govSection(denom),
      attribution: attributionSection(denom),
      settlement: settlementSection(denom),
    },
  });
  const genTxs = operators.map(({ moniker, key, consensusKey }) =>
    genTxJson(
      {
        chainId,
        prefix,
        consensusKey,
        amount: { denom, amount: VALIDATOR_STAKE },
        description: { moniker },
      },
      key,
    ),
  );
  return encodeGenesis(withGenTxs(document, genTxs));
}

/** Proposals are decided within minutes: nobody waits two days for a devnet. */
function govSection(denom: string): JsonObject {
  const seconds = (count: bigint): Duration => ({ seconds: count, nanos: 0 });
  const params = messageToJson(Params, {
    ...DEFAULT_PARAMS,
    minDeposit: [{ denom, amount: '10000000' }],
    expeditedMinDeposit: [{ denom, amount: '50000000' }],
    maxDepositPeriod: seconds(120n),
    votingPeriod: seconds(60n),
    expeditedVotingPeriod: seconds(30n),
  });
  return { starting_proposal_id: '1', params };
}

/** Windows of minutes: whoever publishes an index of a devnet claims by it at once. */
function attributionSection(bondDenom: string): JsonObject {
  const windows = { requestBlocks: 30, challengeBlocks: 60, claimBlocks: 60, unbondingBlocks: 120 };
  const params = messageToJson(AttributionParams, {
    ...DEFAULT_ATTRIBUTION_PARAMS,
    ...windows,
    bondDenom,
  });
  return { params };
}

/** An epoch is final while its gateway looks on. */
function settlementSection(bondDenom: string): JsonObject {
  const params = messageToJson(SettlementParams, {
    ...DEFAULT_SETTLEMENT_PARAMS,
    windowBlocks: 10,
    bondDenom,
  });
  return { params };
}

function withMoniker(config: NodeConfig, moniker: string): NodeConfig {
  return { ...config, base: { ...config.base, moniker } };
}
