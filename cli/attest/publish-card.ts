/** `openledgerd attest influence publish`: publishes the model card of a trained head. */
import type { Command } from 'commander';
import { LedgerError } from '../../core/errors.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { type NodeOptions, withNodeOptions } from './account.ts';
import { readCard } from './card-file.ts';
import { problemOfPay, wordsOfCardFraud } from './card-words.ts';

interface PublishCardOptions extends NodeOptions {
  readonly card: string;
  readonly model: string;
  readonly endpoint: string;
  readonly unpaid?: boolean;
  readonly json?: boolean;
}

/** Adds the command to the group `attest influence`. */
export function addPublishCardCommand(influence: Command, terminal: Terminal): void {
  withNodeOptions(
    influence.command('publish').description('publish the model card of a trained head, with a bond'),
  )
    .requiredOption('--card <file>', 'what train wrote')
    .requiredOption('--model <id>', "id of the model, which is the sender's")
    .requiredOption('--endpoint <url>', 'where "attest serve --head" will serve it, as others reach it')
    .option('--unpaid', 'publish it although its model pays nothing for influence')
    .option('--json', 'print one JSON object')
    .action(async (options: PublishCardOptions) => publishCard(options, terminal));
}

async function publishCard(options: PublishCardOptions, terminal: Terminal): Promise<void> {
  const { findCardFraud } = await import('../../attest/influence/convict-card.ts');
  const { encodeCard } = await import('../../modules/attribution/proof/influence/card.ts');
  const { MsgPublishModelCard, MsgPublishModelCardResponse } = await import(
    '../../proto/gen/openledger/attribution/v1/tx.ts'
  );
  const { publishModelCard, responsesOf } = await import('../../client/index.ts');
  const { accountOf, connectTo } = await import('./account.ts');
  const { AttestChain } = await import('./chain.ts');
  if (!/^[1-9]\d{0,18}$/.test(options.model)) throw usageError('--model must be the id of a model');
  const served = await readCard('--card', options.card);
  const connection = await connectTo(options);
  try {
    const account = await accountOf(options, connection, terminal);
    const chain = new AttestChain(connection);
    const model = await chain.model(BigInt(options.model));
    if (model === undefined) throw usageError(`there is no model ${options.model} on this chain`);
    const problem = options.unpaid === true ? undefined : problemOfPay(model);
    if (problem !== undefined) throw new LedgerError('cli.influence', problem);
    const fraud = findCardFraud(served, await chain.snapshotOf(served.card));
    if (fraud !== undefined)
      throw new LedgerError(
        'cli.influence',
        `the card would lose its bond and is not published: ${wordsOfCardFraud(served, fraud)}`,
      );
    const { bondDenom: denom, cardBond, challengeBlocks } = await chain.params();
    const message = MsgPublishModelCard.create({
      publisher: account.address,
      modelId: BigInt(options.model),
      card: encodeCard(served.card),
      bond: { denom, amount: cardBond.toString() },
      endpoint: options.endpoint,
    });
    const tx = await account.send([publishModelCard(message)]);
    const [response] = responsesOf(MsgPublishModelCardResponse, tx.msgResponses);
    const card_id = `${response?.cardId}`;
    const active_height = tx.height + challengeBlocks;
    terminal.out(
      options.json === true
        ? `${JSON.stringify({ event: 'published', card_id, height: tx.height, active_height, tx: tx.hash })}\n`
        : `model card ${card_id} of model ${options.model} is published, with a bond of ${cardBond}${denom}\n` +
            `claims may rest on it from about height ${active_height}; until its bond is given back, anybody can convict it\n` +
            `serve it now: openledgerd attest serve --head ${options.card} --from ${options.from} (as ${options.endpoint})\n` +
            'requests for leaves of it have to be answered in time; attest serve does that by itself\n',
    );
  } finally {
    connection.comet.disconnect();
  }
}
