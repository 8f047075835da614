/**
 * Explores all that can happen to a payer, a payee and a chain, to a number of steps. The parties are the
 * real library and the chain is the real modules: nothing is modelled but disk, network and clock.
 *
 * | what              | how                                                                            |
 * | ----------------- | ------------------------------------------------------------------------------ |
 * | network           | a letter that was sent may arrive at every later step, or never                |
 * | crash             | at each write of either side: before, in the middle of, after it               |
 * | chain             | blocks of 30 s; claims arrive late and again; rotation, withdrawal, agreements |
 * | the same state    | has the same name (`stateName`) and is explored once, breadth first            |
 *
 * What must hold is looked at in every state: `properties.ts`.
 */
import { MsgOpenChannel } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { Violation } from '../world.ts';
import { broadcasts, claimed, closes, payerEnds, ticks } from './chain-steps.ts';
import { EMPTY_DISK } from './disk.ts';
import { asPayer, mirrorOf, newChannel } from './parties.ts';
import { checkState } from './properties.ts';
import * as steps from './steps.ts';
import { type ModelFaults, type ModelState, requestOf, type Scenario, stateName } from './world.ts';

/** What an exploration has found. */
export interface Explored {
  readonly states: number;
  /** Steps that were tried. */
  readonly transitions: number;
  /** Steps that the longest way had. */
  readonly depth: number;
  /** Nothing is left to explore at a greater depth. */
  readonly isComplete: boolean;
  /** The shortest way to a state that must not be, and why. */
  readonly violation: string | undefined;
}

interface Node {
  readonly state: ModelState;
  readonly label: string;
  readonly parent: Node | undefined;
}

/** Explores a scenario to a depth, or to the first violation. */
export async function explore(
  scenario: Scenario,
  depth: number,
  faults: ModelFaults = {},
): Promise<Explored> {
  const { chain, config, id } = newChannel();
  const ran = chain.run(MsgOpenChannel, { config, deposit: `${scenario.deposit}` });
  if (!('response' in ran)) throw new RangeError(`the channel is not opened: ${ran.log}`);
  const m: steps.Model = { scenario, faults, id };
  const disks = { payerDisk: EMPTY_DISK, payeeDisk: EMPTY_DISK };
  const nothing = { isOpen: true, paid: 0n, mirror: undefined, jobs: [], letters: new Map(), fates: [] };
  const opened: ModelState = steps.observed(m, { chain, ...disks, ...nothing });
  const start = await begun(m, opened);
  const seen = new Set<string>([stateName(start, mirrorOf(start.chain, id))]);
  let transitions = 0;
  const label = ['the channel is open', ...(scenario.begin ?? [])].join('; ');
  let frontier: Node[] = [{ state: start, label, parent: undefined }];
  let reached = 0;
  for (; reached < depth && frontier.length > 0; reached++) {
    const found: Node[] = [];
    for (const node of frontier)
      try {
        for (const { label, next } of await successors(m, node.state)) {
          transitions++;
          const name = stateName(next, mirrorOf(next.chain, id));
          if (seen.has(name)) continue;
          seen.add(name);
          const child = { state: next, label, parent: node };
          const problem = await problemOf(m, next);
          if (problem !== undefined) return violated(child, problem);
          if (next.isOpen) found.push(child);
        }
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        return violated(node, error.message);
      }
    frontier = found;
  }
  const states = seen.size;
  return { states, transitions, depth: reached, isComplete: frontier.length === 0, violation: undefined };

  function violated(node: Node, problem: string): Explored {
    const violation = [...wayTo(node), problem].join('\n  ');
    return { states: seen.size, transitions, depth: reached + 1, isComplete: false, violation };
  }
}

/** Where the exploration begins. */
async function begun(m: steps.Model, from: ModelState): Promise<ModelState> {
  let s = from;
  for (const name of m.scenario.begin ?? []) {
    const step = (await successors(m, s)).find(({ label }) => label.startsWith(name));
    if (step === undefined) throw new RangeError(`no step begins with ${name}`);
    s = step.next;
  }
  return s;
}

function wayTo(node: Node | undefined): readonly string[] {
  return node === undefined ? [] : [...wayTo(node.parent), node.label];
}

async function problemOf(m: steps.Model, s: ModelState): Promise<string | undefined> {
  try {
    await checkState(m, s);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    throw error;
  }
}

/** Everything that can happen next. */
async function successors(m: steps.Model, s: ModelState): Promise<readonly steps.Step[]> {
  const { scenario } = m;
  const all: steps.Step[] = [];
  const { result: pending = [] } = await asPayer(s, { ...m, cut: undefined }, async (payer) =>
    payer.pending(),
  );
  if (s.fates.length < scenario.requests.length) {
    all.push(...(await steps.asks(m, s, undefined)));
    for (const signed of pending) all.push(...(await steps.asks(m, s, signed)));
  }
  for (const signed of pending) if (requestOf(signed, scenario) >= 0) all.push(steps.resends(m, s, signed));
  all.push(...(await arrivals(m, s)));
  for (const job of s.jobs) {
    all.push({ label: `abandon ${job.request}`, next: { ...s, jobs: s.jobs.filter((one) => one !== job) } });
    for (const charge of chargesOf(scenario, job)) all.push(...(await steps.settles(m, s, job, charge)));
  }
  if (s.jobs.length > 0) all.push(await steps.payeeEnds(m, s));
  all.push({ label: 'the payee looks', next: steps.observed(m, s) });
  all.push(...(await broadcasts(m, s)), ...(await ticks(m, s)));
  if (scenario.endings) all.push(...payerEnds(m, s), ...(await steps.consents(m, s)));
  return all;
}

async function arrivals(m: steps.Model, s: ModelState): Promise<readonly steps.Step[]> {
  const all: steps.Step[] = [];
  for (const letter of s.letters.values())
    switch (letter.kind) {
      case 'voucher':
        all.push(...(await steps.payeeTakes(m, s, letter)));
        break;
      case 'link':
        all.push(...(await steps.payeeLinks(m, s, letter)));
        break;
      case 'claim':
        all.push(claimed(s, letter));
        break;
      case 'consent':
        all.push(...closes(s, letter));
        break;
      default:
        all.push(...(await steps.payerReads(m, s, letter)));
    }
  return all;
}

/** The least and the most that may be charged now. */
function chargesOf(
  { requests }: Scenario,
  { request, index }: ModelState['jobs'][number],
): readonly bigint[] {
  const { ceiling = 0n, stream } = requests[request] ?? {};
  const unit = stream?.unit ?? 0n;
  const rest = ceiling - unit * BigInt(stream?.links ?? 0);
  const shown = unit * BigInt(index);
  if (stream === undefined) return [1n, ceiling];
  return rest === 0n ? [shown] : [shown, shown + rest];
}
