import type { ConfigDrive, GuestSpecification, ServerCommand } from '@nubo/contract'
import { assert, CloudError, type HostId, type ImageId } from '@nubo/kernel'
import { doerOf } from './engine.js'
import type { OperationDefinition } from './definition.js'
import type { ImageRecord, OpenStep } from './records.js'

/** How long a guest may take to shut down when it is asked, before the plug is pulled. Nova's shutdown_timeout. */
const defaultGraceMs = 60_000
const imageGone =
  'The image of this server could not be found: it was deleted or deactivated before the server was built from it.'
const buildTimeoutMs = 10 * 60_000
const commandTimeoutMs = 3 * 60_000
/** The one zone there is. */
const availabilityZone = 'nova'

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
    case 'start':
      return { kind: by, ...envelope, timeoutMs: commandTimeoutMs }
    case 'stop':
      return { kind: 'stop', ...envelope, timeoutMs: commandTimeoutMs, graceMs: graceMs(operation.input) }
    case 'reboot':
      return {
        kind: 'reboot',
        ...envelope,
        timeoutMs: commandTimeoutMs,
        type: rebootType(operation.kind),
        graceMs: graceMs(operation.input),
      }
  }
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

/** OpenStack's meta_data.json, as Nova fills it (nova/api/metadata/base.py). The random seed is the host's to add. */
function configDriveOf({ operation, server, guest }: OpenStep): ConfigDrive {
  const keys =
    guest.keyName && guest.publicKey
      ? { public_keys: { [guest.keyName]: guest.publicKey }, keys: [{ name: guest.keyName, type: 'ssh', data: guest.publicKey }] }
      : {}
  const adminPassword = operation.input.adminPassword
  return {
    metaData: {
      uuid: server.id,
      name: server.name,
      hostname: server.hostname,
      project_id: server.projectId,
      availability_zone: availabilityZone,
      launch_index: guest.launchIndex,
      devices: [],
      dedicated_cpus: [],
      ...(Object.keys(guest.metadata).length > 0 ? { meta: guest.metadata } : {}),
      ...(typeof adminPassword === 'string' ? { admin_pass: adminPassword } : {}),
      ...keys,
    },
    userData: guest.userData,
    files: guest.files,
  }
}
