/**
 * The order of test files: those that take long first, so that at the end of a group no worker waits for one
 * that began late. Vitest itself knows durations only of an earlier run, which a fresh clone does not have,
 * and else takes the largest files first.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By falling duration, of a quiet run on two cores; those under ten seconds are left out. */
export const LONGEST: readonly string[] = [
  'test/simulation/seeds-liveness.test.ts',
  'test/simulation/seeds-safety.test.ts',
  'test/operations/seeds.test.ts',
  'test/e2e/state-sync-kill.test.ts',
  'test/e2e/state-sync.test.ts',
  'test/e2e/faults.test.ts',
  'test/e2e/fifth-node.test.ts',
  'test/e2e/chaos/chaos.test.ts',
  'test/e2e/devnet.test.ts',
  'test/e2e/demo.test.ts',
  'p2p/hostile.test.ts',
  'test/e2e/wallet-journey.test.ts',
  'test/simulation/planted/planted.test.ts',
  'test/e2e/signer.test.ts',
  'test/e2e/start-errors.test.ts',
  'cli/demo/demo.test.ts',
  'test/integration/network/network.test.ts',
  'node/rpc/hostile.test.ts',
  'test/integration/engine/crash.test.ts',
  'node/blocksync/block-sync.test.ts',
];

/**
 * Tests that replace modules have processes of their own: together, so that the others go on sharing theirs.
 */
const PROJECTS: readonly string[] = ['simulation', 'unit', 'processes'];

/** A file's place among those of its group: by project, then by `LONGEST`; of equals, as they were. */
export function placeOf(project: string, file: string): number {
  const place = LONGEST.findIndex((long) => file.endsWith(`/${long}`));
  return PROJECTS.indexOf(project) * (LONGEST.length + 1) + (place < 0 ? LONGEST.length : place);
}

/** Groups in their order, and in each the longest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const place = ({ project, moduleId }: TestSpecification): number => placeOf(project.name, moduleId);
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || place(a) - place(b));
  }
}
