import { z } from 'zod'
import {
  fence,
  fencingEpoch,
  hostId,
  imageId,
  incarnation,
  operationId,
  portId,
  projectId,
  requestId,
  serverId,
  sessionId,
  stepId,
  userId,
} from './envelope.js'
import { guestNic, networkPlan } from './network-plan.js'

const hash = z.string().regex(/^[0-9a-f]{128}$/)

/** Where a guest's first bytes come from. The format is always named, never probed. */
export const imageSource = z.object({
  imageId,
  diskFormat: z.enum(['raw', 'qcow2']),
  /** An image may be empty: a guest that is installed over the network needs no more. */
  sizeBytes: z.int().nonnegative(),
  virtualBytes: z.int().nonnegative(),
  sha512: hash,
  url: z.url(),
  /** A short-lived credential for this one image, sent as a bearer token. */
  credential: z.string(),
})
export type ImageSource = z.output<typeof imageSource>

/** What a config drive says to the guest; the agent lays it out as OpenStack does. */
export const configDrive = z.object({
  /** openstack/latest/meta_data.json */
  metaData: z.record(z.string(), z.unknown()),
  /** openstack/latest/network_data.json */
  networkData: z.record(z.string(), z.unknown()),
  /** base64, as the tenant gave it */
  userData: z.string().nullable(),
  files: z.array(z.object({ path: z.string(), contents: z.string() })),
})
export type ConfigDrive = z.output<typeof configDrive>

/** Everything a host must know to make one guest. */
export const guestSpecification = z.object({
  name: z.string(),
  projectId,
  userId,
  flavorName: z.string(),
  vcpus: z.int().positive(),
  memoryMiB: z.int().positive(),
  diskGiB: z.int().nonnegative(),
  image: imageSource,
  configDrive,
  /** In the order in which the guest finds them. */
  nics: z.array(guestNic),
})
export type GuestSpecification = z.output<typeof guestSpecification>

/** Common to all commands: which server, in which incarnation, under whose word, and until when. */
const command = z.object({
  stepId,
  operationId,
  requestId,
  serverId,
  incarnation,
  fence,
  sessionId,
  /** Of the host: commands of another epoch are refused. */
  fencingEpoch,
  /** How long the work may take from its receipt, in ms: agents are told durations, never times. */
  timeoutMs: z.int().positive(),
})

export const buildCommand = command.extend({ kind: z.literal('build'), guest: guestSpecification })
/** Removes the guest with its disks, and leaves a tombstone for this incarnation even where nothing was found. */
export const destroyCommand = command.extend({ kind: z.literal('destroy') })
/** The interfaces are all that the guest is to have from now on: whatever became of them while it could not be told. */
export const startCommand = command.extend({ kind: z.literal('start'), nics: z.array(guestNic) })
/** Asks the guest by ACPI; pulls the plug when it is still running after `graceMs`. */
export const stopCommand = command.extend({ kind: z.literal('stop'), graceMs: z.int().nonnegative() })
/** Soft: asks the guest, falls back to hard after `graceMs`. Hard: off and on again. */
export const rebootCommand = command.extend({
  kind: z.literal('reboot'),
  type: z.enum(['soft', 'hard']),
  graceMs: z.int().nonnegative(),
  /** All that the guest is to have once it was off. */
  nics: z.array(guestNic),
})
/** Plugs an interface into the guest, whether it runs or not, as soon as the host has its port in force. */
export const attachInterfaceCommand = command.extend({ kind: z.literal('attach-interface'), nic: guestNic })
/** Takes an interface off the guest: done too where it has none of that port. */
export const detachInterfaceCommand = command.extend({ kind: z.literal('detach-interface'), portId })

export const serverCommand = z.discriminatedUnion('kind', [
  buildCommand,
  destroyCommand,
  startCommand,
  stopCommand,
  rebootCommand,
  attachInterfaceCommand,
  detachInterfaceCommand,
])
export type ServerCommand = z.output<typeof serverCommand>
export type ServerCommandKind = ServerCommand['kind']
export type BuildCommand = z.output<typeof buildCommand>
export type DestroyCommand = z.output<typeof destroyCommand>
export type StartCommand = z.output<typeof startCommand>
export type StopCommand = z.output<typeof stopCommand>
export type RebootCommand = z.output<typeof rebootCommand>
export type AttachInterfaceCommand = z.output<typeof attachInterfaceCommand>
export type DetachInterfaceCommand = z.output<typeof detachInterfaceCommand>

/** A guest that was given up while its host was fenced, as its record names it. */
const abandonedGuest = z.object({ serverId, incarnation, fencingEpoch })
export type AbandonedGuest = z.output<typeof abandonedGuest>

/** Common to both answers to a registration. */
const registrationAnswer = z.object({
  hostId,
  /** Echoes the registration that it answers. */
  registrationId: z.uuid(),
  /** From now on the host's: commands of a lower one are refused for ever. */
  fencingEpoch,
  /** To be removed, with every lower incarnation and before anything else is done: a later one may run elsewhere. */
  remove: z.array(abandonedGuest),
})

/** The answer to a registration. Until it came, an agent starts nothing. */
export const registered = registrationAnswer.extend({
  kind: z.literal('registered'),
  sessionId,
  /** An operator has looked at what the host was in quarantine for. */
  release: z.boolean(),
})
export type Registered = z.output<typeof registered>

/** The other answer: the host gets no session for now. It asks again. */
export const notRegistered = registrationAnswer.extend({
  kind: z.literal('not-registered'),
  /** For the person who looks after the host: why, and what to do. */
  reason: z.string(),
})
export type NotRegistered = z.output<typeof notRegistered>

/** Reports come under a session that is not the host's any more: whoever still has it registers again. */
export const unknownSession = z.object({ kind: z.literal('unknown-session'), hostId, sessionId })

/** These results are committed: the agent may forget them. */
export const acknowledge = z.object({
  kind: z.literal('acknowledge'),
  results: z.array(z.object({ serverId, fence })).min(1),
})
export type Acknowledge = z.output<typeof acknowledge>

/** What this guest set as its password is on record, or counts no more: the agent need not tell it again. */
export const passwordRecorded = z.object({
  kind: z.literal('password-recorded'),
  hostId,
  serverId,
  incarnation,
  clears: z.int().nonnegative(),
})
export type PasswordRecorded = z.output<typeof passwordRecorded>

export const agentMessage = z.discriminatedUnion('kind', [
  ...serverCommand.options,
  registered,
  notRegistered,
  unknownSession,
  acknowledge,
  passwordRecorded,
  networkPlan,
])
export type AgentMessage = z.output<typeof agentMessage>
