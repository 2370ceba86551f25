import type { GuestNicSpecification, GuestSpecification, ServerCommand } from '@nubo/contract'
import { assert, CloudError, type HostId, type ImageId } from '@nubo/kernel'
import { configDriveOf } from './config-drive.js'
import { doerOf } from './engine.js'
import type { OperationDefinition } from './definition.js'
import { portOf } from './operations/interfaces.js'
import type { GuestPort, ImageRecord, OpenStep } from './records.js'

/** How long a guest may take to shut down when it is asked, before the plug is pulled. Nova's shutdown_timeout. */
const defaultGraceMs = 60_000
const imageGone =
  'The image of this server could not be found: it was deleted or deactivated before the server was built from it.'
const buildTimeoutMs = 10 * 60_000
const commandTimeoutMs = 3 * 60_000

export interface ComposeOptions {
  /** The image service as hosts reach it. */
  imageUrl: string
  /** Signs a short-lived credential by which one host fetches one image. */
  signImageCredential: (image: ImageId, host: HostId) => Promise<string>
}

/**
 * The complete instruction that an open step gives to its host: agents have no database to look things up in.
 * Undefined while the host has no session: it is told when it has registered.
 */
export async function composeCommand(
  open: OpenStep,
  definition: OperationDefinition,
  options: ComposeOptions,
): Promise<ServerCommand | undefined> {
  const { operation, step, server, host } = open
  assert(host, `step ${step.name} has a host`)
  if (!host.sessionId) return undefined
  const by = doerOf(definition.steps[step.name]!, step.direction)
  assert(by !== 'scheduler', 'schedulers take hints, not commands')
  const envelope = {
    stepId: step.id,
    operationId: operation.id,
    requestId: operation.requestId,
    serverId: server.id,
    incarnation: server.incarnation,
    fence: step.fence,
    sessionId: host.sessionId,
    fencingEpoch: host.fencingEpoch,
  }
  switch (by) {
    case 'build':
      return { kind: 'build', ...envelope, timeoutMs: buildTimeoutMs, guest: await guestSpecification(open, host.id, options) }
    case 'destroy':
      return { kind: 'destroy', ...envelope, timeoutMs: commandTimeoutMs }
    case 'start':
      return { kind: 'start', ...envelope, timeoutMs: commandTimeoutMs, nics: nicsOf(open) }
    case 'stop':
      return { kind: 'stop', ...envelope, timeoutMs: commandTimeoutMs, graceMs: graceMs(operation.input) }
    case 'reboot':
      return {
        kind: 'reboot',
        ...envelope,
        timeoutMs: commandTimeoutMs,
        type: rebootType(operation.kind),
        graceMs: graceMs(operation.input),
        nics: nicsOf(open),
      }
    case 'attach-interface':
      return { kind: 'attach-interface', ...envelope, timeoutMs: commandTimeoutMs, nic: attachedNic(open) }
    case 'detach-interface':
      return { kind: 'detach-interface', ...envelope, timeoutMs: commandTimeoutMs, portId: portOf(operation.input) }
  }
}

function nicsOf({ guest }: OpenStep): GuestNicSpecification[] {
  return guest.ports.map(nicOf)
}

function nicOf({ portId, networkId, mac, mtu }: GuestPort): GuestNicSpecification {
  return { portId, networkId, mac, mtu }
}

function attachedNic({ guest, operation }: OpenStep): GuestNicSpecification {
  const port = guest.ports.find(({ portId }) => portId === portOf(operation.input))
  if (!port) throw new CloudError('NotFound', 'The port of this interface was deleted before it could be attached.')
  return nicOf(port)
}

function graceMs(input: Record<string, unknown>): number {
  return typeof input.graceMs === 'number' ? input.graceMs : defaultGraceMs
}

function rebootType(kind: string): 'soft' | 'hard' {
  return kind === 'server.reboot-hard' ? 'hard' : 'soft'
}

async function guestSpecification(open: OpenStep, host: HostId, options: ComposeOptions): Promise<GuestSpecification> {
  const { server, guest } = open
  if (!guest.image) throw new CloudError('NotFound', imageGone)
  return {
    name: server.name,
    projectId: server.projectId,
    userId: server.userId,
    flavorName: guest.flavorName,
    vcpus: server.vcpus,
    memoryMiB: server.memoryMiB,
    diskGiB: server.diskGiB,
    image: await imageSource(guest.image, host, options),
    configDrive: configDriveOf(open),
    nics: nicsOf(open),
  }
}

async function imageSource(image: ImageRecord, host: HostId, options: ComposeOptions) {
  const { id, diskFormat, sizeBytes, virtualBytes, sha512 } = image
  return {
    imageId: id,
    diskFormat,
    sizeBytes,
    virtualBytes,
    sha512,
    url: `${options.imageUrl}/nubo/v1/images/${id}/file`,
    credential: await options.signImageCredential(id, host),
  }
}
