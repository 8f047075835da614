import { LedgerError } from '../core/errors.ts';
import { QueryContext } from '../framework/context.ts';
import { unlimitedGas } from '../framework/gas.ts';
import type { Upgrade } from '../modules/upgrade/types.ts';
import type { CommitMultiStore } from '../store/kv.ts';
import { momentOf } from './blocks.ts';
import { type Composition, storeNames } from './modules.ts';

/**
 * Upgrades that this program can carry out. Append one with each release that changes what blocks do; the
 * last one that a chain has behind it must stay.
 */
export const UPGRADES: readonly Upgrade[] = [];

/**
 * Gives the store the substores of the program. They are those of the last commit, or those after the upgrade
 * that is due in the next block.
 * @throws LedgerError `app.stores` when they are neither; UpgradeError when they are others because the
 * program is of another time
 */
export function openStores({ modules, upgrades }: Composition, store: CommitMultiStore): void {
  const { version } = store.lastCommit;
  const names = storeNames(modules);
  const held = store.committedStores;
  if (version === 0n || isSame(held, names)) return;
  const block = momentOf('', version, { seconds: 0n, nanos: 0 });
  const context = new QueryContext(store.at(version), block, unlimitedGas());
  const { added = [], deleted = [], renamed = [] } = upgrades.due(context, version + 1n)?.stores ?? {};
  const gone = [...deleted, ...renamed.map(({ from }) => from)];
  const come = [...added, ...renamed.map(({ to }) => to)];
  const expected = [...held.filter((name) => !gone.includes(name)), ...come];
  if (!isSame(expected, names) || gone.some((name) => !held.includes(name)))
    throw new LedgerError(
      'app.stores',
      `the state of height ${version} is not one of this program: ${difference(held, names)}; start the version ` +
        'that made it, or one with an upgrade that is due in the next block and adds, removes or renames them',
      { version },
    );
  store.useStores(names, renamed);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

function difference(held: readonly string[], names: readonly string[]): string {
  const lacks = names.filter((name) => !held.includes(name));
  const more = held.filter((name) => !names.includes(name));
  const parts = [
    ...(lacks.length > 0 ? [`it lacks ${lacks.join(', ')}`] : []),
    ...(more.length > 0 ? [`it has ${more.join(', ')} besides`] : []),
  ];
  return parts.join(' and ');
}
