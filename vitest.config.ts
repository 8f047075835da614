import { defineConfig, type ViteUserConfig } from 'vitest/config';

const folders = '{core,proto,consensus,store,framework,modules,app,genesis,p2p,light,node,client,cli,test}';
const simulation = 'test/simulation/**/*.test.ts';
const processes = 'test/e2e/**/*.test.ts';

// Unit tests lie beside the code; test/ holds what crosses folders. Two cores are what CI has. Tests that run whole
// devnets come last: they wait for blocks more than they compute, and none of them judges how long something takes
// but for the recoveries of the short chaos run.
const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './test/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`],
          exclude: ['**/node_modules/**', simulation, processes],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'simulation',
          include: [simulation],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'processes',
          include: [processes],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 600_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

export default config;
