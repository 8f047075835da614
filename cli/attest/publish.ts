/** `openledgerd attest publish`: builds an index of a snapshot and publishes it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { IndexDirectory } from '../../attest/index/index-directory.ts';
import type { ContributionRecord } from '../../modules/attribution/proof/shard/fraud.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { IndexShard } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { type NodeOptions, withNodeOptions } from './account.ts';
import type { AttestChain } from './chain.ts';
import type { ContentsFolder } from './contents-folder.ts';

/** Options of the command. */
export interface PublishOptions extends NodeOptions {
  readonly snapshot: string;
  readonly contents: string;
  readonly index: string;
  readonly endpoint: string;
  readonly entriesPerLeaf: string;
  readonly shardDocuments: string;
  readonly saltSecretFile?: string;
  readonly json?: boolean;
}

/** Adds the command to the group `attest`. */
export function addPublishCommand(attest: Command, terminal: Terminal): void {
  withNodeOptions(
    attest
      .command('publish')
      .description('index a snapshot and publish the index, with a bond for each new shard'),
  )
    .requiredOption('--snapshot <id>', 'id of the snapshot')
    .requiredOption('--contents <dir>', 'folder with the contents, under any names')
    .requiredOption('--index <dir>', 'directory of the index; made when it is not there')
    .requiredOption('--endpoint <url>', 'where "attest serve" will serve it, as others reach it')
    .option('--entries-per-leaf <count>', '1 for short proofs, 8 for a small index', '1')
    .option('--shard-documents <count>', 'most documents of a shard, a power of two', '65536')
    .option('--salt-secret-file <file>', 'build a salted index: of a private Datanet')
    .option('--json', 'print one JSON object')
    .action(async (options: PublishOptions) => publish(options, terminal));
}

async function publish(options: PublishOptions, terminal: Terminal): Promise<void> {
  const { accountOf, connectTo } = await import('./account.ts');
  const { AttestChain } = await import('./chain.ts');
  const { ContentsFolder } = await import('./contents-folder.ts');
  if (!/^[1-9]\d{0,18}$/.test(options.snapshot)) throw usageError('--snapshot must be the id of a snapshot');
  const connection = await connectTo(options);
  try {
    const account = await accountOf(options, connection, terminal);
    const chain = new AttestChain(connection);
    const snapshot = await chain.snapshot(BigInt(options.snapshot));
    const count = Number(snapshot.count);
    const records = await chain.records(snapshot.datanetId, 0n, count);
    const index = await grow(options, { snapshot, records, contents: new ContentsFolder(options.contents) });
    const commitments = index.snapshot(count).map((entry) => commitmentOf(index, entry));
    await send({ options, chain, account, snapshot, commitments }, terminal);
  } finally {
    connection.comet.disconnect();
  }
}

interface Growth {
  readonly snapshot: Snapshot;
  readonly records: readonly ContributionRecord[];
  readonly contents: ContentsFolder;
}

async function grow(
  options: PublishOptions,
  { snapshot, records, contents }: Growth,
): Promise<IndexDirectory> {
  const { IndexDirectory } = await import('../../attest/index/index-directory.ts');
  const { MANIFEST_FILE } = await import('../../attest/index/manifest.ts');
  const { secretOf } = await import('./index-commands.ts');
  const saltSecret = secretOf(options);
  const index = existsSync(join(options.index, MANIFEST_FILE))
    ? IndexDirectory.open(options.index, { saltSecret })
    : IndexDirectory.create(
        options.index,
        {
          datanetId: snapshot.datanetId,
          entriesPerLeaf: Number(options.entriesPerLeaf),
          documentsMax: Number(options.shardDocuments),
        },
        { saltSecret },
      );
  if (index.settings.datanetId !== snapshot.datanetId)
    throw usageError(
      `the index in ${options.index} is of datanet ${index.settings.datanetId}, snapshot ${snapshot.id} of ` +
        `${snapshot.datanetId}; name another --index`,
    );
  index.grow({
    count: Number(snapshot.count),
    source(position) {
      const record = records[position];
      // What its contributor took back is served no more.
      if (record?.accepted === false)
        return { ...record, byteLength: Number(record.byteLength), content: undefined };
      const content = record === undefined ? undefined : contents.find(record.root);
      if (record === undefined || content === undefined)
        throw new LedgerError(
          'attest.contents',
          `no file of ${options.contents} holds contribution ${record?.contributionId ?? '?'} ` +
            `(root ${toHex(record?.root ?? new Uint8Array(0))}); ${contents.size} files were read`,
        );
      return { ...record, byteLength: Number(record.byteLength), content };
    },
  });
  return index;
}

