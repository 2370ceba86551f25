import { Inject, Injectable } from '@nestjs/common'
import { DATABASE, Examiner, QUEUE } from '@nubo/control-plane'
import {
  findHost,
  hostsAreHeard,
  listHosts,
  releaseHost,
  updateComputeService,
  type Database,
  type Finding,
  type HostRow,
  type Once,
  type Queryable,
} from '@nubo/database'
import { CloudError, isUuid, type Clock, type HostId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { CLOCK, LOGGER, type Logger } from '@nubo/service-kit'
import { serviceSilenceMs } from '../../compute/services/liveness.js'

export interface InspectedHost {
  host: HostRow
  /** What an examination of the cloud found that is about this host: guests that nobody knows, for one. */
  findings: Finding[]
  /** Why the host itself could not be asked; undefined where it answered. */
  trouble: string | undefined
}

@Injectable()
export class HostsService {
  private readonly examiner: Examiner

  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QUEUE) queue: Queue,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.examiner = new Examiner({ database, queue, clock, queues: [] })
  }

  async list(): Promise<{ hosts: HostRow[]; heard: boolean }> {
    const [hosts, heard] = await Promise.all([listHosts(this.database, serviceSilenceMs), hostsAreHeard(this.database)])
    return { hosts, heard }
  }

  /** Shows a host with what is found on it when it is asked now. */
  async inspect(id: string): Promise<InspectedHost> {
    const { id: hostId } = await this.find(id)
    const { findings, hosts } = await this.examiner.examine(new Set([hostId]))
    const host = await this.find(id)
    return {
      host,
      findings: findings.filter(({ about }) => about.hostId === hostId),
      trouble: hosts.find((each) => each.hostId === hostId)?.trouble,
    }
  }

  /** The caller's word that nothing runs there any more. A host that is fenced stays as it is. */
  async fence(id: string, once: Once<HostRow>): Promise<HostRow> {
    const host = await this.find(id)
    const fenced = await once.run(this.database, async (db) => {
      await updateComputeService(db, host.id, { forcedDown: true })
      return await this.find(id, db)
    })
    this.logger.warn({ hostId: host.id, host: host.name }, 'a host was fenced')
    return fenced
  }

  /** Throws Conflict for a host that nothing keeps from taking part. */
  async release(id: string, once: Once<HostRow>): Promise<HostRow> {
    const host = await this.find(id)
    const released = await once.run(this.database, async (db) => {
      if (await releaseHost(db, host.id)) return await this.find(id, db)
      throw new CloudError(
        'Conflict',
        `Host ${host.name} is neither fenced nor in quarantine: there is nothing to release it from.`,
      )
    })
    this.logger.warn({ hostId: host.id, host: host.name, from: host.quarantine ?? 'fence' }, 'a host was released')
    return released
  }

  private async find(id: string, db: Queryable = this.database): Promise<HostRow> {
    const host = isUuid(id) ? await findHost(db, id as HostId, serviceSilenceMs) : undefined
    if (!host) throw new CloudError('NotFound', `Host ${id} could not be found.`)
    return host
  }
}
