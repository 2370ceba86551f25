import type { GuestChangeCause, GuestSeen } from '@nubo/contract'
import { followDrift } from '@nubo/control-plane'
import {
  clearInterrupted,
  markInterrupted,
  observeGuests,
  recordAction,
  type Database,
  type PgOperationStore,
  type PgOperationTransaction,
} from '@nubo/database'
import { powerStates } from '@nubo/domain'
import type { HostId, RequestId, ServerId, SessionId } from '@nubo/kernel'
import type { Caster, Opened, OperationEngine, Requester, ServerRecord } from '@nubo/workflow'
import { forEach } from './each.js'

/** What an instance action says of a guest that changed without being told to. */
const words: Record<GuestChangeCause, string> = {
  'guest-shutdown': 'The guest powered itself off.',
  'destroyed-on-host': 'The guest was powered off on its host, not through the API.',
  crashed: 'The guest crashed.',
  killed: "The guest's process on its host was killed.",
  'started-on-host': 'The guest was started on its host, not through the API.',
  'paused-on-host': 'The guest was paused on its host, not through the API.',
  'found-at-resync': 'The guest was found in this state when its host was looked at again.',
}

export interface GuestsOptions {
  database: Database
  store: PgOperationStore
  engine: OperationEngine
  caster: Caster
  newRequestId: () => RequestId
}

/** Settles what guests do on their own: what was seen is compared with what is wanted, by record. */
export class Guests {
  constructor(private readonly options: GuestsOptions) {}

  /** Writes down what a host saw, and settles the servers for which it is news. */
  async observe(
    hostId: HostId,
    sessionId: SessionId,
    guests: readonly GuestSeen[],
    cause: GuestChangeCause,
    detail = '',
  ): Promise<void> {
    const changed = await observeGuests(this.options.database, hostId, sessionId, guests)
    await forEach(changed, (serverId) => this.settle(serverId, cause, detail))
  }

  /** Writes down what a host saw, and leaves it to the caller what to do about it. */
  async note(hostId: HostId, sessionId: SessionId, guests: readonly GuestSeen[]): Promise<void> {
    await observeGuests(this.options.database, hostId, sessionId, guests)
  }

  /** Makes servers that became ERROR when their host was fenced what they were, as it has come back with them. */
  async recover(serverIds: readonly ServerId[]): Promise<void> {
    await forEach(serverIds, async (serverId) => {
      await this.options.store.transaction(async (tx) => {
        const found = await tx.lockServer(serverId)
        if (!found || !(await clearInterrupted(tx.tx, serverId, found.server.incarnation))) return
        const { id, vmState, wanted, powerState } = found.server
        if (found.live || vmState !== 'error' || wanted === 'deleted') return
        await (wanted === 'running' ? tx.markActive(id, { powerState }) : tx.markStopped(id, { powerState }))
        const { requestId, userId } = this.ourselves(found.server)
        const message = 'Its host came back after it was declared dead, and this server with it.'
        await recordAction(tx.tx, { server: found.server, kind: 'server.observed-return', message, requestId, userId })
      })
    })
  }

  /** Starts again what was to run when its host went down. */
  async restart(serverIds: readonly ServerId[]): Promise<void> {
    const { engine, store } = this.options
    await forEach(serverIds, async (serverId) => {
      const opened = await store.transaction(async (tx) => {
        const found = await tx.lockServer(serverId)
        if (found?.server.wanted !== 'running' || found.server.powerState === powerStates.running) return undefined
        const { server, live } = found
        if (!live) return await engine.begin(tx, 'server.start', server, this.ourselves(server))
        // What is being done to it and is not about that leaves it off: it is started when that has ended.
        if (!engine.definition(live.operation.kind).wanted) await markInterrupted(tx.tx, serverId, server.incarnation)
        return undefined
      })
      await this.options.caster.cast([opened])
    })
  }

  /** An operation on this server has ended: what was seen of it while that was under way is followed now. */
  async settleEnded(tx: PgOperationTransaction, server: ServerRecord): Promise<Opened> {
    return await this.follow(tx, server, 'The guest was found in this state when what was being done to it had ended.')
  }

  private async settle(serverId: ServerId, cause: GuestChangeCause, detail: string): Promise<void> {
    const opened = await this.options.store.transaction(async (tx) => {
      const found = await tx.lockServer(serverId)
      // While an operation is under way it is left to its end.
      if (!found || found.live) return undefined
      return await this.follow(tx, found.server, [words[cause], detail].filter((text) => text !== '').join(' '))
    })
    await this.options.caster.cast([opened])
  }

  private async follow(tx: PgOperationTransaction, server: ServerRecord, why: string): Promise<Opened> {
    return await followDrift(tx, this.options.engine, server, why, this.ourselves(server))
  }

  private ourselves(server: ServerRecord): Requester {
    return { projectId: server.projectId, userId: null, requestId: this.options.newRequestId() }
  }
}
