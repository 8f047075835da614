/**
 * The economic loop, played by a user with a wallet: CosmJS and `client/` against public RPC, nothing else.
 */
import { join, resolve } from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import { type Connection, connect } from '../../client/index.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { type DevnetRecord, readRecord } from '../devnet/record.ts';
import { requireFolder } from '../home/folder.ts';
import { rpcUrl, unreachableReason } from '../status.ts';
import type { Terminal } from '../terminal.ts';
import { BlobStore } from './blobs.ts';
import { claimAll, owedTo } from './earnings.ts';
import { prepare, QUESTIONS, quotedContributions, type Settled, settle, verifyLocally } from './inference.ts';
import { type Refusal, tellLies } from './lies.ts';
import { ExtractiveModel, type ModelDocument } from './model.ts';
import { type DemoChain, type Party, partyOf } from './party.ts';
import {
  answerText,
  balances,
  type Earnings,
  earningsTable,
  equation,
  money,
  reasonsText,
  refusalText,
  settlementRows,
  settlementTable,
  sumsOf,
} from './report.ts';
import { payoutText, volumeRecord, volumeText } from './volume/report.ts';
import { grouped, settleVolume } from './volume/volume.ts';
import { DEFAULT_COLUMNS, paragraph } from './table.ts';
import { loadSpeeches } from './speeches.ts';
import { contributeSpeeches, freeze, hirePresidents, offerModel, openDatanet } from './stage.ts';

const GAS_PRICE = '0.001';
/** Accounts of the devnet that play a part. */
const PLAYERS = 3;

/** What `openledgerd demo` takes. */
export interface DemoOptions {
  /** Home of the devnet: its accounts and the blobs. */
  readonly home: string;
  /** RPC URL; the devnet's first node when it is not given. */
  readonly rpc?: string | undefined;
  /** One JSON object a line instead of a text. */
  readonly json?: boolean | undefined;
  /** How many inferences are settled by an epoch; 0: none. */
  readonly inferences: number;
}

type Output = Pick<Terminal, 'out' | 'note' | 'columns'>;

interface Cast {
  readonly archive: Party;
  readonly seller: Party;
  readonly payer: Party;
  readonly presidents: ReadonlyMap<string, Party>;
}

/**
 * Plays the demo and prints it.
 * @throws LedgerError in one clear sentence: no devnet, nothing answers, a transaction that should have
 * passed
 */
export async function runDemo(options: DemoOptions, terminal: Output): Promise<void> {
  const record = requireRecord(resolve(options.home));
  const { chain, rpc } = await openChain(record, options.rpc);
  try {
    await requireAccounts(chain, record, { home: options.home, rpc });
    const blobs = new BlobStore(join(resolve(options.home), 'blobs'));
    const { inferences, json = false } = options;
    await play({ chain, record, terminal, blobs, home: resolve(options.home), inferences, json });
  } finally {
    chain.connection.comet.disconnect();
  }
}

function requireRecord(home: string): DevnetRecord {
  requireFolder(home);
  const record = readRecord(home);
  if (record !== undefined) return record;
  throw new LedgerError(
    'demo.home',
    `there is no devnet in ${home}: start one with "npm run devnet" in another terminal, or name its folder with --home`,
  );
}

/** The first of the devnet's nodes that answers, or the one that was named. */
async function openChain(
  record: DevnetRecord,
  given: string | undefined,
): Promise<{ readonly chain: DemoChain; readonly rpc: string }> {
  const { chain_id: chainId, prefix, denom } = record;
  const gasPrice = `${GAS_PRICE}${denom}`;
  const urls = given === undefined ? record.nodes.map(({ rpc }) => rpc) : [webSocketOrHttp(given)];
  const { connection, rpc } = await connectToOne(urls, gasPrice);
  try {
    const { nodeInfo } = await connection.comet.status();
    if (nodeInfo.network !== chainId) {
      throw new LedgerError(
        'demo.chain',
        `${rpc} is a node of ${nodeInfo.network}, but the accounts in the devnet's home are of ${chainId}; check --rpc and --home`,
      );
    }
  } catch (error) {
    connection.comet.disconnect();
    throw error;
  }
  return { chain: { connection, chainId, prefix, denom, gasPrice }, rpc };
}

async function connectToOne(
  urls: readonly string[],
  gasPrice: string,
): Promise<{ readonly connection: Connection; readonly rpc: string }> {
  const reasons = new Set<string>();
  for (const rpc of urls) {
    try {
      return { connection: await connect(rpc, { gasPrice }), rpc };
    } catch (cause) {
      reasons.add(unreachableReason(cause));
    }
  }
  throw new LedgerError(
    'demo.rpc',
    `nothing answers at ${urls.join(', ')} (${[...reasons].join('; ')}): start the devnet with "npm run devnet", or name a node with --rpc`,
  );
}

