import { AssertionError } from '../core/errors.ts';
import { AddressCodec } from '../framework/address.ts';
import { authorizationRoute } from '../framework/authorization.ts';
import { MessageRouter } from '../framework/message.ts';
import type { Module, ModuleAccountSpec } from '../framework/module.ts';
import type { SignatureVerifier } from '../framework/tx/signature.ts';
import { StatementVerifier } from '../framework/tx/statement.ts';
import { createAttributionModule } from '../modules/attribution/module.ts';
import type { AuthKeeper } from '../modules/auth/keeper.ts';
import { createAuthModule } from '../modules/auth/module.ts';
import { createVestingModule } from '../modules/vesting/module.ts';
import { createAuthzModule } from '../modules/authz/module.ts';
import type { Bank } from '../modules/bank/keeper.ts';
import { createBankModule } from '../modules/bank/module.ts';
import type { SendRestriction } from '../modules/bank/types.ts';
import type { Consensus } from '../modules/consensus/keeper.ts';
import { createChannelModule } from '../modules/channels/module.ts';
import { createConsensusModule } from '../modules/consensus/module.ts';
import { createDatanetModule } from '../modules/datanet/module.ts';
import type { Distribution } from '../modules/distribution/keeper.ts';
import { createDistributionModule, type DistributionModule } from '../modules/distribution/module.ts';
import type { DistributionAddresses } from '../modules/distribution/ports.ts';
import { createEvidenceModule } from '../modules/evidence/module.ts';
import type { FeeGrants } from '../modules/feegrant/keeper.ts';
import { createFeegrantModule } from '../modules/feegrant/module.ts';
import { createGenutilModule, type GenutilModule } from '../modules/genutil/module.ts';
import { createGovModule } from '../modules/gov/module.ts';
import { createMintModule } from '../modules/mint/module.ts';
import { createModelModule } from '../modules/models/module.ts';
import { createPaymentModule } from '../modules/payments/module.ts';
import { createPoolsModule } from '../modules/pools/module.ts';
import { createSettlementModule } from '../modules/settlement/module.ts';
import type { Slashing } from '../modules/slashing/keeper.ts';
import { createSlashingModule, type SlashingModule } from '../modules/slashing/module.ts';
import type { SlashingAddresses } from '../modules/slashing/ports.ts';
import { StakingHookList } from '../modules/staking/hooks.ts';
import type { Staking } from '../modules/staking/keeper.ts';
import { stakeAuthorization } from '../modules/staking/stake-authorization.ts';
import { createStakingModule } from '../modules/staking/module.ts';
import type { Upgrades } from '../modules/upgrade/keeper.ts';
import { createUpgradeModule } from '../modules/upgrade/module.ts';
import type { UpgradeSettings } from '../modules/upgrade/ports.ts';

/** Accounts of modules. Their account numbers follow this order; append only. */
export const MODULE_ACCOUNTS: readonly ModuleAccountSpec[] = [
  { name: 'fee_collector', permissions: [] },
  { name: 'gov', permissions: ['burner'] },
  { name: 'distribution', permissions: [] },
  { name: 'payments', permissions: [] },
  { name: 'bonded_tokens_pool', permissions: ['burner', 'staking'] },
  { name: 'not_bonded_tokens_pool', permissions: ['burner', 'staking'] },
  { name: 'mint', permissions: ['minter'] },
  { name: 'attribution', permissions: [] },
  { name: 'channels', permissions: [] },
  { name: 'pools', permissions: [] },
  { name: 'settlement', permissions: [] },
];

/**
 * Whose begin-block hooks come first, in the SDK's order: rewards are given out before anyone is punished, and
 * history is written of validators that have been. The others follow in the order of the modules.
 */
const BEGIN_BLOCK_ORDER: readonly string[] = ['mint', 'distribution', 'slashing', 'evidence', 'staking'];

