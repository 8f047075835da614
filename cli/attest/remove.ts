/** `openledgerd attest influence remove`: a head without contributions, with a certificate of how near it is. */
import type { Command } from 'commander';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { readCard } from './card-file.ts';
import { reportOf, writeReport } from './card-report.ts';
import { writeFile } from './files.ts';
import { wholeNumber } from '../daemon.ts';

interface RemoveOptions {
  readonly card: string;
  readonly contribution: readonly string[];
  readonly snapshot?: string;
  readonly out: string;
  readonly absences?: string;
  readonly json?: boolean;
}

const ID = /^[1-9]\d{0,18}$/;

/** Adds the command to the group `attest influence`. */
export function addRemoveCommand(influence: Command, terminal: Terminal): void {
  influence
    .command('remove')
    .description(
      'take contributions out of a head by one Newton step; its card certifies how far that is from training anew, and proofs say that they are out',
    )
    .requiredOption('--card <file>', 'what train wrote')
    .requiredOption('--contribution <id...>', 'whose examples to take out')
    .option('--snapshot <count>', 'contributions of the snapshot of the new card (default: as before)')
    .requiredOption('--out <file>', 'the new card with its leaves')
    .option('--absences <file>', 'write JSON lines: contribution, proof that the new card has none of it')
    .option('--json', 'print JSON')
    .action(async (options: RemoveOptions) => remove(options, terminal));
}

async function remove(options: RemoveOptions, terminal: Terminal): Promise<void> {
  const { certify } = await import('../../attest/influence/certificate.ts');
  const { headOfCard } = await import('../../attest/influence/served-head.ts');
  const { proveAbsence, removeContributions } = await import('../../attest/influence/remove.ts');
  const { encodeServedCard } = await import('../../attest/influence/served-file.ts');
  const { encodeAbsence } = await import('../../modules/attribution/proof/influence/absence.ts');
  const { toBase64 } = await import('../../core/bytes.ts');
  const removed = new Set(options.contribution.map(idOf));
  const served = await readCard('--card', options.card);
  const head = headOfCard(served);
  const there = new Set(head.set.contributions);
  const strange = [...removed].filter((id) => !there.has(id));
  if (strange.length > 0) throw usageError(`the card has no example of contribution ${strange.join(', ')}`);
  if (removed.size === there.size)
    throw usageError('--contribution names all that the card has: a head of none is none');
  const { datanetId, snapshotCount, extractor, kind, base } = served.card;
  const count = options.snapshot;
  const after = certify(removeContributions(head, removed), {
    ...{ datanetId, extractor },
    snapshotCount:
      count === undefined ? snapshotCount : BigInt(wholeNumber('--snapshot', count, [1, 2 ** 31])),
    ...(kind === 'adapter' ? { base } : {}),
  });
  writeFile('--out', options.out, encodeServedCard(after));
  if (options.absences !== undefined) {
    const lines = [...removed].map((id) => {
      const proof = toBase64(encodeAbsence(proveAbsence(after, id)));
      return `${JSON.stringify({ contribution: id.toString(), proof })}\n`;
    });
    writeFile('--absences', options.absences, new TextEncoder().encode(lines.join('')));
  }
  writeReport(await reportOf(after.card), options, terminal);
}

function idOf(text: string): bigint {
  if (!ID.test(text)) throw usageError(`--contribution is "${text}", but must be the number of one`);
  return BigInt(text);
}
