import { z } from 'zod'
import { fence, hostId, incarnation, operationId, powerState, sequence, serverId, sessionId, stepId } from './envelope.js'
import { networkPlanApplied } from './network-plan.js'
import { amount, description, words } from './told.js'

/** What a host is and has. `total…` are what this host may use at all, its own share of the machine where it shares one. */
export const inventory = z.object({
  architecture: words(64),
  hypervisorType: words(64),
  /** Major * 1,000,000 + minor * 1,000 + release, as libvirt counts. */
  hypervisorVersion: amount,
  virtType: z.enum(['kvm', 'qemu', 'test', 'simulated']),
  /** Why this and not another: what the probe saw, or that the operator set it. */
  virtTypeReason: words(1_000),
  cpuInfo: description,
  totalVcpus: amount.positive().max(2 ** 20),
  totalMemoryMiB: amount.positive(),
  totalDiskGiB: amount,
  reservedMemoryMiB: amount,
  reservedDiskGiB: amount,
  /** What the hypervisor needs for each guest beside its memory. */
  overheadMiB: amount,
  /** Virtual processors given away for each real one. */
  vcpuRatio: z.number().positive().max(1_000),
  uptimeSeconds: amount,
})
export type Inventory = z.output<typeof inventory>

/** A guest as it is on its host now. */
export const guestSeen = z.object({ serverId, incarnation, powerState, sequence })
export type GuestSeen = z.output<typeof guestSeen>

/** Sent at start and whenever the answer is missing; a new session begins with it. */
export const register = z.object({
  kind: z.literal('register'),
  registrationId: z.uuid(),
  hostId,
  hostName: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\0]*$/),
  address: words(255),
  /** Differs after the host itself was started again, and only then. */
  bootId: words(255),
  /** Differs after each start of the agent. */
  agentId: z.uuid(),
  /** Why the host itself asks to be looked at by a person; null where it does not. */
  quarantine: words(1_000).nullable(),
  /** The highest that the host knows of; 0 before it was told any. */
  fencingEpoch: z
    .int()
    .nonnegative()
    .max(2 ** 31 - 1),
  /** Whether it was ever told a plan of its networks, and carries it still: be it that the cloud has forgotten the host since. */
  carriesNetworks: z.boolean().optional(),
  inventory,
  /** What was seen before the session began: each by `registrationSequence`. */
  guests: z.array(guestSeen),
})
export type Register = z.output<typeof register>

export const heartbeat = z.object({
  kind: z.literal('heartbeat'),
  hostId,
  sessionId,
  sequence,
  inventory,
  guests: z.array(guestSeen),
})
export type Heartbeat = z.output<typeof heartbeat>

/** What QEMU says at the most when it ends, and some. */
const longestMessage = 4_000

/**
 * Why a command failed, by what helps: `request` nothing does (a bad image, an impossible guest), `host` another host may,
 * `superseded` a higher fence came first.
 */
export const failure = z.object({
  scope: z.enum(['request', 'host', 'superseded']),
  /** For a person: what happened and what to do. */
  message: words(longestMessage),
})
export type Failure = z.output<typeof failure>

/** How a command ended. Repeated until it is acknowledged. */
export const result = z.object({
  kind: z.literal('result'),
  hostId,
  /** Of the session in which it is sent, which may be a later one than that of the command. */
  sessionId,
  sequence,
  stepId,
  operationId,
  serverId,
  incarnation,
  fence,
  outcome: z.discriminatedUnion('state', [
    z.object({ state: z.literal('done'), powerState, detail: words(longestMessage).optional() }),
    z.object({ state: z.literal('failed'), powerState, failure }),
  ]),
})
export type Result = z.output<typeof result>

/** How a guest came to its state without a command. */
export const guestChangeCause = z.enum([
  'guest-shutdown',
  'destroyed-on-host',
  'crashed',
  'killed',
  'started-on-host',
  'paused-on-host',
  'found-at-resync',
])
export type GuestChangeCause = z.output<typeof guestChangeCause>

export const guestChanged = z.object({
  kind: z.literal('guest-changed'),
  hostId,
  sessionId,
  serverId,
  incarnation,
  powerState,
  sequence,
  cause: guestChangeCause,
  detail: words(longestMessage),
})
export type GuestChanged = z.output<typeof guestChanged>

/** These guests, which a registration's answer named, are gone from the host. */
export const guestsRemoved = z.object({
  kind: z.literal('guests-removed'),
  hostId,
  guests: z.array(z.object({ serverId, incarnation })).min(1),
})
export type GuestsRemoved = z.output<typeof guestsRemoved>

/** In bytes, as Nova has it. */
export const longestGuestPassword = 1_020

/** What a guest set as its password, for its owner to read. Told until it is recorded, and again in each session. */
export const guestPassword = z.object({
  kind: z.literal('guest-password'),
  hostId,
  sessionId,
  serverId,
  incarnation,
  /** How many its owner had cleared when the guest set it. */
  clears: amount,
  /** As the guest gave it, mostly sealed with its owner's key. PostgreSQL's texts have no NUL. */
  password: z
    .string()
    .min(1)
    .max(longestGuestPassword)
    .regex(/^[^\0]*$/),
})
export type GuestPassword = z.output<typeof guestPassword>

export const report = z.discriminatedUnion('kind', [
  register,
  heartbeat,
  result,
  guestChanged,
  guestsRemoved,
  guestPassword,
  networkPlanApplied,
])
export type Report = z.output<typeof report>
