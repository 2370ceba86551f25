import { Inject, Injectable } from '@nestjs/common'
import { CASTER, DATABASE, deleteServer, ENGINE, OPERATION_STORE } from '@nubo/control-plane'
import { enforce, isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import {
  findServerEvenDeleted,
  findServer,
  listServerBriefs,
  listServers,
  Once,
  readServerNetworking,
  readUserData,
  updateServer,
  type Database,
  type PgOperationStore,
  type PgOperationTransaction,
  type ServerBrief,
  type ServerFilter,
  type ServerNetworking,
  type ServerPage,
  type ServerRow,
} from '@nubo/database'
import { requireAllowed, type ServerAction } from '@nubo/domain'
import { CloudError, type RequestId, type ServerId } from '@nubo/kernel'
import type { Caster, OperationEngine } from '@nubo/workflow'
import { readServerQuery, type ServerQuery } from './server-query.js'
import { allTenantsPolicy } from './servers.policies.js'
import type { UpdateServerBody } from './servers.schemas.js'

export interface ServerList<Row> {
  servers: Row[]
  /** There are more behind the last one. */
  more: boolean
}

/** The servers of a project: found, listed, changed and deleted. */
@Injectable()
export class ServersService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(OPERATION_STORE) private readonly store: PgOperationStore,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(CASTER) private readonly caster: Caster,
  ) {}

  /** A server that the caller may see; an administrator sees all. Throws NotFound in Nova's words. */
  async find(caller: Caller, id: string): Promise<ServerRow> {
    const server = await findServer(this.database, id, isCloudAdmin(caller) ? undefined : projectOf(caller))
    if (!server) throw notFound(id)
    return server
  }

  /** As `find`, and a deleted server too: what was done to it can still be read. */
  async findEvenDeleted(caller: Caller, id: string): Promise<ServerRow> {
    const server = await findServerEvenDeleted(this.database, id, isCloudAdmin(caller) ? undefined : projectOf(caller))
    if (!server) throw notFound(id)
    return server
  }

  async list(caller: Caller, query: ServerQuery): Promise<ServerList<ServerRow>> {
    return await this.page(caller, query, listServers)
  }

  async listBriefly(caller: Caller, query: ServerQuery): Promise<ServerList<ServerBrief>> {
    return await this.page(caller, query, listServerBriefs)
  }

  private async page<Row>(
    caller: Caller,
    query: ServerQuery,
    read: (db: Database, filter: ServerFilter, page: ServerPage) => Promise<Row[]>,
  ): Promise<ServerList<Row>> {
    const request = readServerQuery(query, { admin: isCloudAdmin(caller) })
    const { limit, sort } = request
    if (request.allTenants) enforce(allTenantsPolicy, caller)
    const scope = request.allTenants ? undefined : projectOf(caller)
    const filter = { ...request.filter, ...(scope === undefined ? {} : { projectId: scope }) }
    const marker = request.marker === undefined ? undefined : await findServerEvenDeleted(this.database, request.marker, scope)
    if (request.marker !== undefined && !marker) throw new CloudError('Invalid', `marker [${request.marker}] not found`)
    if (request.matchesNothing || limit === 0) return { servers: [], more: false }
    const found = await read(this.database, filter, { sort, limit: limit + 1, ...(marker ? { marker } : {}) })
    return { servers: found.slice(0, limit), more: found.length > limit }
  }

  async userData(ids: readonly ServerId[]): Promise<Map<ServerId, string>> {
    return await readUserData(this.database, ids)
  }

  /** What the views of these servers say of their interfaces. */
  async networking(ids: readonly ServerId[]): Promise<{ of(id: ServerId): ServerNetworking }> {
    return await readServerNetworking(this.database, ids)
  }

  async update(caller: Caller, id: string, { server: changes }: UpdateServerBody): Promise<ServerRow> {
    const server = await this.find(caller, id)
    await updateServer(this.database, server.id, {
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.hostname === undefined ? {} : { hostname: changes.hostname }),
      ...(changes.description === undefined ? {} : { description: changes.description }),
      ...(changes.accessIPv4 === undefined ? {} : { accessIpv4: changes.accessIPv4 }),
      ...(changes.accessIPv6 === undefined ? {} : { accessIpv6: changes.accessIPv6 }),
      ...(changes['OS-DCF:diskConfig'] === undefined ? {} : { diskConfig: changes['OS-DCF:diskConfig'] }),
    })
    return await this.find(caller, id)
  }

  /**
   * Deletes a server, whatever is under way with it: its live operation is cancelled, and the fence of the deletion is higher.
   * Asked twice, it is deleted once.
   */
  async delete(caller: Caller, id: string, requestId: RequestId, once: Once = Once.unkeyed): Promise<void> {
    const { id: serverId } = await this.require('delete', caller, id)
    const begin = async (tx: PgOperationTransaction) => {
      const found = await tx.lockServer(serverId)
      if (!found || found.server.vmState === 'deleted') throw notFound(id)
      const { server, live } = found
      if (live?.operation.kind === 'server.delete') return undefined
      if (live) await this.engine.cancel(tx, live, 'The server was deleted meanwhile.')
      const requester = { projectId: server.projectId, userId: caller.userId, requestId }
      return await deleteServer(tx, this.engine, server, requester)
    }
    const opened = await this.store.transaction((tx) => once.within(tx.tx, () => begin(tx)))
    await this.caster.cast([opened])
  }

  /** Throws Conflict if the state of the server does not allow the action. */
  async require(action: ServerAction, caller: Caller, id: string): Promise<ServerRow> {
    const server = await this.find(caller, id)
    requireAllowed(action, server, isCloudAdmin(caller))
    return server
  }
}

export function notFound(id: string): CloudError {
  return new CloudError('NotFound', `Instance ${id} could not be found.`)
}
