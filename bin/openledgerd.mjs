#!/usr/bin/env node
// The `openledgerd` command: the same launcher as the npm scripts, fixed to the CLI.
process.argv.splice(2, 0, 'cli');
await import('./run.mjs');
