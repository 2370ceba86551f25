import { Inject, Injectable } from '@nestjs/common'
import { DATABASE, ENGINE, QUEUE } from '@nubo/control-plane'
import { enforce, isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import { placementQueue } from '@nubo/contract'
import {
  findKeypair,
  findServerParts,
  insertServers,
  readQuota,
  type Database,
  type FlavorRow,
  type NewServer,
  type NewServersRequest,
  type Once,
  type Queryable,
  type ServerImageRow,
} from '@nubo/database'
import { defaultLimits, exceeded, limitsOf, serversWithin } from '@nubo/domain'
import {
  CloudError,
  newId,
  type OperationId,
  type ProjectId,
  type Random,
  type RequestId,
  type ServerId,
  type StepId,
} from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { LOGGER, RANDOM, type Logger } from '@nubo/service-kit'
import { castPlacementHints, type OperationEngine } from '@nubo/workflow'
import { hostnameFrom } from './hostnames.js'
import { plugPorts } from './interfaces/plug-ports.js'
import { RequestedNetworks, type WantedInterfaces } from './interfaces/requested-networks.js'
import { forcedHostPolicy } from './servers.policies.js'
import type { CreateServerBody, NewServerRequest } from './servers.schemas.js'

const gibibyte = 1024 ** 3
/** Letters and digits that are not mistaken for one another. */
const passwordAlphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const passwordLength = 12

/** What one transaction writes at the most, whatever a quota without limits would allow. */
const mostAtOnce = 1_000

export type CreatedServers = Pick<NewServersRequest, 'servers' | 'reservationId' | 'adminPassword' | 'diskConfig'>

/** The use case 'make servers': everything is checked first, then written in one transaction, then hinted at. */
@Injectable()
export class CreateServersService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(RANDOM) private readonly random: Random,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly networks: RequestedNetworks,
  ) {}

  async create(
    caller: Caller,
    body: CreateServerBody,
    requestId: RequestId,
    once: Once<CreatedServers>,
  ): Promise<CreatedServers> {
    const { server } = body
    const projectId = projectOf(caller)
    refuseWhatIsNotBuilt(body)
    this.checkPlacementWishes(caller, server)
    const counts = countsOf(server)
    const { flavor, image } = await this.findParts(caller, server)
    checkFit(flavor, image)
    const publicKey = await this.findPublicKey(caller, server)
    const adminPassword = server.adminPass ?? this.newPassword()
    const request = { projectId, userId: caller.userId, requestId, adminPassword, flavor, image, publicKey }
    await this.checkRequestLimits(projectId, server)
    const wanted = await this.networks.ofNewServers(caller, server, counts.maxCount)
    const newServers = (count: number) => this.newServers(server, request, this.nameServers(server, count))
    const all = newServers(counts.maxCount)
    const write = async (db: Queryable) =>
      (await insertServers(db, all, defaultLimits)) ? all : await this.writeFewer(db, request, counts, newServers)
    const created =
      wanted.interfaces.length === 0
        ? await once.run(this.database, write, all)
        : await this.writeWithPorts(all, wanted, once, (db) => this.fewer(db, request, counts, newServers))
    const hints = created.servers.map(({ stepId, operationId }) => ({ stepId, operationId, requestId }))
    await castPlacementHints(this.queue, hints, (error) =>
      this.logger.warn({ err: error }, 'hints were not cast; they will be again'),
    )
    return created
  }

  /**
   * The ports first, as quota is taken last of all. Where it is too little for all the servers, their ports are too many:
   * both are written anew.
   */
  private async writeWithPorts(
    all: NewServersRequest,
    wanted: WantedInterfaces,
    once: Once<CreatedServers>,
    fewer: (db: Queryable) => Promise<NewServersRequest>,
  ): Promise<NewServersRequest> {
    const write = async (request: NewServersRequest) =>
      await this.database.transaction((tx) =>
        once.within(
          tx,
          async () => {
            const plugged = request.servers.map(({ id }) => ({ id, projectId: request.projectId, hostId: null, firstIndex: 0 }))
            await plugPorts(tx, plugged, wanted, this.random)
            if (!(await insertServers(tx, request, defaultLimits))) throw new TooMany()
            return request
          },
          request,
        ),
      )
    try {
      return await write(all)
    } catch (error) {
      if (!(error instanceof TooMany)) throw error
    }
    try {
      return await write(await fewer(this.database))
    } catch (error) {
      throw error instanceof TooMany ? quotaGone() : error
    }
  }

  /** Writes as many servers as there is quota left for, where it was too little for all. Throws QuotaExceeded. */
  private async writeFewer(
    db: Queryable,
    request: RequestParts,
    counts: Counts,
    newServers: (count: number) => NewServersRequest,
  ): Promise<NewServersRequest> {
    const fewer = await this.fewer(db, request, counts, newServers)
    if (await insertServers(db, fewer, defaultLimits)) return fewer
    throw quotaGone()
  }

  /** As many servers as there is quota left for. Throws QuotaExceeded. */
  private async fewer(
    db: Queryable,
    { projectId, flavor }: RequestParts,
    counts: Counts,
    newServers: (count: number) => NewServersRequest,
  ): Promise<NewServersRequest> {
    const { limits, used } = await readQuota(db, projectId)
    const { vcpus, memoryMiB } = flavor
    const allowed = serversWithin(limitsOf(limits), { ...used }, { vcpus, memoryMiB, ...counts })
    if (!('count' in allowed))
      throw new CloudError('QuotaExceeded', allowed.message, { details: { resources: allowed.resources } })
    return newServers(allowed.count)
  }

  private async checkRequestLimits(projectId: ProjectId, server: NewServerRequest): Promise<void> {
    const metadataItems = Object.keys(server.metadata ?? {}).length
    const files = server.personality ?? []
    if (metadataItems === 0 && files.length === 0) return
    const { limits } = await readQuota(this.database, projectId)
    const over = exceeded(
      limitsOf(limits),
      {},
      {
        metadataItems,
        injectedFiles: files.length,
        injectedFilePathBytes: Math.max(0, ...files.map((file) => Buffer.byteLength(file.path))),
        injectedFileContentBytes: Math.max(0, ...files.map((file) => Buffer.from(file.contents, 'base64').length)),
      },
    )
    if (over) throw new CloudError('QuotaExceeded', over.message, { details: { resources: over.resources } })
  }

  private nameServers(server: NewServerRequest, count: number): NewServer[] {
    return Array.from({ length: count }, (_, index) => {
      const id = newId<ServerId>(this.random)
      const suffix = count > 1 ? `-${index + 1}` : ''
      return {
        id,
        operationId: newId<OperationId>(this.random),
        stepId: newId<StepId>(this.random),
        name: server.name + suffix,
        hostname: server.hostname === undefined ? hostnameFrom(server.name + suffix, `server-${id}`) : server.hostname + suffix,
        launchIndex: index,
      }
    })
  }

  private newServers(server: NewServerRequest, parts: RequestParts, servers: readonly NewServer[]): NewServersRequest {
    const { projectId, userId, requestId, adminPassword, flavor, image, publicKey } = parts
    const definition = this.engine.definition('server.create')
    const [firstStep, step] = Object.entries(definition.steps)[0]!
    return {
      servers,
      projectId,
      userId,
      requestId,
      reservationId: `r-${this.random.bytes(5).toString('hex').slice(0, 8)}`,
      description: server.description ?? null,
      imageId: image.id,
      flavor,
      keyName: server.key_name ?? null,
      publicKey,
      metadata: server.metadata ?? {},
      tags: [...new Set(server.tags ?? [])],
      userData: server.user_data ?? null,
      files: server.personality ?? [],
      // Without a metadata service a guest has no other way to learn who it is, so every guest gets one.
      configDrive: true,
      requestedZone: server.availability_zone?.split(':')[0] ?? null,
      accessIpv4: server.accessIPv4 ?? '',
      accessIpv6: server.accessIPv6 ?? '',
      diskConfig: server['OS-DCF:diskConfig'] ?? 'MANUAL',
      adminPassword,
      operation: {
        kind: definition.kind,
        deadlineMs: definition.deadlineMs,
        firstStep,
        queue: placementQueue,
        taskState: step.taskState,
        hintAfterMs: 2_000,
      },
    }
  }

  private checkPlacementWishes(caller: Caller, server: NewServerRequest): void {
    const [zone, host] = (server.availability_zone ?? 'nova').split(':')
    if (host !== undefined || server.host !== undefined || server.hypervisor_hostname !== undefined) {
      enforce(forcedHostPolicy, caller)
      throw new CloudError(
        'Invalid',
        'A server cannot be sent to a named host in this cloud yet: leave its place to the scheduler.',
      )
    }
    if (zone !== 'nova') throw new CloudError('Invalid', 'The requested availability zone is not available')
  }

  private async findParts(caller: Caller, server: NewServerRequest): Promise<{ flavor: FlavorRow; image: ServerImageRow }> {
    const imageRef = server.imageRef || bootImageOf(server)
    const ids = { flavorId: server.flavorRef, imageId: imageRef?.toLowerCase() ?? null }
    const viewer = { projectId: projectOf(caller), seesAll: isCloudAdmin(caller) }
    const { flavor, image } = await findServerParts(this.database, ids, viewer)
    if (!flavor) throw new CloudError('Invalid', `Flavor ${server.flavorRef} could not be found.`)
    if (!imageRef) throw new CloudError('Invalid', 'Invalid imageRef provided.')
    if (!image) throw new CloudError('Invalid', 'Can not find requested image')
    if (image.status !== 'active') throw new CloudError('Invalid', `Image ${image.id} is not active.`)
    return { flavor, image }
  }

  private async findPublicKey(caller: Caller, server: NewServerRequest): Promise<string | null> {
    if (!server.key_name) return null
    const keypair = await findKeypair(this.database, caller.userId, server.key_name)
    if (!keypair) throw new CloudError('Invalid', 'Invalid key_name provided.')
    return keypair.publicKey
  }

  private newPassword(): string {
    return Array.from({ length: passwordLength }, () => {
      // Rejection keeps every letter as likely as the others.
      for (;;) {
        const byte = this.random.bytes(1)[0]!
        if (byte < passwordAlphabet.length * 4) return passwordAlphabet[byte % passwordAlphabet.length]
      }
    }).join('')
  }
}

