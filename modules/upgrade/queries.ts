import { EMPTY_BYTES } from '../../core/bytes.ts';
import { StateError } from '../../framework/errors.ts';
import { query, type QueryRoute, queryService } from '../../framework/query.ts';
import * as wire from '../../proto/gen/cosmos/upgrade/v1beta1/query.ts';
import { moduleVersions } from './apply.ts';
import { upgradeErrors } from './errors.ts';
import { authorityOf } from './messages.ts';
import { doneHeight } from './plans.ts';
import type { UpgradeCore } from './ports.ts';

/** `cosmos.upgrade.v1beta1.Query`. What is not there is answered by an empty response, as in the SDK. */
export function upgradeQueries(k: UpgradeCore): readonly QueryRoute[] {
  return queryService(wire.QueryService, {
    CurrentPlan: query(wire.QueryCurrentPlanRequest, wire.QueryCurrentPlanResponse, (context) => ({
      plan: k.state.plan.get(context),
    })),
    AppliedPlan: query(wire.QueryAppliedPlanRequest, wire.QueryAppliedPlanResponse, (context, { name }) => ({
      height: doneHeight(k, context, name),
    })),
    UpgradedConsensusState: query(
      wire.QueryUpgradedConsensusStateRequest,
      wire.QueryUpgradedConsensusStateResponse,
      (context, { lastHeight }) => ({
        upgradedConsensusState:
          k.state.upgradedIbcState.get(context, `${lastHeight}/upgradedConsState`) ?? EMPTY_BYTES,
      }),
    ),
    ModuleVersions: query(
      wire.QueryModuleVersionsRequest,
      wire.QueryModuleVersionsResponse,
      (context, { moduleName }) => {
        const versions = [...moduleVersions(k, context)].map(([name, version]) => ({
          name,
          version: BigInt(version),
        }));
        if (moduleName === '') return { moduleVersions: versions };
        const found = versions.filter(({ name }) => name === moduleName);
        if (found.length === 0)
          throw new StateError(
            upgradeErrors.noModuleVersion,
            `x/upgrade: QueryModuleVersions module ${moduleName} not found`,
          );
        return { moduleVersions: found };
      },
    ),
    Authority: query(wire.QueryAuthorityRequest, wire.QueryAuthorityResponse, () => ({
      address: authorityOf(k),
    })),
  });
}
