import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

const folders =
  '{core,proto,consensus,store,framework,modules,app,genesis,p2p,light,node,watch,serve,attest,gateway,client,cli,test}';
/** Tests that put something in the place of a module: what one of them loads is for nobody else. */
const replacing = [
  'client/vouchers/file-disk.test.ts',
  'consensus/simulation/negative.test.ts',
  'test/operations/planted.test.ts',
  'test/soundness/work.test.ts',
];
const simulation = 'test/simulation/**/*.test.ts';
const processes = 'test/e2e/**/*.test.ts';

// Unit tests lie beside the code; test/ holds what crosses folders. Two cores are what CI has: with a third worker, tests of
// processes took two to three times as long each. Tests that run whole devnets come last, and none of them judges how long
// something takes but for the recoveries of the short chaos run. Unit tests share what they load with others of their
// process: to load it anew for each file took a quarter of their time (222 s instead of 159 s).
const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './test/closing-line-reporter.ts'],
    sequence: { sequencer: LongestFirst },
    // Node.js loads the modules itself, as it does those of the program: with Vite's runner between, where each use of an
    // import is a look-up, the simulation took 57 s of processor time instead of 45.
    experimental: { viteModuleRunner: false },
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`],
          exclude: ['**/node_modules/**', simulation, processes, ...replacing],
          pool: 'forks',
          isolate: false,
          maxWorkers: 2,
          setupFiles: ['./test/property-seed.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: [simulation, ...replacing],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 600_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'processes',
          include: [processes],
          pool: 'forks',
          maxWorkers: 2,
          maxConcurrency: 16,
          testTimeout: 600_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
