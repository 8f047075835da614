import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { Admission, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as wire from '../../proto/gen/openledger/datanet/v1/query.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import {
  contribute,
  createDatanet,
  deliver,
  deliverOk,
  documentText,
  playLoop,
  publishSnapshot,
} from '../../test/support/economic-loop.ts';
import { anyOf, TestChain } from '../../test/support/test-chain.ts';
import { provableContent } from '../attribution/prove.ts';
import { datanetErrors } from './errors.ts';
import { verifySumPath } from './sum-tree.ts';

const SERVICE = '/openledger.datanet.v1.Query';

function expectRefused(
  result: { readonly codespace: string; readonly code: number },
  kind: { readonly code: number },
): void {
  expect([result.codespace, result.code]).toEqual(['datanet', kind.code]);
}

test('contributions are accepted in order, listed by datanet and contributor, and proved in the snapshot', () => {
  const { chain, first, documents } = playLoop();
  const types = {
    request: wire.QueryContributionsByDatanetRequest,
    response: wire.QueryContributionsByDatanetResponse,
  };
  const { contributions } = chain.query(`${SERVICE}/ContributionsByDatanet`, types, { datanetId: 1n });
  expect(contributions.map(({ id, position, state }) => [id, position, state])).toEqual([
    [1n, 0n, ContributionState.CONTRIBUTION_STATE_ACCEPTED],
    [2n, 1n, ContributionState.CONTRIBUTION_STATE_ACCEPTED],
  ]);
  const own = chain.query(
    `${SERVICE}/ContributionsByContributor`,
    {
      request: wire.QueryContributionsByContributorRequest,
      response: wire.QueryContributionsByContributorResponse,
    },
    { contributor: first.address },
  );
  expect(own.contributions.map(({ id }) => id)).toEqual([1n]);
  const { snapshot } = chain.query(
    `${SERVICE}/Snapshot`,
    { request: wire.QuerySnapshotRequest, response: wire.QuerySnapshotResponse },
    { snapshotId: 1n },
  );
  const proof = chain.query(
    `${SERVICE}/SnapshotProof`,
    { request: wire.QuerySnapshotProofRequest, response: wire.QuerySnapshotProofResponse },
    { snapshotId: 1n, contributionId: 2n },
  );
  const leaf = { contributionId: 2n, weight: proof.weight, root: documents[1].commitment.root };
  const { position, count: size, siblings } = proof;
  expect(
    verifySumPath({ leaf, position, size, siblings }, { hash: snapshot.root, sum: snapshot.totalWeight }),
  ).toBe(true);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('a content is taken once in a datanet; elsewhere it counts for its first contribution', () => {
  const { chain, owner, second, documents } = playLoop();
  expectRefused(deliver(chain, second, contribute(second, documents[0])), datanetErrors.duplicateContent);
  deliverOk(chain, owner, createDatanet(owner, { slug: 'copies' }));
  deliverOk(chain, second, contribute(second, documents[0], { datanetId: 2n }));
  const { contribution } = chain.query(
    `${SERVICE}/Contribution`,
    { request: wire.QueryContributionRequest, response: wire.QueryContributionResponse },
    { contributionId: 3n },
  );
  expect([contribution.canonicalId, toHex(contribution.root)]).toEqual([
    1n,
    toHex(documents[0].commitment.root),
  ]);
  expect(chain.app.brokenInvariants()).toEqual([]);
});

test('each refusal has its number, and nothing is written', () => {
  const { chain, owner, first } = playLoop();
  const fresh = provableContent(documentText('madison'));
  expectRefused(deliver(chain, first, createDatanet(first)), datanetErrors.slugTaken);
  expectRefused(
    deliver(chain, first, createDatanet(first, { slug: 'Not A Slug' })),
    datanetErrors.invalidDatanet,
  );
  expectRefused(
    deliver(chain, first, createDatanet(first, { slug: 'x', admission: Admission.ADMISSION_BONDED })),
    datanetErrors.admissionNotSupported,
  );
  expectRefused(
    deliver(chain, first, contribute(first, fresh, { datanetId: 9n })),
    datanetErrors.unknownDatanet,
  );
  expectRefused(
    deliver(chain, first, contribute(first, fresh, { byteLength: 0n })),
    datanetErrors.invalidContribution,
  );
  expectRefused(
    deliver(chain, first, contribute(first, fresh, { byteLength: 1n << 50n })),
    datanetErrors.invalidContribution,
  );
  expectRefused(
    deliver(chain, first, contribute(first, fresh, { mediaType: 'image/png' })),
    datanetErrors.invalidContribution,
  );
  expectRefused(
    deliver(chain, first, contribute(first, fresh, { title: 'x'.repeat(2000) })),
    datanetErrors.invalidContribution,
  );
  expectRefused(deliver(chain, first, publishSnapshot(first)), datanetErrors.notOwner);
  expectRefused(deliver(chain, owner, publishSnapshot(owner)), datanetErrors.nothingToPublish);
  const { totals } = chain.query(
    `${SERVICE}/Datanet`,
    { request: wire.QueryDatanetRequest, response: wire.QueryDatanetResponse },
    { datanetId: 1n },
  );
  expect([totals.contributions, totals.accepted, totals.snapshots]).toEqual([2n, 2n, 1]);
});

test('only accounts on the allow-list contribute to a datanet that has one', () => {
  const chain = new TestChain();
  const [owner, friend] = [chain.account(0), chain.account(1)];
  const document = provableContent(documentText('monroe'));
  deliverOk(chain, owner, createDatanet(owner, { admission: Admission.ADMISSION_ALLOW_LIST }));
  expectRefused(deliver(chain, friend, contribute(friend, document)), datanetErrors.notAdmitted);
  const change = { owner: owner.address, datanetId: 1n, add: [friend.address], remove: [] };
  expectRefused(
    deliver(chain, friend, anyOf(MsgUpdateAllowList, { ...change, owner: friend.address })),
    datanetErrors.notOwner,
  );
  deliverOk(chain, owner, anyOf(MsgUpdateAllowList, change));
  deliverOk(chain, friend, contribute(friend, document));
});
