import { defineConfig, type ViteUserConfig } from 'vitest/config';

// Unit tests lie beside the code; test/ holds what crosses folders. Two cores are what CI has.
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      '{core,proto,consensus,store,framework,modules,app,genesis,p2p,node,client,cli,test}/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/closing-line-reporter.ts'],
  },
});

export default config;
