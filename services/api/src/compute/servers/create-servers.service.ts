import { Inject, Injectable } from '@nestjs/common'
import { DATABASE, ENGINE, QUEUE } from '@nubo/control-plane'
import { isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
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
import { hostnameFrom, numberedHostname } from './hostnames.js'
import { plugPorts } from './interfaces/plug-ports.js'
import { RequestedNetworks, type WantedInterfaces } from './interfaces/requested-networks.js'
import { newPassword } from './new-password.js'
import {
  bootImageOf,
  checkFit,
  countsOf,
  refuseBoundlessDisk,
  refuseNamedHosts,
  refuseWhatIsNotBuilt,
  type Counts,
} from './new-server-rules.js'
import type { CreateServerBody, NewServerRequest } from './servers.schemas.js'

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
    refuseNamedHosts(caller, server)
    const counts = countsOf(server)
    const { flavor, image } = await this.findParts(caller, server)
    refuseBoundlessDisk(caller, flavor)
    checkFit(flavor, image)
    const publicKey = await this.findPublicKey(caller, server)
    const adminPassword = server.adminPass ?? newPassword(this.random)
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
   * The ports first, as quota is taken last of all. Where it is too little for all the servers, their ports are too many: of
   * several servers those are left out first that there is no quota for, and who loses a race for it writes both anew.
   */
  private async writeWithPorts(
    all: NewServersRequest,
    wanted: WantedInterfaces,
    once: Once<CreatedServers>,
    fewer: (db: Queryable) => Promise<NewServersRequest>,
  ): Promise<NewServersRequest> {
    const write = async (choose: (db: Queryable) => Promise<NewServersRequest>) =>
      await this.database.transaction((tx) =>
        once.within(
          tx,
          async () => {
            const request = await choose(tx)
            const plugged = request.servers.map(({ id }) => ({ id, projectId: request.projectId, hostId: null, firstIndex: 0 }))
            await plugPorts(tx, plugged, wanted, this.random)
            if (!(await insertServers(tx, request, defaultLimits))) throw new TooMany()
            return request
          },
          all,
        ),
      )
    try {
      return await write(all.servers.length > 1 ? fewer : async () => all)
    } catch (error) {
      if (!(error instanceof TooMany)) throw error
    }
    try {
      return await write(fewer)
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
        hostname:
          server.hostname === undefined
            ? hostnameFrom(server.name, `server-${id}`, suffix)
            : numberedHostname(server.hostname, suffix),
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
}

/** The servers of a request are more than there is quota for. */
class TooMany extends Error {}

const quotaGone = () => new CloudError('Conflict', 'Other requests used up the quota at the same time. Try again.')

interface RequestParts {
  projectId: ProjectId
  userId: Caller['userId']
  requestId: RequestId
  adminPassword: string
  flavor: FlavorRow
  image: ServerImageRow
  publicKey: string | null
}
