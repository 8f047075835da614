/** Planted bugs: things that a node no longer looks at, or no longer says. */
import { decodeRange, encodeRange } from '../../../node/blocksync/messages.ts';
import { type BlockContext, makeBlock, verifyBlock } from '../../../consensus/types/block-rules.ts';
import { EMPTY_BYTES } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Application } from '../../../node/application.ts';
import { CHECKSUM_BYTES, sealRecord } from '../../../node/checksum.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import { crc32c } from '../../../node/wal/crc32c.ts';
import { FILE_HEADER_BYTES, saltOf } from '../../../node/wal/record.ts';
import { SYNC_CHANNEL } from '../../../p2p/channels.ts';
import { tamperedNetwork } from '../adversaries/network.ts';
import type { SimMachine } from '../machine.ts';

/** Says no, and not why. */
export function refusingInSilence(application: Application): Application {
  return {
    ...application,
    checkTx: async (request) => ({ ...(await application.checkTx(request)), log: '' }),
  };
}

/** Does not tell the application who signed the last block. */
export function silentOnCommits(application: Application): Application {
  return {
    ...application,
    finalizeBlock: (request, control) =>
      application.finalizeBlock({ ...request, decidedLastCommit: { round: 0, votes: [] } }, control),
  };
}

/** Does not tell the application whom evidence is against. */
export function silentOnMisbehavior(application: Application): Application {
  return {
    ...application,
    finalizeBlock: (request, control) => application.finalizeBlock({ ...request, misbehavior: [] }, control),
  };
}

/** Tells the application of the first of two nodes who signed and who is to blame, and the other nothing. */
export function sometimesSilent(application: Application, { name }: SimMachine): Application {
  return name.charCodeAt(1) % 2 === 0 ? application : silentOnMisbehavior(silentOnCommits(application));
}

/** Tells peers that it has every block since the first. */
export function claimingAll(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    openNetwork: async (options) =>
      tamperedNetwork(await environment.openNetwork(options), {
        send: ({ channel, bytes }) => {
          if (channel !== SYNC_CHANNEL.name) return [bytes];
          const range = decodeRange(bytes);
          return [range.height === 0n ? bytes : encodeRange({ ...range, base: 1n })];
        },
      }),
  };
}

const LENGTH_AT = 0;
const SUM_AT = 4;
const SUMMED_FROM = 8;
const HEADER_BYTES = 13;

/** Whatever the log has to say of what it holds, it fits. */
export function sumsThatFit(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    walFiles: (directory) => {
      const files = environment.walFiles(directory);
      const read = files.read.bind(files);
      files.read = (name) => withSums(read(name));
      return files;
    },
  };
}

function withSums(file: Uint8Array): Uint8Array {
  const salt = saltOf(file);
  if (salt === undefined) return file;
  const bytes = Uint8Array.from(file);
  const view = new DataView(bytes.buffer);
  for (let at = FILE_HEADER_BYTES; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + HEADER_BYTES + view.getUint32(at + LENGTH_AT, true);
    if (end > bytes.length) break;
    view.setUint32(at + SUM_AT, crc32c(bytes.subarray(at + SUMMED_FROM, end), crc32c(salt)), true);
    at = end;
  }
  return bytes;
}

/** Whatever stands behind a record, it is its checksum. */
export function recordsThatFit(environment: NodeEnvironment): NodeEnvironment {
  const { openIndex } = environment;
  return {
    ...environment,
    openDatabase: async (directory) => {
      const database = await environment.openDatabase(directory);
      const getSync = database.getSync.bind(database);
      database.getSync = (key) => resealed(key, getSync(key));
      return database;
    },
    ...(openIndex && {
      openIndex: async (directory) => {
        const database = await openIndex(directory);
        return {
          get: async (key) => resealed(key, await database.get(key)),
          write: (writes) => database.write(writes),
          async *entries(range) {
            for await (const [key, record] of database.entries(range))
              yield [key, resealed(key, record) ?? record];
          },
          close: () => database.close(),
        };
      },
    }),
  };
}

function resealed(key: Uint8Array, record: Uint8Array | undefined): Uint8Array | undefined {
  return record && sealRecord(key, record.subarray(0, -CHECKSUM_BYTES));
}

/** Takes every block that can be read for one that follows from the state. */
export function credulous(environment: NodeEnvironment): NodeEnvironment {
  return { ...environment, blockRules: { makeBlock, verifyBlock: () => undefined } };
}

/** Puts something else in the place of the results hash, and looks away from it in blocks of others. */
export function forgetfulOfResults(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    blockRules: {
      makeBlock: (context, content) => makeBlock(withoutResults(context), content),
      verifyBlock: (block, context, verify) => verifyBlock(block, withoutResults(context), verify),
    },
  };
}

function withoutResults(context: BlockContext): BlockContext {
  return { ...context, lastResultsHash: sha256(EMPTY_BYTES) };
}
