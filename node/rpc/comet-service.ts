/**
 * `cosmos.base.tendermint.v1beta1.Service`: blocks, validators and the node itself, as an application of SDK
 * v0.50 tells of them (`client/grpc/cmtservice`).
 */
import { toBech32 } from '../../core/bech32.ts';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import * as auth from '../../proto/gen/cosmos/auth/v1beta1/query.ts';
import * as wire from '../../proto/gen/cosmos/base/tendermint/v1beta1/query.ts';
import type { Block as SdkBlock } from '../../proto/gen/cosmos/base/tendermint/v1beta1/types.ts';
import type { PageRequest } from '../../proto/gen/cosmos/base/query/v1beta1/pagination.ts';
import * as ed25519 from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import * as secp256k1 from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { Block } from '../../proto/gen/tendermint/types/block.ts';
import type { BlockID } from '../../proto/gen/tendermint/types/types.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { PER_PAGE_MAX } from './config.ts';
import { heightOrLatest, latestUncommittedHeight, pageBounds } from './heights.ts';
import type { ServerInfo } from './methods/node.ts';
import type { RpcPorts } from './ports.ts';
import { StatusError } from './query-status.ts';

/** What this service is answered from. */
export type CometServicePorts = Pick<RpcPorts, 'application' | 'blocks' | 'state' | 'status' | 'index'> & {
  readonly identity: ServerInfo;
};

const SERVICE = '/cosmos.base.tendermint.v1beta1.Service';
/** What `node_info` says of protocols: those of CometBFT v0.38. */
const [P2P_PROTOCOL, BLOCK_PROTOCOL] = [8n, 11n];
/** The SDK that the application behaves like; explorers choose by it how they ask. */
const SDK_VERSION = 'v0.50.11';
/** Paths of ABCIQuery begin with one of these. */
const RAW_PATHS: readonly string[] = ['app', 'store', 'p2p', 'custom'];

/** By path. */
export const COMET_ANSWERS: Readonly<
  Record<string, (ports: CometServicePorts, data: Uint8Array) => Uint8Array | Promise<Uint8Array>>
> = {
  [`${SERVICE}/GetNodeInfo`]: getNodeInfo,
  [`${SERVICE}/GetSyncing`]: ({ status }, data) => {
    wire.GetSyncingRequest.decode(data);
    return wire.GetSyncingResponse.encode({ syncing: status.catchingUp() });
  },
  [`${SERVICE}/GetLatestBlock`]: async (ports, data) => {
    wire.GetLatestBlockRequest.decode(data);
    return wire.GetLatestBlockResponse.encode(await blockAt(ports, ports.blocks.range().height));
  },
  [`${SERVICE}/GetBlockByHeight`]: async (ports, data) => {
    const { height } = wire.GetBlockByHeightRequest.decode(data);
    requireReached(ports, height);
    return wire.GetBlockByHeightResponse.encode(await blockAt(ports, height));
  },
  [`${SERVICE}/GetLatestValidatorSet`]: async (ports, data) => {
    const { pagination } = wire.GetLatestValidatorSetRequest.decode(data);
    const set = await validatorsAt(ports, latestUncommittedHeight(ports), pagination);
    return wire.GetLatestValidatorSetResponse.encode(set);
  },
  [`${SERVICE}/GetValidatorSetByHeight`]: async (ports, data) => {
    const { height, pagination } = wire.GetValidatorSetByHeightRequest.decode(data);
    requireReached(ports, height);
    const set = await validatorsAt(ports, height, pagination);
    return wire.GetValidatorSetByHeightResponse.encode(set);
  },
  [`${SERVICE}/ABCIQuery`]: abciQuery,
};

function requireReached({ blocks }: CometServicePorts, height: bigint): void {
  if (height > blocks.range().height)
    throw new StatusError('InvalidArgument', 'requested block height is bigger then the chain length');
}

interface FoundBlock {
  readonly blockId: BlockID | undefined;
  readonly block: Block;
  readonly sdkBlock: SdkBlock;
}

