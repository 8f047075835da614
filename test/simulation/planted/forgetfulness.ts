/** Planted bugs: what was written, counted or seen is gone again. */
import { AddressCodec } from '../../../framework/address.ts';
import type { Module } from '../../../framework/module.ts';
import { authState } from '../../../modules/auth/state.ts';
import type { Application } from '../../../node/application.ts';
import type { Database } from '../../../node/database.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import { emptyModule } from '../../support/empty-module.ts';
import { clientAccount, PREFIX } from '../chain.ts';
import { APPLICATION } from '../disk/databases.ts';
import type { SimMachine } from '../machine.ts';

const CLIENTS = 3;
const accounts = authState(new AddressCodec(PREFIX)).accounts;

/** Forgets before each block how many transactions the clients have sent: the same bytes are good again. */
export const FORGETTING_SEQUENCES: Module = emptyModule('forgetting', {
  beginBlock(context) {
    for (let i = 0; i < CLIENTS; i++) {
      const { address } = clientAccount(i).pubKey;
      const account = accounts.get(context, address);
      if (account !== undefined) accounts.set(context, address, { ...account, sequence: 0n });
    }
  },
});

/** What a commit has written to the disk of the application is not there. */
export function losingCommits(application: Application, machine: SimMachine): Application {
  return {
    ...application,
    commit: async () => {
      const { pairs, durable } = machine.disk.database(APPLICATION);
      const before = new Map(pairs);
      const committed = await application.commit();
      for (const held of [pairs, durable])
        for (const key of held.keys()) if (!before.has(key)) held.delete(key);
      return committed;
    },
  };
}

/** Evidence takes so long to be written. */
const LATE_MS = 300;

/** Ends a height in the log while its conflicting votes are still being written. */
export function endingEarly(environment: NodeEnvironment, machine: SimMachine): NodeEnvironment {
  machine.onCore = ({ evidence }) => {
    evidence.conflictsSaved = async () => undefined;
  };
  const late = (database: Database): Database => ({
    getSync: (key) => database.getSync(key),
    batch: () => {
      const batch = database.batch();
      return {
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        write: async (options) => {
          await new Promise<void>((resolve) => environment.timers.after(LATE_MS, resolve));
          await batch.write(options);
        },
      };
    },
    close: () => database.close(),
  });
  return {
    ...environment,
    openDatabase: async (directory) => {
      const database = await environment.openDatabase(directory);
      return directory.endsWith('evidence.db') ? late(database) : database;
    },
  };
}
