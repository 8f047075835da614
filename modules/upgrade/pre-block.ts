/**
 * What happens at the beginning of a block, before everything else. The program is switched exactly at the
 * height of the plan: one that is too old stops there, one that is too new stops before.
 *
 * | plan    | height             | this program   | what happens                              |
 * | ------- | ------------------ | -------------- | ----------------------------------------- |
 * | none    |                    | lacks the last | stops                                     |
 * | waits   | before             | knows it       | stops: too new                            |
 * | waits   | before             | lacks the last | stops                                     |
 * | waits   | reached            | knows it       | carries it out                            |
 * | waits   | reached            | does not       | stops: upgrade needed                     |
 * | waits   | reached, skipped   |                | forgets the plan                          |
 */
import type { Context, ReadContext } from '../../framework/context.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { applyUpgrade, type DuePlan } from './apply.ts';
import { UpgradeError } from './errors.ts';
import { clearPlan, lastDone } from './plans.ts';
import type { UpgradeCore } from './ports.ts';
import type { Upgrade, UpgradeNotice } from './types.ts';

type Step = { readonly kind: 'go on' } | { readonly kind: 'skip'; readonly plan: Plan } | Due;
type Due = { readonly kind: 'apply' } & DuePlan;

/** @throws UpgradeError when this program cannot make the block */
export function preBlock(k: UpgradeCore, context: Context): void {
  const step = nextStep(k, context, context.block.height);
  switch (step.kind) {
    case 'go on':
      return;
    case 'skip':
      clearPlan(k, context);
      tell(k, 'skipped', step.plan);
      return;
    case 'apply':
      applyUpgrade(k, context, step);
      tell(k, 'applied', step.plan);
  }
}

/**
 * What a block of this height has to do with the plan.
 * @throws UpgradeError when this program cannot make it
 */
export function nextStep(k: UpgradeCore, context: ReadContext, height: bigint): Step {
  const plan = k.state.plan.get(context);
  const isDue = plan !== undefined && plan.height <= height;
  const isSkipped = k.skipHeights?.includes(height) ?? false;
  if (!isDue || isSkipped) requireLastUpgrade(k, context);
  if (plan === undefined) return { kind: 'go on' };
  const upgrade = upgradeOf(k, plan.name);
  if (isDue) {
    if (isSkipped) return { kind: 'skip', plan };
    if (upgrade === undefined) throw new UpgradeError('upgrade.needed', upgradeNeeded(plan), plan);
    return { kind: 'apply', plan, upgrade };
  }
  if (upgrade !== undefined)
    throw new UpgradeError(
      'upgrade.early',
      `BINARY UPDATED BEFORE TRIGGER! UPGRADE "${plan.name}" - in binary but not executed on chain. ` +
        `Downgrade your binary; the upgrade is due at height ${plan.height}, the next one is ${height}`,
    );
  return { kind: 'go on' };
}

/** What a node that is too old says: x/upgrade's words (`BuildUpgradeNeededMsg`). */
function upgradeNeeded({ name, height, info }: Plan): string {
  return `UPGRADE "${name}" NEEDED at height: ${height}: ${info}`;
}

function requireLastUpgrade(k: UpgradeCore, context: ReadContext): void {
  const last = lastDone(k, context);
  if (last !== undefined && upgradeOf(k, last) === undefined)
    throw new UpgradeError(
      'upgrade.missing',
      `wrong version of the program: upgrade handler is missing for ${last} upgrade plan, which the chain has behind it`,
    );
}

function upgradeOf(k: UpgradeCore, name: string): Upgrade | undefined {
  return k.upgrades?.find((upgrade) => upgrade.name === name);
}

function tell(k: UpgradeCore, kind: UpgradeNotice['kind'], { name, height, info }: Plan): void {
  k.notify?.({ kind, name, height, info });
}
