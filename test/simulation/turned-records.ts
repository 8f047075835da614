/** Bits that turn in the records of a machine's databases, and what its operator does about it. */
import type { SeededRandom } from '../../consensus/simulation/random.ts';
import type { SimDisk } from './disk/disk.ts';
import { SIGNING_STATE_PATH, type SimMachine } from './machine.ts';

const DATA = '/home/data';
/** The index. */
export const INDEX: string = `${DATA}/tx_index.db`;
const DATABASES: readonly string[] = [
  `${DATA}/blockstore.db`,
  `${DATA}/state.db`,
  `${DATA}/evidence.db`,
  INDEX,
];

const SHORT_KEY_BYTES = 10;

/** One bit of a record turns, while the node runs or between two runs. */
export function turnRecord(machine: SimMachine): void {
  const { random } = machine.ports.scheduler;
  // A node whose disk is full would name that first.
  if (machine.core === undefined || machine.isDiskFull) return;
  const isRestart = random.percent(50);
  if (isRestart) machine.kill('process killed');
  const turned = turnBit(machine.disk, random);
  if (turned !== undefined) {
    machine.damaged.add(turned.path);
    const where = `byte ${turned.at} of record ${Buffer.from(turned.key, 'latin1').toString('hex')}`;
    machine.ports.observer.line(machine, `has ${where} of ${turned.path} changed`);
  }
  if (isRestart) machine.start();
}

function turnBit(
  disk: SimDisk,
  random: SeededRandom,
): { readonly path: string; readonly key: string; readonly at: number } | undefined {
  const path = random.pick(DATABASES.filter((each) => disk.database(each).pairs.size > 0));
  if (path === undefined) return undefined;
  const { pairs, durable } = disk.database(path);
  // Marks and what stands for a whole height have short keys: they are read more often, and are few.
  const isShort = random.percent(50);
  const key = random.pick([...pairs.keys()].filter((each) => !isShort || each.length <= SHORT_KEY_BYTES));
  const record = key === undefined ? undefined : pairs.get(key);
  if (key === undefined || record === undefined || record.length === 0) return undefined;
  const isDurable = durable.get(key) === record;
  if (!isDurable && path !== INDEX) return undefined; // nobody syncs the index
  const changed = Uint8Array.from(record);
  const at = random.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  pairs.set(key, changed);
  if (isDurable) durable.set(key, changed);
  return { path, key, at };
}

/** The database whose damage a node names with the right way to repair it. */
export function damageNamed(machine: SimMachine, reason: string): string | undefined {
  return [...machine.damaged].find((path) => {
    const repair =
      path === INDEX ? `delete ${INDEX}: it is rebuilt` : 'delete all in it but priv_validator_state';
    return reason.includes(`the database ${path} is damaged: record `) && reason.includes(repair);
  });
}

/** The operator does as he is told: the index is rebuilt; without anything else the node syncs again. */
export function repairDatabase(machine: SimMachine, path: string): void {
  if (machine.state === 'starting' || machine.state === 'up') return; // it was repaired before
  const { disk } = machine;
  if (path === INDEX) {
    machine.ports.observer.line(machine, 'has its index deleted');
    disk.databases.delete(INDEX);
    machine.damaged.delete(INDEX);
  } else {
    machine.ports.observer.line(machine, 'has its data deleted, but for its signing state');
    disk.databases.clear();
    for (const file of [...disk.files.keys()])
      if (file.startsWith(`${DATA}/`) && file !== SIGNING_STATE_PATH) disk.files.delete(file);
    disk.syncNames(DATA);
    disk.garbled.clear();
    machine.damaged.clear();
    if (machine.turned?.path !== SIGNING_STATE_PATH) machine.turned = undefined;
    machine.isEmptied = true;
    if (machine.mustRefuse === 'stale') machine.mustRefuse = 'stale without blocks';
  }
  machine.start();
}
