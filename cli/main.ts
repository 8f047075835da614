/** The entry of `openledgerd`. Light on purpose: a command loads what it needs when it runs. */
import { failureText } from './failure.ts';
import { resolveModulesQuickly } from './quick-resolve.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const NODE_MAJOR = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < NODE_MAJOR) {
  process.stderr.write(
    `openledgerd: needs Node.js ${NODE_MAJOR}, but this is ${process.version}. ` +
      'Start it with "npm run openledgerd --" or bin/openledgerd.mjs, which bring it along.\n',
  );
  process.exit(1);
}
resolveModulesQuickly();
try {
  await createProgram(processTerminal()).parseAsync(process.argv);
} catch (error) {
  process.stderr.write(failureText(error, process.argv.includes('--trace')));
  process.exitCode = 1;
}
// What a command had open it has closed; libraries leave timers behind (libp2p one of a second), and what a
// failed command left must not keep the process either. What it wrote is written first.
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
process.exit();
