/** The entry of `openledgerd`. Light on purpose: a command loads what it needs when it runs. */
import { failureText } from './failure.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const NODE_MAJOR = 24;
/** So long a command that has failed, and has said so, may take to end by itself. */
const FAILED_EXIT_MS = 2_000;

const major = Number(process.versions.node.split('.')[0]);
if (major < NODE_MAJOR) {
  process.stderr.write(
    `openledgerd: needs Node.js ${NODE_MAJOR}, but this is ${process.version}. ` +
      'Start it with "npm run openledgerd --" or bin/openledgerd.mjs, which bring it along.\n',
  );
  process.exit(1);
}
try {
  await createProgram(processTerminal()).parseAsync(process.argv);
} catch (error) {
  process.stderr.write(failureText(error, process.argv.includes('--trace')));
  process.exitCode = 1;
  // Whatever a failed command left open: the process ends. The timer counts only while something else keeps
  // it alive.
  setTimeout(() => process.exit(), FAILED_EXIT_MS).unref();
}
