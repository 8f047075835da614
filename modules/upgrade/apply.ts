/** Carrying an upgrade out: its handler, the migrations of modules, the notes of it. */
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { byCodeUnit, JsonReader } from '../../framework/json.ts';
import type { Module } from '../../framework/module.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { clearPlan } from './plans.ts';
import type { UpgradeCore } from './ports.ts';
import type { ModuleVersions, Upgrade } from './types.ts';

const DONE = Uint8Array.of(1);

/** Versions that state says the modules have, in the order of their names. */
export function moduleVersions(k: UpgradeCore, context: ReadContext): ModuleVersions {
  return new Map([...k.state.versions.iterate(context)].map(([name, version]) => [name, Number(version)]));
}

/** Notes versions; those of other modules stay. */
export function setModuleVersions(k: UpgradeCore, context: Context, versions: ModuleVersions): void {
  for (const [name, version] of [...versions].sort(([a], [b]) => byCodeUnit(a, b)))
    k.state.versions.set(context, name, BigInt(version));
}

/** Versions that this program's modules have. */
export function ownVersions(k: UpgradeCore): ModuleVersions {
  return new Map(k.modules().map(({ name, consensusVersion }) => [name, consensusVersion]));
}

/** Carries a plan out and forgets it. In the SDK's order of reads and writes. */
export function applyUpgrade(k: UpgradeCore, context: Context, { plan, upgrade }: DuePlan): void {
  const from = moduleVersions(k, context);
  const migrate = (versions: ModuleVersions): ModuleVersions => runMigrations(k, context, versions);
  const run = upgrade.run ?? ((_, work) => work.migrate(work.from));
  setModuleVersions(k, context, run(context, { plan, from, migrate }));
  k.state.protocolVersion.set(context, (k.state.protocolVersion.get(context) ?? 0n) + 1n);
  clearPlan(k, context);
  k.state.done.set(context, [context.block.height, plan.name], DONE);
}

/** A plan whose time has come, and what it needs. */
export interface DuePlan {
  readonly plan: Plan;
  readonly upgrade: Upgrade;
}

/** Modules by name, auth last: the SDK's `DefaultMigrationsOrder`. */
function inMigrationOrder(modules: readonly Module[]): readonly Module[] {
  const rank = ({ name }: Module): number => (name === 'auth' ? 1 : 0);
  return modules.toSorted((a, b) => rank(a) - rank(b) || byCodeUnit(a.name, b.name));
}

function runMigrations(k: UpgradeCore, context: Context, from: ModuleVersions): ModuleVersions {
  const reached = new Map<string, number>();
  for (const module of inMigrationOrder(k.modules())) {
    const version = from.get(module.name);
    if (version === undefined) beginModule(context, module);
    else migrateModule(context, module, version);
    reached.set(module.name, module.consensusVersion);
  }
  return reached;
}

/** A module that the chain has not had before. */
function beginModule(context: Context, { name, genesis }: Module): void {
  if (genesis === undefined) return;
  const section = new JsonReader(genesis.defaults(), `app_state.${name}`);
  const updates = genesis.init(context, section);
  if (updates.length > 0)
    throw new StateError(sdkErrors.logic, `module ${name} is new and must not change the validator set`);
}

function migrateModule(context: Context, { name, consensusVersion, migrations }: Module, from: number): void {
  for (let version = from; version < consensusVersion; version++) {
    const migrate = migrations?.get(version);
    if (migrate === undefined)
      throw new StateError(
        sdkErrors.notFound,
        `no migration found for module ${name} from version ${version} to version ${version + 1}`,
      );
    migrate(context);
  }
}