/** The servers of a request are more than there is quota for. */
class TooMany extends Error {}

const quotaGone = () => new CloudError('Conflict', 'Other requests used up the quota at the same time. Try again.')

interface Counts {
  minCount: number
  maxCount: number
}

interface RequestParts {
  projectId: ProjectId
  userId: Caller['userId']
  requestId: RequestId
  adminPassword: string
  flavor: FlavorRow
  image: ServerImageRow
  publicKey: string | null
}

function countsOf(server: NewServerRequest): Counts {
  const minCount = server.min_count ?? 1
  const maxCount = server.max_count ?? minCount
  if (minCount > maxCount) throw new CloudError('Invalid', 'min_count must be <= max_count')
  if (minCount > mostAtOnce) throw new CloudError('Invalid', `One request makes ${mostAtOnce} servers at the most: send several.`)
  return { minCount, maxCount: Math.min(maxCount, mostAtOnce) }
}

/** The image of a device that stands for the root disk itself: the form in which the OpenStack client names an image. */
function bootImageOf(server: NewServerRequest): string | undefined {
  return server.block_device_mapping_v2?.find((device) => device.source_type === 'image')?.uuid
}

/** What belongs to services that this cloud does not have is refused in the words of the real one, never ignored. */
function refuseWhatIsNotBuilt({ server, ...hints }: CreateServerBody): void {
  const devices = server.block_device_mapping_v2 ?? []
  const isRootDisk = (device: (typeof devices)[number]) =>
    device.source_type === 'image' &&
    (device.destination_type ?? 'local') === 'local' &&
    Number(device.boot_index ?? 0) === 0 &&
    (!server.imageRef || device.uuid === server.imageRef)
  if (devices.length > 1 || !devices.every(isRootDisk) || (server.block_device_mapping?.length ?? 0) > 0) {
    throw new CloudError('Invalid', 'Block Device Mapping is Invalid: this cloud has no volumes.')
  }
  if (server.trusted_image_certificates)
    throw new CloudError('Invalid', 'Image signature verification is not available in this cloud.')
  const wishes = hints['os:scheduler_hints'] ?? hints['OS-SCH-HNT:scheduler_hints'] ?? {}
  const [hint] = Object.keys(wishes)
  if (hint) throw new CloudError('Invalid', `The scheduler hint ${hint} is not known in this cloud.`)
}

/** What the image needs is held against what the flavor gives (nova/compute/api.py, _validate_flavor_image). */
function checkFit(flavor: FlavorRow, image: ServerImageRow): void {
  if (flavor.memoryMiB < image.minMemoryMiB) throw new CloudError('Invalid', "Flavor's memory is too small for requested image.")
  const diskBytes = flavor.diskGiB * gibibyte
  if (diskBytes === 0) return
  const needed = image.virtualBytes ?? image.sizeBytes
  if (needed > diskBytes) {
    throw new CloudError(
      'Invalid',
      `Flavor's disk is too small for requested image. Flavor disk is ${diskBytes} bytes, image is ${needed} bytes.`,
    )
  }
  const minimum = image.minDiskGiB * gibibyte
  if (minimum > diskBytes) {
    throw new CloudError(
      'Invalid',
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${diskBytes} bytes, minimum size is ${minimum} bytes.`,
    )
  }
}
