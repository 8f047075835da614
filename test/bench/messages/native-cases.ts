/** Messages of the economic loop: datanet, models, payments; those of direct payments are beside. */
import { sha256 } from '../../../core/hash.ts';
import { utf8 } from '../../../core/bytes.ts';
import { type ProvableContent, provableContent } from '../../../modules/attribution/verify.ts';
import { Admission } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as datanet from '../../../proto/gen/openledger/datanet/v1/tx.ts';
import * as models from '../../../proto/gen/openledger/models/v1/tx.ts';
import { MsgPayInference } from '../../../proto/gen/openledger/payments/v1/tx.ts';
import {
  contribute,
  createDatanet,
  documentText,
  payInference,
  paymentOf,
  publishSnapshot,
  type Quote,
  registerModel,
} from '../../support/economic-loop.ts';
import type { TestAccount } from '../../support/test-chain.ts';
import { anyWith, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

/** Bytes of the answer's one quotation. */
const QUOTED = 200;

/** A Datanet with one contribution. */
export interface Stocked {
  readonly owner: TestAccount;
  readonly datanetId: bigint;
  readonly contributionId: bigint;
  readonly contributor: TestAccount;
  readonly document: ProvableContent;
}

let names = 0;

function created(
  world: MessageWorld,
  admission: Admission = Admission.ADMISSION_OPEN,
): Stocked['owner'] & {
  readonly datanetId: bigint;
} {
  const owner = world.takeAccount().account;
  const { response } = world.run(createDatanet(owner, { slug: `bench-${names++}`, admission }));
  return { ...owner, datanetId: datanet.MsgCreateDatanetResponse.decode(response).datanetId };
}

function freshDocument(): ProvableContent {
  return provableContent(documentText(`speaker ${names++}`));
}

function stocked(world: MessageWorld): Stocked {
  const { datanetId, ...owner } = created(world);
  const document = freshDocument();
  const contributor = world.takeAccount().account;
  const { response } = world.run(contribute(contributor, document, { datanetId }));
  const { contributionId } = datanet.MsgContributeResponse.decode(response);
  return { owner, datanetId, contributionId, contributor, document };
}

/** A Datanet with a snapshot. */
export function published(world: MessageWorld): Stocked & { readonly snapshotId: bigint } {
  const made = stocked(world);
  const { response } = world.run(publishSnapshot(made.owner, made.datanetId));
  return { ...made, snapshotId: datanet.MsgPublishSnapshotResponse.decode(response).snapshotId };
}

/** A model for sale, and what an answer of it may quote. */
export interface Offered {
  readonly modelId: bigint;
  readonly seller: TestAccount;
  readonly quotes: readonly Quote[];
}

/** A Datanet, its snapshot and a model that quotes it. */
export function offered(world: MessageWorld): Offered {
  const { snapshotId, contributionId, document } = published(world);
  const seller = world.takeAccount().account;
  const { response } = world.run(
    registerModel(seller, { name: `bench-${names++}`, snapshotIds: [snapshotId] }),
  );
  const { modelId } = models.MsgRegisterModelResponse.decode(response);
  return { modelId, seller, quotes: [{ contributionId, document, offset: 100, length: QUOTED }] };
}

/** See the file comment. */
export const NATIVE_CASES: MessageCases = {
  [datanet.MsgCreateDatanet.typeUrl]: {
    make: (world) => createDatanet(world.takeAccount().account, { slug: `bench-${names++}` }),
  },
  [datanet.MsgUpdateAllowList.typeUrl]: {
    make: (world) => {
      const { datanetId, address } = created(world, Admission.ADMISSION_ALLOW_LIST);
      const add = [world.takeAccount().account.address];
      return anyWith(datanet.MsgUpdateAllowList, { owner: address, datanetId, add });
    },
  },
  [datanet.MsgContribute.typeUrl]: {
    make: (world) => {
      const { datanetId } = created(world);
      return contribute(world.takeAccount().account, freshDocument(), { datanetId });
    },
  },
  [datanet.MsgWithdrawContribution.typeUrl]: {
    make: (world) => {
      const { contributor, contributionId } = stocked(world);
      return anyWith(datanet.MsgWithdrawContribution, { contributor: contributor.address, contributionId });
    },
  },
  [datanet.MsgPublishSnapshot.typeUrl]: {
    make: (world) => {
      const { owner, datanetId } = stocked(world);
      return publishSnapshot(owner, datanetId);
    },
  },
  [models.MsgRegisterModel.typeUrl]: {
    make: (world) => {
      const { snapshotId } = published(world);
      const owner = world.takeAccount().account;
      return registerModel(owner, { name: `bench-${names++}`, snapshotIds: [snapshotId] });
    },
  },
  [MsgPayInference.typeUrl]: {
    make: (world, i) => {
      const { modelId, quotes } = offered(world);
      const requestHash = sha256(utf8(`request ${i}`));
      return paymentOf(payInference(world.takeAccount().account, quotes, { modelId, requestHash }));
    },
  },
};
