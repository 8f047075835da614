import { moduleAddress } from '../../framework/address.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import * as wire from '../../proto/gen/cosmos/upgrade/v1beta1/tx.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { upgradeErrors } from './errors.ts';
import { checkPlan, clearPlan, schedulePlan } from './plans.ts';
import type { UpgradeCore } from './ports.ts';

/** `cosmos.upgrade.v1beta1.Msg`: for governance. */
export function upgradeMessages(k: UpgradeCore): readonly MessageRoute[] {
  return [messageRoute(msgSoftwareUpgrade(k)), messageRoute(msgCancelUpgrade(k))];
}

/** The account that may plan: that of governance. */
export function authorityOf({ addresses }: UpgradeCore): string {
  return addresses.toText(moduleAddress('gov'));
}

/** @throws StateError (upgrade 6) */
function requireAuthority(k: UpgradeCore, authority: string): void {
  const expected = authorityOf(k);
  if (authority !== expected)
    throw new StateError(upgradeErrors.invalidSigner, `expected ${expected} got ${authority}`);
}

/**
 * Refusals as in x/upgrade's `ScheduleUpgrade`, all of them where state is read: there is no earlier check.
 */
function msgSoftwareUpgrade(
  k: UpgradeCore,
): MessageHandler<wire.MsgSoftwareUpgrade, wire.MsgSoftwareUpgradeResponse, Plan> {
  return {
    type: wire.MsgSoftwareUpgrade,
    response: wire.MsgSoftwareUpgradeResponse,
    signers: ({ authority }) => [authority],
    validate: () => undefined,
    check(context, { authority, plan }) {
      requireAuthority(k, authority);
      return checkPlan(k, context, plan);
    },
    execute(context, _, plan) {
      schedulePlan(k, context, plan);
      return {};
    },
  };
}

function msgCancelUpgrade(
  k: UpgradeCore,
): MessageHandler<wire.MsgCancelUpgrade, wire.MsgCancelUpgradeResponse, void> {
  return {
    type: wire.MsgCancelUpgrade,
    response: wire.MsgCancelUpgradeResponse,
    signers: ({ authority }) => [authority],
    validate: () => undefined,
    check: (_, { authority }) => requireAuthority(k, authority),
    execute(context) {
      clearPlan(k, context);
      return {};
    },
  };
}
