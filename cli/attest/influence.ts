/** `openledgerd attest influence`: trains heads and adapters, asks them, and checks cards and claims. */
import type { Command } from 'commander';
import type { ValueSum } from '../../attest/influence/value-sums.ts';
import { LedgerError } from '../../core/errors.ts';
import type { InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { readCard } from './card-file.ts';
import { linesOf, reportOf, writeReport } from './card-report.ts';
import { readFile, writeFile } from './files.ts';
import { addPublishCardCommand } from './publish-card.ts';
import { addRemoveCommand } from './remove.ts';
import { type SourceOptions, sourcesOf } from './sources.ts';
import { addShapleyCommand } from './shapley.ts';

const LAMBDA_ONE = 2 ** 24;
const BOUND_ONE = 2 ** 32;
const HASH_HEX = /^[0-9a-f]{64}$/i;
const SHOWN_GROUPS = 10;

interface TrainOptions {
  readonly examples: string;
  readonly classes: string;
  readonly datanet: string;
  readonly snapshot: string;
  readonly lambda: string;
  readonly extractor: string;
  readonly base?: string;
  readonly out: string;
  readonly json?: boolean;
}

interface QueryOptions extends SourceOptions {
  readonly card: string;
  readonly features: string;
  readonly offsets?: string;
  readonly label?: string;
  readonly out?: string;
  readonly json?: boolean;
}

interface VerifyOptions {
  readonly card: string;
  readonly claim?: string;
  readonly fraud?: string;
}

/** Adds the commands to the group `attest`. */
export function addInfluenceCommands(attest: Command, terminal: Terminal): void {
  const influence = attest
    .command('influence')
    .description(
      'which examples an answer of a trained head or adapter draws on, with what convicts a false claim',
    );
  influence
    .command('train')
    .description('train a softmax head or an adapter on examples, and write its model card with all leaves')
    .requiredOption('--examples <file>', 'JSON lines: contribution, label, features; offsets of an adapter')
    .requiredOption('--classes <count>', 'labels are 0 to one less')
    .requiredOption('--datanet <id>', 'of the contributions')
    .requiredOption('--snapshot <count>', 'contributions of the snapshot that is trained on')
    .option('--lambda <number>', 'of the L2 term', '0.001')
    .option('--extractor <hash>', 'SHA-256 of what makes features of contributions, in hex', '0'.repeat(64))
    .option('--base <hash>', 'of an adapter: SHA-256 of the model whose logits the offsets are, in hex')
    .requiredOption('--out <file>', 'the card with its leaves')
    .option('--json', 'print JSON')
    .action(async (options: TrainOptions) => train(options, terminal));
  influence
    .command('query')
    .description('contributions that an answer of a head or adapter draws on')
    .requiredOption('--card <file>', 'what train wrote')
    .requiredOption('--features <json>', 'list of bytes, without the constant one, or base64 in quotes')
    .option('--offsets <json>', "of an adapter: list of the base model's logits")
    .option('--label <class>', 'the answer (default: what the model answers)')
    .option('--out <file>', 'write the claim with its leaves')
    .option('--sources <file>', 'JSON lines: contribution, contributor, datanet; shares of these too')
    .option('--node <url>', 'ask the chain for contributors and Datanets instead')
    .option('--json', 'print JSON')
    .action(async (options: QueryOptions) => query(options, terminal));
  influence
    .command('verify')
    .description('exit code 0 when a card, or a claim on it, is right; else names what is wrong')
    .requiredOption('--card <file>', 'the card with its leaves')
    .option('--claim <file>', 'a claim with its leaves; the card is then taken to be right')
    .option('--fraud <file>', 'write the message that convicts')
    .action(async (options: VerifyOptions) => verify(options, terminal));
  addRemoveCommand(influence, terminal);
  addShapleyCommand(influence, terminal);
  addPublishCardCommand(influence, terminal);
}

async function train(options: TrainOptions, terminal: Terminal): Promise<void> {
  const { parseExamples } = await import('../../attest/influence/examples-list.ts');
  const { trainingSet } = await import('../../attest/influence/training-set.ts');
  const { trainHead } = await import('../../attest/influence/train.ts');
  const { certify } = await import('../../attest/influence/certificate.ts');
  const { encodeServedCard } = await import('../../attest/influence/served-file.ts');
  const { fromHex, fromUtf8 } = await import('../../core/bytes.ts');
  const lambda = Number(options.lambda);
  if (!(lambda >= 1 / LAMBDA_ONE && lambda < 1)) throw usageError('--lambda must be from 6e-8 to below 1');
  if (!HASH_HEX.test(options.extractor)) throw usageError('--extractor must be 64 hexadecimal digits');
  const classes = whole('--classes', options.classes);
  const examples = parseExamples(fromUtf8(readFile('--examples', options.examples)), classes);
  const base = baseOf(options, { offsets: examples[0]?.offsets?.length, classes });
  const head = trainHead(trainingSet(examples, classes), { lambda: Math.round(lambda * LAMBDA_ONE) });
  const served = certify(head, {
    datanetId: BigInt(whole('--datanet', options.datanet)),
    snapshotCount: BigInt(whole('--snapshot', options.snapshot)),
    extractor: fromHex(options.extractor),
    ...(base === undefined ? {} : { base: fromHex(base) }),
  });
  writeFile('--out', options.out, encodeServedCard(served));
  writeReport(await reportOf(served.card), options, terminal);
}

/** Hash of an adapter's base model; undefined for a head. */
function baseOf(
  { base }: Pick<TrainOptions, 'base'>,
  { offsets, classes }: { readonly offsets: number | undefined; readonly classes: number },
): string | undefined {
  if (offsets === undefined) {
    if (base !== undefined) throw usageError('--base is for an adapter: the examples have no offsets');
    return undefined;
  }
  if (offsets !== classes)
    throw usageError(`examples have ${offsets} offsets; ${classes} classes need as many`);
  if (base === undefined) throw usageError('--base must name the model whose logits the offsets are');
  if (!HASH_HEX.test(base)) throw usageError('--base must be 64 hexadecimal digits');
  return base;
}

async function query(options: QueryOptions, terminal: Terminal): Promise<void> {
  const { parseFeatures, parseOffsets } = await import('../../attest/influence/examples-list.ts');
  const { encodeServedClaim } = await import('../../attest/influence/served-file.ts');
  const { headOfCard } = await import('../../attest/influence/served-head.ts');
  const { hessianOf } = await import('../../attest/influence/hessian.ts');
  const asking = await import('../../attest/influence/query.ts');
  const { encodeClaim } = await import('../../modules/attribution/proof/influence/claim.ts');
  const { FEATURE_MAX, offsetCount } = await import('../../modules/attribution/proof/influence/bounds.ts');
  const { toBase64 } = await import('../../core/bytes.ts');
  const served = await readCard('--card', options.card);
  const { features: width, classes } = served.card;
  const given = parseFeatures(jsonOf('--features', options.features));
  if (given?.length !== width - 1) throw usageError(`--features must be ${width - 1} bytes`);
  const brings = offsetCount(served.card);
  const offsets = options.offsets === undefined ? [] : parseOffsets(jsonOf('--offsets', options.offsets));
  if (offsets?.length !== brings)
    throw usageError(
      brings === 0
        ? 'a head takes no --offsets'
        : `--offsets must be ${brings} logits from -128 to below 128`,
    );
  const input = { features: Uint8Array.from([...given, FEATURE_MAX]), offsets };
  const head = headOfCard(served);
  const answer = asking.answerOf(asking.queryOf(head, input, 0));
  const label = options.label === undefined ? answer : whole('--label', options.label, 0);
  if (label >= classes) throw usageError(`--label must be below ${classes}`);
  const influencer = { head, factors: hessianOf(head) };
  const influence = asking.influenceOf(influencer, asking.queryOf(head, input, label));
  const claimed = asking.claimOf(influencer, served, influence);
  const { claim } = claimed;
  if (options.out !== undefined) writeFile('--out', options.out, encodeServedClaim(claimed));
  const listed = await sharesOf(claim, options);
  const report = { answer, label, bound: claim.bound / BOUND_ONE, claim: toBase64(encodeClaim(claim)) };
  terminal.out(
    options.json === true
      ? `${JSON.stringify({ ...report, ...listed })}\n`
      : `${linesOf(report)}${linesOfShares(listed)}`,
  );
}

/** Parts of all positive influence; what the claim lists is what it pays. */
interface Shares {
  readonly shares: readonly { readonly contribution: string; readonly share: number }[];
  readonly contributors: readonly { readonly id: string; readonly share: number }[];
  readonly datanets: readonly { readonly id: string; readonly share: number }[];
  /** Of contributions that the claim does not list. */
  readonly unlisted: number;
}

async function sharesOf({ groups, total }: InfluenceClaim, options: SourceOptions): Promise<Shares> {
  const { valueSums } = await import('../../attest/influence/value-sums.ts');
  const ids = groups.map(({ contributionId }) => contributionId);
  const weights = groups.map(({ weight }) => weight);
  const sums = valueSums(weights, ids, await sourcesOf(options, new Set(ids)));
  const share = (value: bigint): number => (total === 0 ? 0 : Number(value) / total);
  const listed = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  const named = (list: readonly ValueSum[]): Shares['contributors'] =>
    list.map(({ name, value }) => ({ id: name, share: share(value) }));
  return {
    shares: sums.contributions.map(({ name, value }) => ({ contribution: name, share: share(value) })),
    contributors: named(sums.contributors),
    datanets: named(sums.datanets),
    unlisted: share(BigInt(total) - listed),
  };
}

function linesOfShares({ shares, contributors, datanets, unlisted }: Shares): string {
  const lines = (what: string, list: readonly { readonly id: string; readonly share: number }[]): string =>
    list
      .slice(0, SHOWN_GROUPS)
      .map(({ id, share }) => `${what} ${id}: ${(100 * share).toFixed(1)} %\n`)
      .join('');
  return [
    lines(
      'contribution',
      shares.map(({ contribution, share }) => ({ id: contribution, share })),
    ),
    lines('contributor', contributors),
    lines('Datanet', datanets),
    unlisted > 0 ? `not listed: ${(100 * unlisted).toFixed(1)} %\n` : '',
  ].join('');
}

async function verify(options: VerifyOptions, terminal: Terminal): Promise<void> {
  const { decodeServedClaim } = await import('../../attest/influence/served-file.ts');
  const { findCardFraud } = await import('../../attest/influence/convict-card.ts');
  const { findClaimFraud } = await import('../../attest/influence/convict-claim.ts');
  const { encodeCardFraud, encodeClaimFraud } = await import(
    '../../modules/attribution/proof/influence/fraud.ts'
  );
  const { checkClaim } = await import('../../modules/attribution/proof/influence/claim.ts');
  const card = await readCard('--card', options.card);
  if (options.claim === undefined) {
    // Which contributions there are, only the chain knows.
    const found = findCardFraud(card, { holds: () => true });
    if (found === undefined) terminal.out('the card is right\n');
    else convict(options, { what: 'card', ...found }, encodeCardFraud(found));
    return;
  }
  const claim = decodeServedClaim(card, readFile('--claim', options.claim));
  checkClaim(card.card, claim.claim);
  const found = findClaimFraud({ card, claim });
  if (found === undefined) terminal.out('the claim is right\n');
  else convict(options, { what: 'claim', ...found }, encodeClaimFraud(found));
}

/** @throws LedgerError always: what is wrong */
function convict(
  { fraud }: VerifyOptions,
  found: {
    readonly what: string;
    readonly rule: string;
    readonly index: number;
    readonly coordinate: number;
  },
  message: Uint8Array,
): never {
  if (fraud !== undefined) writeFile('--fraud', fraud, message);
  const { what, rule, index, coordinate } = found;
  const written =
    fraud === undefined ? '--fraud writes the message that convicts it' : `${fraud} convicts it`;
  throw new LedgerError(
    'cli.influence',
    `the ${what} is wrong: rule ${rule} at ${index}, coordinate ${coordinate}; ${written}`,
  );
}

function jsonOf(option: '--features' | '--offsets', text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const form = option === '--features' ? 'a list of bytes, or base64 in quotes' : 'a list of numbers';
    throw usageError(`${option} is no JSON: give ${form}`);
  }
}

function whole(option: string, text: string, least = 1): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value < least) throw usageError(`${option} is "${text}", but must be a whole number from ${least}`);
  return value;
}
