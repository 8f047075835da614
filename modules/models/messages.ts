import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { LineageEntry, Model, SplitPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import * as wire from '../../proto/gen/openledger/models/v1/tx.ts';
import type { DatanetView } from '../datanet/types.ts';
import { modelErrors } from './errors.ts';
import type { Models } from './keeper.ts';
import { flattenLineage } from './lineage.ts';
import { validateParams } from './params.ts';
import type { ModelState } from './state.ts';
import { checkModelLimits, checkSplit, validateModel } from './validate.ts';

/** What the messages work with. */
export interface ModelMessagePorts {
  readonly models: Models;
  readonly datanets: DatanetView;
  readonly state: ModelState;
  readonly addresses: AddressCodec;
}

interface Registration {
  readonly split: SplitPolicy;
  readonly lineage: readonly LineageEntry[];
}

/** `openledger.models.v1.Msg`. */
export function modelMessages(ports: ModelMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(registerModel(ports)),
    paramsMessage(wire, {
      addresses: ports.addresses,
      validate: validateParams,
      set: (context, params) => ports.state.params.set(context, params),
    }),
  ];
}

function registerModel({
  models,
  datanets,
}: ModelMessagePorts): MessageHandler<wire.MsgRegisterModel, wire.MsgRegisterModelResponse, Registration> {
  return {
    type: wire.MsgRegisterModel,
    response: wire.MsgRegisterModelResponse,
    signers: (message) => [message.owner],
    validate: validateModel,
    check(context, message) {
      const params = models.params(context);
      checkModelLimits(message, params);
      for (const id of message.snapshotIds)
        if (datanets.snapshot(context, id) === undefined)
          throw new StateError(modelErrors.unknownSnapshot, `there is no snapshot ${id}; check snapshot_ids`);
      const split = message.split ?? params.defaultSplit;
      checkSplit(split, params);
      if (message.parentIds.length > params.lineageEntriesMax)
        throw new StateError(
          modelErrors.lineageTooLarge,
          `${message.parentIds.length} parents, at most ${params.lineageEntriesMax} are allowed`,
        );
      const parents = message.parentIds.map((id) => requireParent(models, context, id));
      return { split, lineage: flattenLineage(parents, params) };
    },
    execute: (context, message, { split, lineage }) => ({
      modelId: models.register(context, { ...message, split, lineage }).id,
    }),
  };
}

function requireParent(models: Models, context: ReadContext, id: bigint): Model {
  const parent = models.model(context, id);
  if (parent === undefined)
    throw new StateError(modelErrors.unknownParent, `there is no model ${id}; check parent_ids`);
  return parent;
}
