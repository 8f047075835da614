import { AddressCodec } from '../framework/address.ts';
import type { Module, ModuleAccountSpec } from '../framework/module.ts';
import { createAttributionModule } from '../modules/attribution/module.ts';
import type { AuthKeeper } from '../modules/auth/keeper.ts';
import { createAuthModule } from '../modules/auth/module.ts';
import type { Bank } from '../modules/bank/keeper.ts';
import { createBankModule } from '../modules/bank/module.ts';
import type { Consensus } from '../modules/consensus/keeper.ts';
import { createConsensusModule } from '../modules/consensus/module.ts';
import { createDatanetModule } from '../modules/datanet/module.ts';
import { createModelModule } from '../modules/models/module.ts';
import { createPaymentModule } from '../modules/payments/module.ts';

/** Accounts of modules. Their account numbers follow this order; append only. */
export const MODULE_ACCOUNTS: readonly ModuleAccountSpec[] = [
  { name: 'fee_collector', permissions: [] },
  { name: 'gov', permissions: ['burner'] },
  { name: 'community_pool', permissions: [] },
  { name: 'payments', permissions: [] },
];

/** The state machine taken apart: what the application drives, and the keepers it talks to itself. */
export interface Composition {
  readonly addresses: AddressCodec;
  /** In the order of genesis and of begin- and end-block hooks. */
  readonly modules: readonly Module[];
  readonly auth: AuthKeeper;
  readonly bank: Bank;
  readonly consensus: Consensus;
}

/** Makes all modules and hands each the capabilities that it needs. */
export function composeModules(prefix: string): Composition {
  const addresses = new AddressCodec(prefix);
  const consensus = createConsensusModule(addresses);
  const auth = createAuthModule(addresses, MODULE_ACCOUNTS);
  const bank = createBankModule({ accounts: auth.keeper, addresses });
  return {
    addresses,
    modules: [consensus.module, auth.module, bank.module, ...nativeModules(addresses, bank.keeper)],
    auth: auth.keeper,
    bank: bank.keeper,
    consensus: consensus.keeper,
  };
}

/** The economic loop: contribute, snapshot, register, infer, attribute, pay. */
function nativeModules(addresses: AddressCodec, bank: Bank): readonly Module[] {
  const datanet = createDatanetModule({ addresses });
  const datanets = datanet.keeper;
  const models = createModelModule({ addresses, datanets });
  const attribution = createAttributionModule({ addresses, datanets });
  const payments = createPaymentModule({
    addresses,
    bank,
    datanets,
    models: models.keeper,
    attribution: attribution.keeper,
    platformAccount: 'community_pool',
    stakersAccount: 'fee_collector',
  });
  return [datanet.module, models.module, attribution.module, payments.module];
}

/** Names of all substores: what the multistore has to be opened with. */
export function storeNames(modules: readonly Module[]): readonly string[] {
  return modules.flatMap((module) => module.storeNames);
}
