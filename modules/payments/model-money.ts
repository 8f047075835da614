/** What epochs of receipts are held against: the same price and split as a payment's. */
import { equalBytes } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import { AttributionMethod, type Model } from '../../proto/gen/openledger/models/v1/models.ts';
import type { DatanetView } from '../datanet/types.ts';
import { inferenceFee, type Rates, splitFee } from './fee.ts';
import { withoutContributors } from './payouts.ts';
import type { PaymentPorts } from './ports.ts';
import type { ModelMoney, ModelTerms, SnapshotWeight } from './types.ts';

type MoneyPorts = Pick<PaymentPorts, 'addresses' | 'datanets' | 'models'>;

/** See `ModelMoney`. */
export function createModelMoney(ports: MoneyPorts): ModelMoney {
  return {
    terms(context, { modelId, gateway }) {
      const model = ports.models.model(context, modelId);
      return model && termsOf(ports, context, model, gateway);
    },
  };
}

function termsOf(ports: MoneyPorts, context: ReadContext, model: Model, gateway: string): ModelTerms {
  const { price, split } = model;
  const rates = ratesOf(model);
  const hasDatanets = model.snapshotIds.length > 0;
  return {
    denom: price.denom,
    price,
    split,
    quote(usage) {
      const fee = inferenceFee(rates, usage);
      const parts = splitFee(fee, split);
      return { fee, parts: hasDatanets ? parts : withoutContributors(parts, split.residual) };
    },
    datanets: snapshotWeights(ports.datanets, context, model),
    statedBps: statedBps(ports, model, gateway),
  };
}

/** A model's price. */
export function ratesOf({ price }: Pick<Model, 'price'>): Rates {
  return {
    inPer1000: BigInt(price.inPer1000),
    outPer1000: BigInt(price.outPer1000),
    perCall: BigInt(price.perCall),
  };
}

/**
 * Who gets what is nobody's: the positions of each of a model's snapshots, weighted by its bytes, in rising
 * order of Datanets, then positions. Snapshots of the same positions count together.
 */
export function snapshotWeights(
  datanets: Pick<DatanetView, 'snapshot'>,
  context: ReadContext,
  { snapshotIds }: Pick<Model, 'snapshotIds'>,
): readonly SnapshotWeight[] {
  const weights = new Map<string, SnapshotWeight>();
  for (const id of snapshotIds) {
    const snapshot = datanets.snapshot(context, id);
    if (snapshot === undefined) continue;
    const { datanetId, count: positions, totalWeight } = snapshot;
    const key = `${datanetId}/${positions}`;
    const weight = (weights.get(key)?.weight ?? 0n) + totalWeight;
    weights.set(key, { datanetId, positions, weight });
  }
  return [...weights.values()].sort(compareSnapshots);
}

function compareSnapshots(a: SnapshotWeight, b: SnapshotWeight): number {
  if (a.datanetId !== b.datanetId) return a.datanetId < b.datanetId ? -1 : 1;
  return a.positions < b.positions ? -1 : 1;
}

/** Retrieval cannot be checked, so only the model's owner states it, up to the policy's part. */
function statedBps({ addresses }: MoneyPorts, model: Model, gateway: string): number {
  const { owner, attributionMethod, attributionPolicy } = model;
  if (attributionMethod !== AttributionMethod.ATTRIBUTION_METHOD_POLICY) return 0;
  if (!equalBytes(addresses.toBytes(owner), addresses.toBytes(gateway))) return 0;
  return attributionPolicy?.retrievalBps ?? 0;
}