function commitmentOf(index: IndexDirectory, entry: { readonly name: string }): ShardCommitment {
  const { shard, close } = index.openShard(entry);
  close();
  return shard.commitment;
}

interface Publication {
  readonly options: PublishOptions;
  readonly chain: AttestChain;
  readonly account: import('./account.ts').Account;
  readonly snapshot: Snapshot;
  readonly commitments: readonly ShardCommitment[];
}

async function send(publication: Publication, terminal: Terminal): Promise<void> {
  const { MsgPublishIndex, MsgPublishIndexResponse } = await import(
    '../../proto/gen/openledger/attribution/v1/tx.ts'
  );
  const { publishIndex, responsesOf } = await import('../../client/index.ts');
  const { options, chain, account, snapshot, commitments } = publication;
  const params = await chain.params();
  const shards = await partsOf(publication);
  const bond = { denom: params.bondDenom, amount: params.shardBond.toString() };
  const message = MsgPublishIndex.create({
    publisher: account.address,
    snapshotId: snapshot.id,
    shards,
    bond,
    endpoint: options.endpoint,
  });
  const tx = await account.send([publishIndex(message)]);
  const [response] = responsesOf(MsgPublishIndexResponse, tx.msgResponses);
  const fresh = shards.filter(({ commitment }) => commitment !== undefined).length;
  const active = tx.height + params.challengeBlocks;
  if (options.json === true) {
    const ids = { index_id: `${response?.indexId}`, shard_ids: response?.shardIds.map(String) };
    terminal.out(
      `${JSON.stringify({ event: 'published', ...ids, new_shards: fresh, height: tx.height, active_height: active, tx: tx.hash })}\n`,
    );
    return;
  }
  terminal.out(
    `index ${response?.indexId} of snapshot ${snapshot.id} (datanet ${snapshot.datanetId}, ${snapshot.count} documents) ` +
      `is published: shards ${response?.shardIds.join(', ')}, ${fresh} of ${commitments.length} new, ` +
      `with a bond of ${bond.amount}${bond.denom} each\n` +
      `claims may rest on it from about height ${active}; until its bond is given back, anybody can convict it\n` +
      `serve it now: openledgerd attest serve --index ${options.index} --from ${options.from} (as ${options.endpoint})\n` +
      'requests for pieces of it have to be answered in time; attest serve does that by itself\n',
  );
}

/** Shards that this publisher has on the chain already are named by their ids, and need no new bond. */
async function partsOf({ chain, account, commitments }: Publication): Promise<readonly IndexShard[]> {
  const { shardId } = await import('../../modules/attribution/proof/shard/commitment.ts');
  const { ObjectState } = await import('../../proto/gen/openledger/attribution/v1/attribution.ts');
  const usable: readonly number[] = [ObjectState.OBJECT_STATE_PENDING, ObjectState.OBJECT_STATE_ACTIVE];
  const own = new Map<string, bigint>();
  for (const { shard, state } of await chain.shards())
    if (shard.publisher === account.address && usable.includes(state))
      own.set(toHex(shardId(shard.commitment)), shard.id);
  return commitments.map((commitment) => {
    const known = own.get(toHex(shardId(commitment)));
    return known === undefined ? { shardId: 0n, commitment } : { shardId: known, commitment: undefined };
  });
}
