import type {
  FlavorId,
  HostId,
  ImageId,
  NetworkId,
  OperationId,
  PortId,
  ProjectId,
  RequestId,
  ServerId,
  SessionId,
  StepId,
  UserId,
} from '@nubo/kernel'
import type { Failure, PowerStateCode } from '@nubo/contract'

export type OperationState = 'running' | 'unwinding' | 'done' | 'failed' | 'cancelled'
export type StepState = 'open' | 'done' | 'failed' | 'revoked'
export type Direction = 'do' | 'undo'
export type Wanted = 'running' | 'stopped' | 'deleted'

export interface OperationRecord {
  id: OperationId
  kind: string
  serverId: ServerId
  projectId: ProjectId
  userId: UserId | null
  requestId: RequestId
  state: OperationState
  input: Record<string, unknown>
  message: string | null
  failureScope: Failure['scope'] | null
}

export interface StepRecord {
  id: StepId
  name: string
  direction: Direction
  state: StepState
  hostId: HostId | null
  fence: number
  /** 1 for the first try; each further host is one more. */
  attempt: number
}

/** A server as operations see it. */
export interface ServerRecord {
  id: ServerId
  projectId: ProjectId
  userId: UserId
  name: string
  hostname: string
  vcpus: number
  memoryMiB: number
  diskGiB: number
  wanted: Wanted
  vmState: string
  taskState: string | null
  powerState: PowerStateCode
  hostId: HostId | null
  incarnation: number
  fence: number
  /** Whether it has interfaces. */
  hasPorts: boolean
}

/** An operation, the step of it that is open, and its server: all three locked until the transaction ends. */
export interface Located {
  operation: OperationRecord
  step: StepRecord
  server: ServerRecord
}

/** What only the making of a guest needs to know of its server. */
export interface GuestRecord {
  flavorId: FlavorId
  flavorName: string
  launchIndex: number
  keyName: string | null
  publicKey: string | null
  metadata: Record<string, string>
  userData: string | null
  files: { path: string; contents: string }[]
  image: ImageRecord | null
  /** The interfaces, in the order in which the guest finds them. */
  ports: GuestPort[]
}

/** An interface of a guest, with what its guest is told of it. */
export interface GuestPort {
  portId: PortId
  networkId: NetworkId
  mac: string
  mtu: number
  /** The tenant's word for it. */
  tag: string | null
  addresses: GuestAddress[]
}

export interface GuestAddress {
  address: string
  ipVersion: 4 | 6
  netmask: string
  gateway: string | null
  /** Whether the guest is given it by DHCP. */
  dhcp: boolean
  /** IPv6: how it is given out; null for IPv4 and where nobody of ours does. */
  addressMode: string | null
  dnsNameservers: string[]
  routes: { network: string; netmask: string; gateway: string }[]
}

export interface ImageRecord {
  id: ImageId
  /** The processor that it is made for, where its properties say one. */
  architecture: string | null
  diskFormat: 'raw' | 'qcow2'
  sizeBytes: number
  virtualBytes: number
  sha512: string
}

/** The host that a step's command goes to. */
export interface CommandedHost {
  id: HostId
  name: string
  sessionId: SessionId | null
  fencingEpoch: number
}

/** An open step with all that is needed to tell whoever does it. Read without locks: it may be stale, which a fence shows. */
export interface OpenStep {
  operation: OperationRecord
  step: StepRecord
  /** The queue that the step's hints go to. */
  queue: string
  server: ServerRecord
  guest: GuestRecord
  host: CommandedHost | null
}

/** What a step left behind when it was done: what an agent saw of the guest, where an agent did it. */
export interface StepResult {
  powerState?: PowerStateCode
  detail?: string
  /** The report in which it was seen, so that an older one cannot overwrite it. */
  report?: { sessionId: SessionId; sequence: number }
}
