import { Inject, Injectable } from '@nestjs/common'
import { CASTER, DATABASE, ENGINE, OPERATION_STORE, QUEUE } from '@nubo/control-plane'
import { type Caller, isCloudAdmin } from '@nubo/auth'
import { computeQueue, consoleAnswer } from '@nubo/contract'
import { setLocked, type Database, type Once, type PgOperationStore, type PgOperationTransaction } from '@nubo/database'
import { requireAllowed, type ServerAction } from '@nubo/domain'
import { CloudError, type RequestId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Caster, OperationEngine } from '@nubo/workflow'
import { ServersService } from './servers.service.js'

type PowerAction = 'start' | 'stop' | 'rebootSoft' | 'rebootHard'

const operationKinds: Record<PowerAction, string> = {
  start: 'server.start',
  stop: 'server.stop',
  rebootSoft: 'server.reboot',
  rebootHard: 'server.reboot-hard',
}

interface Asked {
  requestId: RequestId
  once: Once
}

const consoleTimeoutMs = 10_000

/** What a running guest is told to do, and what it says on its console. */
@Injectable()
export class ServerPowerService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(OPERATION_STORE) private readonly store: PgOperationStore,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(CASTER) private readonly caster: Caster,
    @Inject(QUEUE) private readonly queue: Queue,
    private readonly servers: ServersService,
  ) {}

  /** Begins the operation, or throws Conflict where the server's state does not allow it. */
  async power(caller: Caller, id: string, action: PowerAction, { requestId, once }: Asked): Promise<void> {
    const seen = await this.servers.find(caller, id)
    const begin = async (tx: PgOperationTransaction) => {
      const found = await tx.lockServer(seen.id)
      if (!found) throw new CloudError('NotFound', `Instance ${id} could not be found.`)
      const { server, live } = found
      const state = { vmState: server.vmState, taskState: server.taskState, hostId: server.hostId } as Pick<
        typeof seen,
        'vmState' | 'taskState' | 'hostId'
      >
      requireAllowed(action, { ...seen, ...state }, isCloudAdmin(caller))
      // A hard reboot takes the place of a reboot that hangs.
      if (live && action === 'rebootHard') await this.engine.cancel(tx, live, 'A hard reboot took its place.')
      else if (live) throw new CloudError('Conflict', `Instance ${id} is busy: another operation on it is under way.`)
      return await this.engine.begin(tx, operationKinds[action], server, {
        projectId: server.projectId,
        userId: caller.userId,
        requestId,
      })
    }
    const opened = await this.store.transaction((tx) => once.within(tx.tx, () => begin(tx)))
    await this.caster.cast([opened])
  }

  /** The last `lines` lines of the guest's console; all that is kept where undefined. */
  async consoleOutput(caller: Caller, id: string, lines: number | undefined): Promise<string> {
    const server = await this.allowed('consoleOutput', caller, id)
    const question = { kind: 'console-output', serverId: server.id, ...(lines === undefined ? {} : { lines }) }
    const answer = await this.queue.ask(computeQueue(server.hostId!), question, consoleTimeoutMs)
    if (answer.ok) return consoleAnswer.parse(answer.value).output
    throw new CloudError(answer.kind === 'NotFound' ? 'NotFound' : 'Unavailable', answer.message)
  }

  async lock(caller: Caller, id: string, reason: string | null, once: Once): Promise<void> {
    const server = await this.servers.find(caller, id)
    await once.run(this.database, (db) => setLocked(db, server.id, true, reason))
  }

  async unlock(caller: Caller, id: string, once: Once): Promise<void> {
    const server = await this.servers.find(caller, id)
    await once.run(this.database, (db) => setLocked(db, server.id, false, null))
  }

  private async allowed(action: ServerAction, caller: Caller, id: string) {
    return await this.servers.require(action, caller, id)
  }
}
