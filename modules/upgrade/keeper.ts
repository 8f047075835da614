import type { ReadContext } from '../../framework/context.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { moduleVersions } from './apply.ts';
import { nextStep } from './pre-block.ts';
import type { UpgradeCore } from './ports.ts';
import type { ModuleVersions, Upgrade, UpgradeView } from './types.ts';

/** Upgrade, as the application sees it. */
export class Upgrades implements UpgradeView {
  readonly #core: UpgradeCore;

  constructor(core: UpgradeCore) {
    this.#core = core;
  }

  plan(context: ReadContext): Plan | undefined {
    return this.#core.state.plan.get(context);
  }

  moduleVersions(context: ReadContext): ModuleVersions {
    return moduleVersions(this.#core, context);
  }

  /**
   * The upgrade that a block of this height carries out; undefined when it carries out none.
   * @throws UpgradeError when this program cannot make the block
   */
  due(context: ReadContext, height: bigint): Upgrade | undefined {
    const step = nextStep(this.#core, context, height);
    return step.kind === 'apply' ? step.upgrade : undefined;
  }
}
