/** Runs `explain` for a terminal. */
import { writeFileSync } from 'node:fs';
import type { Derived, Target } from '../../client/verifier/types.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { Credit } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Terminal } from '../terminal.ts';
import type { ExplainChain } from './chain.ts';
import { collect, type Explained } from './collect.ts';
import type { ExplainSettings } from './command.ts';
import { targetOf } from './credits.ts';
import { epochParts, type EpochSource, httpEpochs } from './epochs.ts';
import { type Payouts, payoutsOfAccount, payoutsOfSlot, payoutsOfTx } from './find.ts';
import { jsonText, reportText } from './report.ts';
import { rpcChain } from './rpc-chain.ts';

/** Explains and prints. */
export async function runExplain(settings: ExplainSettings, terminal: Terminal): Promise<void> {
  const chain = rpcChain(settings.node);
  const source = settings.gateway === undefined ? undefined : httpEpochs(settings.gateway);
  const explained = await explain(chain, settings, source);
  if (settings.proofs !== undefined) {
    const [one] = explained;
    writeFileSync(settings.proofs, one?.text ?? '');
  }
  terminal.out(settings.json ? jsonText(explained) : reportText(explained, settings));
}

/** One answer for each block that paid. @throws LedgerError `explain.*` */
export async function explain(
  chain: ExplainChain,
  { subject, receiptsMax }: Pick<ExplainSettings, 'subject' | 'receiptsMax'>,
  source: EpochSource | undefined,
): Promise<readonly Explained[]> {
  const options = { source, receiptsMax };
  switch (subject.kind) {
    case 'tx':
      return [await explainBlock(chain, await payoutsOfTx(chain, subject.hash), options)];
    case 'slot':
      return [await explainBlock(chain, await payoutsOfSlot(chain, subject), options)];
    case 'receipt': {
      const height = (await chain.latest()) - 1n;
      return [await explainBlock(chain, { height, claims: [], receipts: [subject.id] }, options)];
    }
    case 'account': {
      const all: Explained[] = [];
      for (const payouts of await payoutsOfAccount(chain, subject))
        all.push(await explainBlock(chain, payouts, options));
      if (all.length === 0)
        throw new LedgerError(
          'explain.nothing',
          `${subject.address} has claimed nothing since ${subject.since}`,
        );
      return all;
    }
    default:
      return subject satisfies never;
  }
}

async function explainBlock(
  chain: ExplainChain,
  { height, claims, receipts }: Payouts,
  options: { readonly source: EpochSource | undefined; readonly receiptsMax: number },
): Promise<Explained> {
  const targets: Target[] = receipts.map((id) => receiptTarget(id));
  const credits: Credit[] = [];
  try {
    for (const claim of claims) {
      const found = await targetOf(chain, claim);
      targets.push(found.target);
      credits.push(...found.credits);
    }
    const { epochs, attributions } = await epochParts(chain, credits, options);
    return await collect(chain, { targets, height, epochs, attributions });
  } catch (error) {
    throw pruned(error, height) ?? error;
  }
}

function receiptTarget(id: bigint): Target {
  return { kind: 'receipt', receipt: `${id}`, pool: [], slot: '', denom: '', credits: [] };
}

/** States of the past are forgotten: who is asked later than this has to have kept them. */
function pruned(error: unknown, height: bigint): LedgerError | undefined {
  const isPruned = error instanceof LedgerError && error.code === 'explain.query';
  if (!isPruned || !/version|state/.test(messageOf(error))) return undefined;
  return new LedgerError(
    'explain.pruned',
    `the node has not kept the states around block ${height}: ask one with a longer pruning`,
    {},
    error,
  );
}

/** Everything that was derived. */
export function derivedOf(explained: readonly Explained[]): readonly Derived[] {
  return explained.flatMap(({ derived }) => derived);
}
