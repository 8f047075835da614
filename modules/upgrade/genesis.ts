import type { GenesisHandler } from '../../framework/module.ts';
import { ownVersions, setModuleVersions } from './apply.ts';
import type { UpgradeCore } from './ports.ts';

/**
 * Genesis of upgrade: `{}`, as in x/upgrade. A chain begins with the versions of the program's modules; plans
 * are made by governance and are not exported.
 */
export function upgradeGenesis(k: UpgradeCore): GenesisHandler {
  return {
    defaults: () => ({}),
    validate: (json) => json.onlyMembers(),
    init(context) {
      setModuleVersions(k, context, ownVersions(k));
      return [];
    },
    export: () => ({}),
  };
}