/** The block as CometBFT and as the SDK shows it: there its proposer has an address in text. */
async function blockAt(ports: CometServicePorts, asked: bigint): Promise<FoundBlock> {
  const height = heightOrLatest(ports, ports.blocks.range().height, asked);
  const bytes = ports.blocks.blockBytes(height);
  if (bytes === undefined) throw new LedgerError('rpc.height', `height ${height} is not available`);
  const block = Block.decode(bytes);
  const proposerAddress = toBech32(await consensusPrefix(ports), block.header.proposerAddress);
  return {
    blockId: ports.blocks.meta(height)?.blockId,
    block,
    sdkBlock: { ...block, header: { ...block.header, proposerAddress } },
  };
}

async function validatorsAt(
  ports: CometServicePorts,
  asked: bigint,
  pagination: PageRequest | undefined,
): Promise<wire.GetLatestValidatorSetResponse> {
  const height = heightOrLatest(ports, latestUncommittedHeight(ports), asked);
  const all = ports.state.validators(height)?.validators;
  if (all === undefined)
    throw new LedgerError('rpc.validators', `could not find validator set for height #${height}`);
  const perPage = Number(pagination?.limit ?? 0n) || PER_PAGE_MAX;
  const page = Math.floor(Number(pagination?.offset ?? 0n) / perPage) + 1;
  const { skip, take } = pageBounds(all.length, { page, perPage });
  const prefix = await consensusPrefix(ports);
  return {
    blockHeight: height,
    validators: all.slice(skip, skip + take).map((validator) => ({
      address: toBech32(prefix, validator.address),
      pubKey: anyOf(validator.publicKey),
      votingPower: validator.votingPower,
      proposerPriority: validator.proposerPriority,
    })),
    pagination: { nextKey: EMPTY_BYTES, total: BigInt(all.length) },
  };
}

function anyOf({ type, bytes }: PublicKey): Any {
  const { PubKey } = type === 'ed25519' ? ed25519 : secp256k1;
  return { typeUrl: PubKey.typeUrl, value: PubKey.encode({ key: bytes }) };
}

/** Prefix of validators' addresses: the chain's is known to the application alone. */
async function consensusPrefix({ application }: CometServicePorts): Promise<string> {
  const { code, value, log } = await application.query({
    path: '/cosmos.auth.v1beta1.Query/Bech32Prefix',
    data: EMPTY_BYTES,
    height: 0n,
    prove: false,
  });
  if (code !== 0) throw new LedgerError('rpc.query', `the application does not tell its prefix: ${log}`);
  return `${auth.Bech32PrefixResponse.decode(value).bech32Prefix}valcons`;
}

async function getNodeInfo(ports: CometServicePorts, request: Uint8Array): Promise<Uint8Array> {
  wire.GetNodeInfoRequest.decode(request);
  const { id, listenAddress, network, moniker, appVersion } = ports.status.nodeInfo();
  const { reportedVersion, address } = ports.identity;
  const { data: name, version } = await ports.application.info({
    version: reportedVersion,
    blockVersion: BLOCK_PROTOCOL,
    p2pVersion: P2P_PROTOCOL,
    abciVersion: '2.0.0',
  });
  return wire.GetNodeInfoResponse.encode({
    defaultNodeInfo: {
      protocolVersion: { p2p: P2P_PROTOCOL, block: BLOCK_PROTOCOL, app: appVersion },
      defaultNodeId: id,
      listenAddr: listenAddress,
      network,
      version: reportedVersion,
      channels: EMPTY_BYTES,
      moniker,
      other: { txIndex: ports.index === undefined ? 'off' : 'on', rpcAddress: address() },
    },
    applicationVersion: wire.VersionInfo.create({
      name,
      appName: name,
      version,
      cosmosSdkVersion: SDK_VERSION,
    }),
  });
}

async function abciQuery({ application }: CometServicePorts, data: Uint8Array): Promise<Uint8Array> {
  const request = wire.ABCIQueryRequest.decode(data);
  if (request.path === '') throw new StatusError('InvalidArgument', 'empty query path');
  const [first = ''] = request.path.replace(/^\//, '').split('/');
  if (!RAW_PATHS.includes(first))
    throw new StatusError('InvalidArgument', `unsupported ABCI query path: ${request.path}`);
  return wire.ABCIQueryResponse.encode(await application.query(request));
}