/** CosmJS takes both kinds; its own error for anything else asks for ws:// only. */
function webSocketOrHttp(url: string): string {
  return /^wss?:\/\/[^/\s]+/.test(url) ? url : rpcUrl(url);
}

/** A chain of the same id may be another one: then it does not know the home's accounts. */
async function requireAccounts(
  { connection }: DemoChain,
  { accounts, denom }: DevnetRecord,
  place: { readonly home: string; readonly rpc: string },
): Promise<void> {
  for (const { address } of accounts.slice(0, PLAYERS)) {
    const { amount } = await connection.queries.bank.balance(address, denom);
    if (BigInt(amount) > 0n) continue;
    if ((await connection.comet.status()).syncInfo.latestBlockHeight === 0)
      throw new LedgerError('demo.chain', `${place.rpc} has no block yet; try again in a moment`);
    throw new LedgerError(
      'demo.accounts',
      `the accounts of ${place.home} are not on the chain at ${place.rpc}, or have no money there (${address}); ` +
        '--home and --rpc must name the same devnet',
    );
  }
}

interface Show {
  readonly chain: DemoChain;
  readonly record: DevnetRecord;
  readonly terminal: Output;
  readonly blobs: BlobStore;
  readonly home: string;
  readonly inferences: number;
  readonly json: boolean;
}

async function play(show: Show): Promise<void> {
  const { chain, terminal, blobs } = show;
  const columns = terminal.columns ?? DEFAULT_COLUMNS;
  const say = (text: string): void => {
    if (!show.json) terminal.out(`${paragraph(text, '', columns)}\n`);
  };
  const speeches = loadSpeeches();
  const cast = await hire(show, [...new Set(speeches.map(({ president }) => president))]);
  say(`${cast.presidents.size} contributors, each with an own key, on ${chain.chainId}`);
  const datanet = await openDatanet(chain, cast.archive);
  say(`Datanet ${datanet.id} "${datanet.slug}" opened by ${cast.archive.name}`);
  const contributed = await contributeSpeeches({ datanetId: datanet.id, speeches, ...cast, blobs });
  say(
    `${contributed.length} speeches contributed: contents in blobs, merkle roots over 256-byte chunks on chain`,
  );
  const snapshot = await freeze(cast.archive, datanet.id);
  say(
    `Snapshot ${snapshot.snapshotId} (version ${snapshot.version}) of ${snapshot.count} contributions published`,
  );
  const model = await offerModel(chain, cast.seller, snapshot.snapshotId);
  const { inPer1000, outPer1000, perCall, denom } = model.price;
  const rates = [inPer1000, outPer1000, perCall].map((rate) => money(BigInt(rate), denom));
  const tariff = `${rates[0]} / 1,000 tokens in, ${rates[1]} / 1,000 tokens out, ${rates[2]} per call`;
  say(`Model ${model.id} "${model.name}" offered by ${cast.seller.name}: ${tariff}\n`);
  const engine = new ExtractiveModel(await documentsOf(show, datanet.id));
  const purchases = QUESTIONS.map((question) => prepare({ question, engine, model, payer: cast.payer }));
  for (const purchase of purchases) await verifyLocally(chain, purchase);
  const contributors = [...cast.presidents.values()];
  const before = await owedTo(chain, contributors);
  const settled = await settle(chain, cast.payer, purchases);
  const after = await owedTo(chain, contributors);
  const claimed = await claimAll(chain, contributors);
  const [honest] = purchases;
  const refusals = honest === undefined ? [] : await tellLies(chain, cast.payer, honest);
  const earnings = contributors.map(({ name, address }) => ({
    name,
    address,
    before: before.get(address) ?? 0n,
    after: after.get(address) ?? 0n,
    claimed: claimed.get(address) ?? 0n,
  }));
  const told = { settled, refusals, earnings, denom };
  if (show.json) tellPrograms(told, terminal);
  else tellPeople(told, terminal);
  requireSums(told);
  if (show.inferences > 0) await playVolume(show, cast, { model, settled });
}

/** The second act. */
async function playVolume(
  show: Show,
  { seller, payer, presidents }: Cast,
  first: { readonly model: Model; readonly settled: readonly Settled[] },
): Promise<void> {
  const { chain, record, terminal, inferences, home } = show;
  const { model, settled } = first;
  const columns = terminal.columns ?? DEFAULT_COLUMNS;
  const say = (text: string): void => {
    if (!show.json) terminal.out(`${text}\n`);
  };
  say(`\nThe same answers ${grouped(inferences)} times, by channels and one epoch:`);
  const volume = await settleVolume({
    ...{ chain, home, seller, payer, model, settled, inferences },
    contributors: [...presidents.values()],
    mnemonic: record.accounts[0]?.mnemonic ?? '',
    say: (text) => say(paragraph(text, '', columns)),
  });
  if (show.json) {
    terminal.out(`${JSON.stringify(volumeRecord(volume, chain.denom))}\n`);
    return;
  }
  const contributions = await quotedContributions(chain, settled);
  say(payoutText(volume, { settled, contributions, denom: chain.denom, columns }));
  say(volumeText(volume, chain.denom));
}