/** The state machine taken apart: what the application drives, and the keepers it talks to itself. */
export interface Composition {
  readonly addresses: AddressCodec;
  /** Of operators of validators: `…valoper`. */
  readonly validatorAddresses: AddressCodec;
  /** Of consensus keys: `…valcons`. */
  readonly consensusAddresses: AddressCodec;
  /** In the order of genesis and of end-block hooks. */
  readonly modules: readonly Module[];
  /** The same modules in the order of begin-block hooks. */
  readonly beginBlockers: readonly Module[];
  readonly auth: AuthKeeper;
  readonly bank: Bank;
  readonly consensus: Consensus;
  readonly staking: Staking;
  /** Who is told of validators and delegations: modules add themselves here. */
  readonly stakingHooks: StakingHookList;
  readonly distribution: Distribution;
  readonly slashing: Slashing;
  readonly feegrant: FeeGrants;
  readonly upgrades: Upgrades;
  /** Reads the genesis transactions, which the application delivers. */
  readonly genutil: Pick<GenutilModule, 'genTxs'>;
  /** Every message of the modules, and what an `Any` in one may hold. */
  readonly router: MessageRouter;
}

/** What a program may have besides. */
export interface CompositionSettings extends UpgradeSettings {
  /** Checks what was signed off the chain. Without it no such statement can be judged. */
  readonly verifier?: SignatureVerifier;
  /** Modules of its own, after all others. */
  readonly furtherModules?: readonly Module[];
  /** Rules of its own about transfers. */
  readonly sendRestrictions?: readonly SendRestriction[];
}

/** Of a composition that executes nothing: one that only lists modules and messages. */
const NO_VERIFIER: SignatureVerifier = {
  verify(): never {
    throw new AssertionError('the composition was made without a verifier of signatures');
  },
};

/** Makes all modules and hands each the capabilities that it needs. */
export function composeModules(prefix: string, settings: CompositionSettings = {}): Composition {
  const addresses = new AddressCodec(prefix);
  const validatorAddresses = new AddressCodec(`${prefix}valoper`);
  const consensusAddresses = new AddressCodec(`${prefix}valcons`);
  const consensus = createConsensusModule(addresses);
  const auth = createAuthModule(addresses, MODULE_ACCOUNTS);
  const { sendRestrictions = [], verifier = NO_VERIFIER } = settings;
  const statements = new StatementVerifier({ verifier, accounts: auth.keeper, addresses });
  const bank = createBankModule({ accounts: auth.keeper, addresses, sendRestrictions });
  const stakingHooks = new StakingHookList();
  const staking = createStakingModule({
    addresses: { accounts: addresses, validators: validatorAddresses },
    bank: bank.keeper,
    consensus: consensus.keeper,
    hooks: stakingHooks,
  });
  const codecs = { accounts: addresses, validators: validatorAddresses, consensus: consensusAddresses };
  const { mint, distribution } = createRewards(codecs, bank.keeper, staking.keeper);
  stakingHooks.add(distribution.hooks);
  const { slashing, evidence } = createPunishment(codecs, consensus.keeper, staking.keeper);
  stakingHooks.add(slashing.hooks);
  const common = { addresses, accounts: auth.keeper, bank: bank.keeper, router: () => router };
  const feegrant = createFeegrantModule(common);
  const authorizations = [...bank.authorizations, authorizationRoute(stakeAuthorization)];
  const authz = createAuthzModule({ ...common, authorizations });
  const genutil = createGenutilModule(common);
  const gov = createGovModule({ ...common, staking: staking.keeper, distribution: distribution.keeper });
  const upgrade = createUpgradeModule({ ...settings, addresses, modules: () => modules });
  // Distribution comes before staking: its first state is there when staking's genesis tells of delegations.
  const modules: readonly Module[] = [
    upgrade.module,
    consensus.module,
    auth.module,
    bank.module,
    mint,
    distribution.module,
    staking.module,
    slashing.module,
    evidence,
    gov,
    genutil.module,
    feegrant.module,
    authz,
    createVestingModule({ accounts: auth.keeper, bank: bank.keeper, addresses }),
    ...nativeModules(addresses, { bank: bank.keeper, distribution: distribution.keeper, statements }),
    ...(settings.furtherModules ?? []),
  ];
  const router: MessageRouter = new MessageRouter(
    modules.flatMap((module) => module.messages),
    modules.flatMap((module) => module.anyTypes ?? []),
  );
  return {
    addresses,
    validatorAddresses,
    consensusAddresses,
    modules,
    beginBlockers: inBeginBlockOrder(modules),
    auth: auth.keeper,
    bank: bank.keeper,
    consensus: consensus.keeper,
    staking: staking.keeper,
    stakingHooks,
    distribution: distribution.keeper,
    slashing: slashing.keeper,
    feegrant: feegrant.keeper,
    upgrades: upgrade.keeper,
    genutil,
    router,
  };
}

