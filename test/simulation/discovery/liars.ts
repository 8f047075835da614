/**
 * Peers that lie about who is where. They are no nodes: they dial everybody they know of, take part in the
 * exchange of addresses, and are silent otherwise.
 */
import { genesisHash } from '../../../genesis/encode.ts';
import type { PeerAddress } from '../../../p2p/address.ts';
import { ADDRESSES_PROTOCOL, CHANNELS, PROTOCOLS } from '../../../p2p/channels.ts';
import { ADDRESSES_MAX } from '../../../p2p/exchange-limits.ts';
import {
  decodeAddressesResponse,
  encodeAddressesRequest,
  encodeAddressesResponse,
} from '../../../p2p/exchange.ts';
import { DEFAULT_LIMITS, type Network, silentLogger } from '../../../p2p/network.ts';
import type { Simulation } from '../simulation.ts';
import type { World } from './world.ts';

/** How they lie. */
export const ADDRESS_LIES = [
  'invents',
  'invents neighbours',
  'mixes ids',
  'partitions',
  'is silent',
  'tells too many',
  'tells you yourself',
  'asks for ever',
] as const;

/** One of them. */
export type AddressLie = (typeof ADDRESS_LIES)[number];

/** A liar, and whom it knows. */
export interface LiarPlan {
  readonly id: string;
  readonly lie: AddressLie;
  readonly world: World;
  readonly honest: readonly string[];
  readonly liars: readonly string[];
  /** It goes to the honest; else it waits for them. */
  readonly dials: boolean;
  /** Told of what the honest answer to it. */
  readonly told: (by: string, addresses: readonly PeerAddress[]) => void;
}

const ASKS_EVERY_MS = 4_000;
const ASKS_FOR_EVER_MS = 400;
const TIMEOUT_MS = 1_000;

/** Lets one loose. */
export function startLiar(simulation: Simulation, plan: LiarPlan): void {
  const { id, lie, world, honest, dials } = plan;
  const { scheduler, wires, genesis } = simulation;
  const network = wires.hub.createNetwork(id, {
    chainId: genesis.chainId,
    moniker: 'liar',
    softwareVersion: 'liar',
    genesisHash: genesisHash(genesis),
    channels: CHANNELS,
    protocols: PROTOCOLS,
    latestHeight: () => simulation.height,
    persistentPeers: dials ? honest.map((one) => world.addressOf(one)) : [],
    // Its own address as it tells it may be that of another.
    externalAddress: world.addressOf(
      scheduler.random.percent(70) ? id : (scheduler.random.pick(honest) ?? id),
    ),
    limits: { ...DEFAULT_LIMITS, inboundPeersMax: 1_000, outboundPeersMax: 1_000 },
    log: silentLogger,
  });
  for (const { name } of PROTOCOLS) {
    if (name !== ADDRESSES_PROTOCOL.name) network.serve(name, never);
  }
  network.serve(ADDRESSES_PROTOCOL.name, ({ id: asker }) =>
    lie === 'is silent' ? never() : encodeAddressesResponse(lieTo(simulation, plan, asker)),
  );
  void network.start();
  const ask = (): void => {
    askSomebody(simulation, plan, network);
    scheduler.after(lie === 'asks for ever' ? ASKS_FOR_EVER_MS : ASKS_EVERY_MS, ask);
  };
  scheduler.after(ASKS_FOR_EVER_MS, ask);
}

const never = (): Promise<never> => new Promise(() => undefined);

function askSomebody(simulation: Simulation, { told, lie, world }: LiarPlan, network: Network): void {
  const peer = simulation.scheduler.random.pick(network.peers());
  if (peer === undefined) return;
  const isRude = lie === 'asks for ever' && simulation.scheduler.random.percent(5);
  // What nobody asked for, as if it were a question.
  const question = isRude
    ? encodeAddressesResponse([world.invent('20.1')]).subarray(0, ADDRESSES_PROTOCOL.requestBytesMax)
    : encodeAddressesRequest(ADDRESSES_MAX);
  network
    .request(peer.id, ADDRESSES_PROTOCOL.name, question, { timeoutMs: TIMEOUT_MS })
    .then((answer) => told(peer.id, decodeAddressesResponse(answer, ADDRESSES_MAX)))
    .catch(() => undefined); // it was banned, or is down
}

function lieTo({ scheduler }: Simulation, plan: LiarPlan, asker: string): readonly PeerAddress[] {
  const { id, lie, world, honest, liars } = plan;
  const { random } = scheduler;
  const many = (make: (index: number) => PeerAddress | undefined, count = ADDRESSES_MAX): PeerAddress[] => {
    const made = new Map<string, PeerAddress>();
    for (let i = 0; i < count; i++) {
      const address = make(i);
      if (address !== undefined) made.set(address.text, address);
    }
    return [...made.values()];
  };
  const somebody = (): string => random.pick(honest) ?? id;
  switch (lie) {
    case 'invents':
      return many(() => world.invent(world.newGroup()));
    case 'invents neighbours': {
      const group = world.find(somebody())?.group ?? world.newGroup();
      return many(() => world.invent(group));
    }
    case 'mixes ids':
      return many(() => {
        const where = world.find(random.percent(50) ? somebody() : id);
        return where && world.mixed(where, random.percent(50) ? somebody() : (random.pick(liars) ?? id));
      });
    case 'partitions':
      return many((i) => world.find(liars[i] ?? id), liars.length);
    case 'tells too many':
      return many(() => world.invent(world.newGroup()), ADDRESSES_MAX + 1);
    case 'tells you yourself':
      return many(() => world.find(asker), 1);
    case 'is silent':
    case 'asks for ever':
      return [];
  }
}
