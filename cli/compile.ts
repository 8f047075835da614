/** `openledgerd compile`, for bin/run.mjs after an installation. */
import type { Command } from 'commander';

/**
 * Adds the command: it loads every module that a devnet and its nodes load until their first block, so that
 * Node.js keeps them compiled (NODE_COMPILE_CACHE). Hidden: nobody needs to call it.
 */
export function addCompileCommand(program: Command): void {
  program.command('compile', { hidden: true }).action(async () => {
    const { loadNode } = await import('./run-node.ts');
    await loadNode();
    await import('./devnet/run.ts');
    await import('./devnet/make.ts');
    await import('./stop-signal.ts');
  });
}