function inBeginBlockOrder(modules: readonly Module[]): readonly Module[] {
  const first = BEGIN_BLOCK_ORDER.flatMap((name) => modules.filter((module) => module.name === name));
  return [...first, ...modules.filter((module) => !first.includes(module))];
}

/** What those who stake earn. */
function createRewards(
  addresses: DistributionAddresses,
  bank: Bank,
  staking: Staking,
): { readonly mint: Module; readonly distribution: DistributionModule } {
  const ports = { bank, staking, feeCollector: 'fee_collector' };
  return {
    mint: createMintModule({ ...ports, addresses: addresses.accounts }),
    distribution: createDistributionModule({ ...ports, addresses }),
  };
}

/** What becomes of validators that do not do their duty. */
function createPunishment(
  addresses: SlashingAddresses,
  consensus: Consensus,
  staking: Staking,
): { readonly slashing: SlashingModule; readonly evidence: Module } {
  const slashing = createSlashingModule({ addresses, staking });
  const ports = { addresses, consensus, staking, slashing: slashing.keeper };
  // Nobody judges evidence that transactions bring, as in the SDK's own application.
  return { slashing, evidence: createEvidenceModule({ ...ports, handlers: new Map() }) };
}

interface NativePorts {
  readonly bank: Bank;
  readonly distribution: Distribution;
  /** For what is signed off the chain. */
  readonly statements: StatementVerifier;
}

/** The economic loop: contribute, snapshot, register, infer, attribute, pay. */
function nativeModules(
  addresses: AddressCodec,
  { bank, distribution, statements }: NativePorts,
): readonly Module[] {
  const pools = createPoolsModule({
    addresses,
    bank,
    communityPool: distribution,
    withdrawAddresses: distribution,
  });
  const datanet = createDatanetModule({ addresses });
  const datanets = datanet.keeper;
  datanets.addHooks(pools.keeper);
  const models = createModelModule({ addresses, datanets });
  models.keeper.addHooks(pools.keeper);
  const attribution = createAttributionModule({
    addresses,
    bank,
    datanets,
    models: models.keeper,
    communityPool: distribution,
  });
  const payments = createPaymentModule({
    addresses,
    bank,
    datanets,
    models: models.keeper,
    attribution: attribution.keeper,
    pools: pools.keeper,
    communityPool: distribution,
    stakersAccount: 'fee_collector',
    statements,
  });
  attribution.keeper.addHooks(payments.keeper);
  const settlement = createSettlementModule({
    addresses,
    bank,
    datanets,
    attribution: attribution.keeper,
    models: payments.modelMoney,
    pools: pools.keeper,
    communityPool: distribution,
    stakersAccount: 'fee_collector',
    signatures: statements,
  });
  const channels = createChannelModule({ addresses, bank, statements, router: settlement.router });
  // Pools come first: their genesis brings the slots that datanet's would order, and models' would make.
  return [
    ...[pools.module, datanet.module, models.module, attribution.module, payments.module],
    ...[settlement.module, channels.module],
  ];
}

/** Names of all substores: what the multistore has to be opened with. */
export function storeNames(modules: readonly Module[]): readonly string[] {
  return modules.flatMap((module) => module.storeNames);
}
