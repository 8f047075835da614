import { LedgerError } from '../../core/errors.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';

/** Names of upgrade's failures. */
export type UpgradeErrorName = 'noModuleVersion' | 'invalidSigner';

/** Failures of upgrade, numbered as x/upgrade numbers them (v0.1.4 `types/errors.go`). */
export const upgradeErrors: Readonly<Record<UpgradeErrorName, ErrorKind>> = {
  noModuleVersion: kind(2, 'module version not found'),
  invalidSigner: kind(6, 'expected authority account as only signer for proposal message'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'upgrade', code, description };
}

/**
 * The program is not the one that the chain needs for its next block: the node stops. Codes: `upgrade.needed`
 * (too old; `plan` is given), `upgrade.early` (too new), `upgrade.missing` (it lacks the last upgrade).
 */
export class UpgradeError extends LedgerError {
  /** What is due. */
  readonly plan: Plan | undefined;

  constructor(code: 'upgrade.needed' | 'upgrade.early' | 'upgrade.missing', message: string, plan?: Plan) {
    super(code, message, plan === undefined ? {} : { name: plan.name, height: plan.height, info: plan.info });
    this.name = 'UpgradeError';
    this.plan = plan;
  }
}
