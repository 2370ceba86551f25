import { z } from 'zod'
import {
  fence,
  fencingEpoch,
  hostId,
  imageId,
  incarnation,
  operationId,
  projectId,
  requestId,
  serverId,
  sessionId,
  stepId,
  userId,
} from './envelope.js'
import { networkPlan } from './network-plan.js'

const hash = z.string().regex(/^[0-9a-f]{128}$/)

/** Where a guest's first bytes come from. The format is always named, never probed. */
export const imageSource = z.object({
  imageId,
  diskFormat: z.enum(['raw', 'qcow2']),
  sizeBytes: z.int().positive(),
  virtualBytes: z.int().positive(),
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
export const startCommand = command.extend({ kind: z.literal('start') })
/** Asks the guest by ACPI; pulls the plug when it is still running after `graceMs`. */
export const stopCommand = command.extend({ kind: z.literal('stop'), graceMs: z.int().nonnegative() })
/** Soft: asks the guest, falls back to hard after `graceMs`. Hard: off and on again. */
export const rebootCommand = command.extend({
  kind: z.literal('reboot'),
  type: z.enum(['soft', 'hard']),
  graceMs: z.int().nonnegative(),
})

export const serverCommand = z.discriminatedUnion('kind', [
  buildCommand,
  destroyCommand,
  startCommand,
  stopCommand,
  rebootCommand,
])
export type ServerCommand = z.output<typeof serverCommand>
export type ServerCommandKind = ServerCommand['kind']
export type BuildCommand = z.output<typeof buildCommand>
export type DestroyCommand = z.output<typeof destroyCommand>
export type StartCommand = z.output<typeof startCommand>
export type StopCommand = z.output<typeof stopCommand>
export type RebootCommand = z.output<typeof rebootCommand>

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
export type UnknownSession = z.output<typeof unknownSession>

/** These results are committed: the agent may forget them. */
export const acknowledge = z.object({
  kind: z.literal('acknowledge'),
  results: z.array(z.object({ serverId, fence })).min(1),
})
export type Acknowledge = z.output<typeof acknowledge>

export const agentMessage = z.discriminatedUnion('kind', [
  buildCommand,
  destroyCommand,
  startCommand,
  stopCommand,
  rebootCommand,
  registered,
  notRegistered,
  unknownSession,
  acknowledge,
  networkPlan,
])
export type AgentMessage = z.output<typeof agentMessage>
