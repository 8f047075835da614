/** What the simulation remembers of what succeeded, so that later messages refer to things that exist. */
import type { BoundMessage } from '../../framework/message.ts';
import { MsgGrant } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { MsgGrantAllowance } from '../../proto/gen/cosmos/feegrant/v1beta1/tx.ts';
import * as gov from '../../proto/gen/cosmos/gov/v1/tx.ts';
import * as legacy from '../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import { MsgUndelegate } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import * as attribution from '../../proto/gen/openledger/attribution/v1/tx.ts';
import * as datanet from '../../proto/gen/openledger/datanet/v1/tx.ts';
import * as models from '../../proto/gen/openledger/models/v1/tx.ts';
import * as payments from '../../proto/gen/openledger/payments/v1/tx.ts';

/** Most things of one kind that are remembered: the oldest are forgotten. */
const REMEMBERED_MAX = 40;

/** Governance's own messages in a proposal, and who proposed it. */
export interface RememberedProposal {
  readonly id: bigint;
  readonly proposer: string;
  readonly typeUrls: readonly string[];
}

/** A model, as it was registered. */
export interface RememberedModel {
  readonly id: bigint;
  readonly message: models.MsgRegisterModel;
}

/** See the file comment. */
export class Memory {
  readonly proposals: RememberedProposal[] = [];
  readonly unbondings: (MsgUndelegate & { readonly height: bigint })[] = [];
  readonly grants: MsgGrant[] = [];
  readonly allowances: MsgGrantAllowance[] = [];
  readonly datanets: { readonly id: bigint; readonly owner: string; readonly open: boolean }[] = [];
  readonly contributions: {
    readonly id: bigint;
    readonly datanetId: bigint;
    readonly title: string;
    readonly contributor: string;
  }[] = [];
  readonly snapshots: { readonly id: bigint; readonly datanetId: bigint }[] = [];
  readonly indexes: {
    readonly id: bigint;
    readonly publisher: string;
    readonly snapshotId: bigint;
    readonly shardIds: readonly bigint[];
  }[] = [];
  readonly claims: { readonly id: bigint; readonly message: attribution.MsgSubmitClaim }[] = [];
  readonly models: RememberedModel[] = [];
  readonly holdIds: bigint[] = [];
  readonly receiptIds: bigint[] = [];

  /** A message has succeeded in the block of this height. */
  learn(
    message: Pick<BoundMessage, 'typeUrl'> & { readonly bytes: Uint8Array },
    response: Any,
    height: bigint,
  ): void {
    const { typeUrl, bytes } = message;
    switch (typeUrl) {
      case gov.MsgSubmitProposal.typeUrl: {
        const { proposer, messages } = gov.MsgSubmitProposal.decode(bytes);
        const { proposalId: id } = gov.MsgSubmitProposalResponse.decode(response.value);
        keep(this.proposals, { id, proposer, typeUrls: messages.map((one) => one.typeUrl) });
        break;
      }
      case legacy.MsgSubmitProposal.typeUrl: {
        const { proposer } = legacy.MsgSubmitProposal.decode(bytes);
        const { proposalId: id } = legacy.MsgSubmitProposalResponse.decode(response.value);
        keep(this.proposals, { id, proposer, typeUrls: [gov.MsgExecLegacyContent.typeUrl] });
        break;
      }
      case MsgUndelegate.typeUrl:
        keep(this.unbondings, { ...MsgUndelegate.decode(bytes), height });
        break;
      case MsgGrant.typeUrl:
        keep(this.grants, MsgGrant.decode(bytes));
        break;
      case MsgGrantAllowance.typeUrl:
        keep(this.allowances, MsgGrantAllowance.decode(bytes));
        break;
      default:
        this.#learnNative(typeUrl, bytes, response.value);
    }
  }

  /** A proposal is over. */
  decided(id: string): void {
    const at = this.proposals.findIndex((proposal) => proposal.id.toString() === id);
    if (at >= 0) this.proposals.splice(at, 1);
  }

  #learnNative(typeUrl: string, bytes: Uint8Array, response: Uint8Array): void {
    switch (typeUrl) {
      case datanet.MsgCreateDatanet.typeUrl: {
        const { owner, admission } = datanet.MsgCreateDatanet.decode(bytes);
        const { datanetId: id } = datanet.MsgCreateDatanetResponse.decode(response);
        keep(this.datanets, { id, owner, open: admission === 1 });
        break;
      }
      case datanet.MsgContribute.typeUrl: {
        const { datanetId, title, contributor } = datanet.MsgContribute.decode(bytes);
        const { contributionId: id } = datanet.MsgContributeResponse.decode(response);
        keep(this.contributions, { id, datanetId, title, contributor });
        break;
      }
      case datanet.MsgPublishSnapshot.typeUrl: {
        const { datanetId } = datanet.MsgPublishSnapshot.decode(bytes);
        const { snapshotId: id } = datanet.MsgPublishSnapshotResponse.decode(response);
        keep(this.snapshots, { id, datanetId });
        break;
      }
      case models.MsgRegisterModel.typeUrl: {
        const { modelId: id } = models.MsgRegisterModelResponse.decode(response);
        keep(this.models, { id, message: models.MsgRegisterModel.decode(bytes) });
        break;
      }
      case attribution.MsgSubmitClaim.typeUrl: {
        const { claimId: id } = attribution.MsgSubmitClaimResponse.decode(response);
        keep(this.claims, { id, message: attribution.MsgSubmitClaim.decode(bytes) });
        break;
      }
      case payments.MsgHoldPayment.typeUrl:
        keep(this.holdIds, payments.MsgHoldPaymentResponse.decode(response).holdId);
        break;
      case payments.MsgPayInference.typeUrl:
        keep(this.receiptIds, payments.MsgPayInferenceResponse.decode(response).receiptId);
        break;
      case payments.MsgCaptureHold.typeUrl:
        keep(this.receiptIds, payments.MsgCaptureHoldResponse.decode(response).receiptId);
        break;
      case attribution.MsgPublishIndex.typeUrl: {
        const { publisher, snapshotId } = attribution.MsgPublishIndex.decode(bytes);
        const { indexId: id, shardIds } = attribution.MsgPublishIndexResponse.decode(response);
        keep(this.indexes, { id, publisher, snapshotId, shardIds });
        break;
      }
    }
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > REMEMBERED_MAX) list.shift();
}
