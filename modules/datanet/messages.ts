import type { Address, AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import {
  Admission,
  type Contribution,
  ContributionState,
  type Datanet,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as wire from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { datanetErrors } from './errors.ts';
import { allowListUpdated } from './events.ts';
import type { Datanets, NewContribution } from './keeper.ts';
import { validateParams } from './params.ts';
import type { DatanetState } from './state.ts';
import { checkContributionLimits, checkText, validateContribution, validateDatanet } from './validate.ts';

/** What the messages work with. */
export interface DatanetMessagePorts {
  readonly datanets: Datanets;
  readonly state: DatanetState;
  readonly addresses: AddressCodec;
}

/** `openledger.datanet.v1.Msg`. */
export function datanetMessages(ports: DatanetMessagePorts): readonly MessageRoute[] {
  return [
    messageRoute(createDatanet(ports)),
    messageRoute(updateAllowList(ports)),
    messageRoute(contribute(ports)),
    messageRoute(withdrawContribution(ports)),
    messageRoute(publishSnapshot(ports)),
    paramsMessage(wire, {
      addresses: ports.addresses,
      validate: validateParams,
      set: (context, params) => ports.state.params.set(context, params),
    }),
  ];
}

function createDatanet({
  datanets,
  state,
}: DatanetMessagePorts): MessageHandler<wire.MsgCreateDatanet, wire.MsgCreateDatanetResponse, void> {
  return {
    type: wire.MsgCreateDatanet,
    response: wire.MsgCreateDatanetResponse,
    signers: (message) => [message.owner],
    validate: validateDatanet,
    check(context, { slug, schema }) {
      const kind = datanetErrors.invalidDatanet;
      checkText({ text: schema, what: 'schema', params: datanets.params(context), kind });
      const taken = state.bySlug.find(context, slug);
      if (taken !== undefined)
        throw new StateError(datanetErrors.slugTaken, `'${slug}' is datanet ${taken}; choose another slug`);
    },
    execute: (context, message) => ({ datanetId: datanets.createDatanet(context, message).id }),
  };
}

interface AllowListChange {
  readonly add: readonly Address[];
  readonly remove: readonly Address[];
}

function updateAllowList({
  datanets,
  state,
  addresses,
}: DatanetMessagePorts): MessageHandler<
  wire.MsgUpdateAllowList,
  wire.MsgUpdateAllowListResponse,
  AllowListChange
> {
  const changeOf = (message: wire.MsgUpdateAllowList): AllowListChange => ({
    add: message.add.map((text) => addresses.toBytes(text)),
    remove: message.remove.map((text) => addresses.toBytes(text)),
  });
  return {
    type: wire.MsgUpdateAllowList,
    response: wire.MsgUpdateAllowListResponse,
    signers: (message) => [message.owner],
    validate(message) {
      if (message.add.length + message.remove.length === 0)
        throw new StateError(datanetErrors.invalidAllowList, 'add or remove at least one address');
      changeOf(message);
    },
    check(context, message) {
      const datanet = requireOwned(datanets, context, { id: message.datanetId, owner: message.owner });
      if (datanet.admission !== Admission.ADMISSION_ALLOW_LIST)
        throw new StateError(datanetErrors.invalidAllowList, `datanet ${datanet.id} has no allow-list`);
      const changes = message.add.length + message.remove.length;
      const { allowListChangesMax } = datanets.params(context);
      if (changes > allowListChangesMax)
        throw new StateError(
          datanetErrors.invalidAllowList,
          `${changes} changes in one message, at most ${allowListChangesMax} are allowed`,
        );
      return changeOf(message);
    },
    execute(context, { datanetId }, { add, remove }) {
      for (const address of add) state.allowList.add(context, [datanetId, address]);
      for (const address of remove) state.allowList.remove(context, [datanetId, address]);
      context.emit(allowListUpdated({ datanetId, added: add.length, removed: remove.length }));
      return {};
    },
  };
}

function contribute({
  datanets,
  addresses,
}: DatanetMessagePorts): MessageHandler<wire.MsgContribute, wire.MsgContributeResponse, NewContribution> {
  return {
    type: wire.MsgContribute,
    response: wire.MsgContributeResponse,
    signers: (message) => [message.contributor],
    validate: validateContribution,
    check(context, message) {
      const datanet = datanets.requireDatanet(context, message.datanetId);
      checkContributionLimits(message, datanets.params(context));
      if (message.mediaType !== '' && message.mediaType !== datanet.mediaType)
        throw new StateError(
          datanetErrors.invalidContribution,
          `media_type ${message.mediaType} does not belong into datanet ${datanet.id}, which holds ${datanet.mediaType}`,
        );
      datanets.checkAdmission(context, datanet, addresses.toBytes(message.contributor));
      datanets.checkContent(context, datanet.id, message.root);
      return { ...message, mediaType: datanet.mediaType };
    },
    execute(context, _, given) {
      const pending = datanets.contribute(context, given);
      const { id, state, canonicalId } = datanets.accept(context, pending);
      return { contributionId: id, state, canonicalId };
    },
  };
}

function withdrawContribution({
  datanets,
}: DatanetMessagePorts): MessageHandler<
  wire.MsgWithdrawContribution,
  wire.MsgWithdrawContributionResponse,
  Contribution
> {
  return {
    type: wire.MsgWithdrawContribution,
    response: wire.MsgWithdrawContributionResponse,
    signers: (message) => [message.contributor],
    validate: () => undefined,
    check(context, { contributor, contributionId: id }) {
      const found = datanets.contribution(context, id);
      if (found === undefined)
        throw new StateError(
          datanetErrors.unknownContribution,
          `there is no contribution ${id}; check the id`,
        );
      if (found.contributor !== contributor)
        throw new StateError(datanetErrors.notContributor, `contribution ${id} is of ${found.contributor}`);
      if (found.state !== ContributionState.CONTRIBUTION_STATE_ACCEPTED)
        throw new StateError(
          datanetErrors.notAccepted,
          `contribution ${id} is not accepted (state ${found.state}), so it cannot be withdrawn`,
        );
      return found;
    },
    execute(context, _, accepted) {
      datanets.withdraw(context, accepted);
      return {};
    },
  };
}

function publishSnapshot({
  datanets,
}: DatanetMessagePorts): MessageHandler<wire.MsgPublishSnapshot, wire.MsgPublishSnapshotResponse, void> {
  return {
    type: wire.MsgPublishSnapshot,
    response: wire.MsgPublishSnapshotResponse,
    signers: (message) => [message.publisher],
    validate: () => undefined,
    check(context, { datanetId, publisher }) {
      requireOwned(datanets, context, { id: datanetId, owner: publisher });
      const { accepted } = datanets.totals(context, datanetId);
      const latest = datanets.latestSnapshot(context, datanetId);
      if (accepted === (latest?.count ?? 0n))
        throw new StateError(
          datanetErrors.nothingToPublish,
          `datanet ${datanetId} has no accepted contribution that is not in snapshot ${latest?.id ?? 'yet'}`,
        );
    },
    execute(context, { datanetId, publisher }) {
      const { id, version, root, count } = datanets.publishSnapshot(context, datanetId, publisher);
      return { snapshotId: id, version, root, count };
    },
  };
}

function requireOwned(
  datanets: Datanets,
  context: ReadContext,
  wanted: { readonly id: bigint; readonly owner: string },
): Datanet {
  const datanet = datanets.requireDatanet(context, wanted.id);
  if (datanet.owner !== wanted.owner)
    throw new StateError(
      datanetErrors.notOwner,
      `datanet ${wanted.id} belongs to ${datanet.owner}, not to ${wanted.owner}`,
    );
  return datanet;
}
