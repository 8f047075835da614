import { toHex } from '../../core/bytes.ts';
import { type Event, event } from '../../framework/events.ts';
import type { Contribution, Datanet, Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';

/** A Datanet came into being. */
export function datanetCreated(datanet: Datanet): Event {
  return event('create_datanet', {
    datanet_id: datanet.id.toString(),
    slug: datanet.slug,
    owner: datanet.owner,
  });
}

/** An allow-list was changed. */
export function allowListUpdated(change: {
  readonly datanetId: bigint;
  readonly added: number;
  readonly removed: number;
}): Event {
  return event('update_allow_list', {
    datanet_id: change.datanetId.toString(),
    added: change.added.toString(),
    removed: change.removed.toString(),
  });
}

/** A contribution arrived. */
export function contributed(contribution: Contribution): Event {
  return event('contribute', {
    ...place(contribution),
    contributor: contribution.contributor,
    root: toHex(contribution.root),
    canonical_id: contribution.canonicalId.toString(),
  });
}

/** A contribution was accepted and got its position. */
export function contributionAccepted(contribution: Contribution): Event {
  return event('accept_contribution', {
    ...place(contribution),
    contributor: contribution.contributor,
    position: contribution.position.toString(),
  });
}

/** A contribution was taken back. */
export function contributionWithdrawn(contribution: Contribution): Event {
  return event('withdraw_contribution', {
    ...place(contribution),
    contributor: contribution.contributor,
    position: contribution.position.toString(),
  });
}

/** A snapshot was published. */
export function snapshotPublished(snapshot: Snapshot): Event {
  return event('publish_snapshot', {
    datanet_id: snapshot.datanetId.toString(),
    snapshot_id: snapshot.id.toString(),
    version: snapshot.version.toString(),
    root: toHex(snapshot.root),
    count: snapshot.count.toString(),
  });
}

function place(contribution: Contribution): Readonly<Record<string, string>> {
  return { datanet_id: contribution.datanetId.toString(), contribution_id: contribution.id.toString() };
}
