import { type Event, event } from '../../framework/events.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** A model was registered. */
export function modelRegistered(model: Model): Event {
  return event('register_model', {
    model_id: model.id.toString(),
    owner: model.owner,
    name: model.name,
    snapshot_ids: model.snapshotIds.join(','),
    parent_ids: model.parentIds.join(','),
  });
}