/** What came of it. */
interface Told {
  readonly settled: readonly Settled[];
  readonly refusals: readonly Refusal[];
  readonly earnings: readonly Earnings[];
  readonly denom: string;
}

function tellPeople({ settled, refusals, earnings, denom }: Told, terminal: Output): void {
  const columns = terminal.columns ?? DEFAULT_COLUMNS;
  const say = (text: string): void => terminal.out(`${text}\n`);
  for (const [i, one] of settled.entries()) say(answerText(one, i, columns));
  say(settlementTable(settled, columns));
  for (const one of settled.slice(0, 1)) say(reasonsText(one, columns));
  for (const refusal of refusals) say(refusalText(refusal, denom, columns));
  say(earningsTable(earnings, denom));
  const gas = settled.reduce((sum, { gasFee }) => sum + gasFee, 0n);
  const claimed = earnings.reduce((sum, one) => sum + one.claimed, 0n);
  const risen = `The contributors' slots earned ${risenBy(earnings)} ${denom}, and they claimed ${claimed} ${denom};`;
  say(paragraph(`${risen} gas for ${settled.length} payments was ${gas} ${denom}.`, '', columns));
  say(equation(sumsOf(settled), denom));
}

function tellPrograms({ settled, refusals, earnings, denom }: Told, terminal: Output): void {
  const line = (value: object): void =>
    terminal.out(
      `${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each))}\n`,
    );
  for (const row of settled.flatMap(settlementRows)) line({ event: 'settled', ...row });
  for (const { name, code, log, lost, gasFee } of refusals)
    line({ event: 'refused', name, code: Number(code.replace('code ', '')), log, lost, gas_fee: gasFee });
  for (const { name, address, claimed: amount } of earnings)
    if (amount > 0n) line({ event: 'claimed', name, contributor: address, amount, denom });
  line({ event: 'sums', denom, ...sumsOf(settled) });
}

function risenBy(earnings: readonly Earnings[]): bigint {
  return earnings.reduce((sum, { before, after }) => sum + after - before, 0n);
}

/** Compares what receipts say with what slots and claims say, and what lies cost with their gas. */
function requireSums({ settled, refusals, earnings }: Told): void {
  const sums = sumsOf(settled);
  const risen = risenBy(earnings);
  if (risen !== sums.contributors || !balances(sums))
    throw new LedgerError(
      'demo.sums',
      `the sums do not agree: receipts give contributors ${sums.contributors}, their slots earned ${risen}`,
    );
  const short = earnings.find(({ after, claimed }) => claimed !== after);
  if (short !== undefined)
    throw new LedgerError('demo.sums', `${short.name} was owed ${short.after} and claimed ${short.claimed}`);
  if (refusals.some(({ lost, gasFee }) => lost !== gasFee))
    throw new LedgerError('demo.charged', 'a refused payment cost more than its gas');
}

/**
 * The first three accounts of the devnet play archive, seller and payer; fewer accounts play several parts.
 */
async function hire({ chain, record }: Show, names: readonly string[]): Promise<Cast> {
  const [first, ...others] = record.accounts;
  if (first === undefined)
    throw new LedgerError('demo.accounts', 'the devnet has no funded account; start it with --accounts 3');
  const play = (i: number): Promise<Party> => {
    const { name, mnemonic } = others[i] ?? first;
    return partyOf(chain, name, { mnemonic, index: 0 });
  };
  const archive = await partyOf(chain, first.name, { mnemonic: first.mnemonic, index: 0 });
  const presidents = await hirePresidents(chain, { party: archive, mnemonic: first.mnemonic }, names);
  return { archive, seller: await play(0), payer: await play(1), presidents };
}

/**
 * The snapshot's documents as a gateway would get them: ids, roots and lengths from the chain, contents
 * from blobs.
 */
async function documentsOf({ chain, blobs }: Show, datanetId: bigint): Promise<readonly ModelDocument[]> {
  const { datanet } = chain.connection.queries.openledger;
  const { contributions } = await datanet.contributionsByDatanet({ datanetId });
  return contributions.map(({ id, canonicalId, title, root, byteLength }) => ({
    contributionId: id,
    canonicalId,
    title,
    content: blobs.get({ root, byteLength: Number(byteLength) }),
  }));
}
