import {
  defaultCheckOptions,
  everyQueueIsRead,
  examineHosts,
  examineRecords,
  findingKey,
  hostDidNotAnswer,
  queueIsAway,
  readAbandoned,
  readHostSnapshot,
  readTombstones,
  type AbandonedGuestNote,
  type CheckOptions,
  type Database,
  type Finding,
  type HostSurvey,
  type Tombstone,
} from '@nubo/database'
import type { Clock, HostId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { lookAtQueues } from './queues.js'
import { surveyHosts, type SurveyedHost } from './survey-hosts.js'

/** Between two looks: longer than a report takes from a host into the records. */
const secondLookAfterMs = 2_000

/** What a look at the whole cloud has brought to light. */
export interface Examination {
  /** Broken promises, each seen twice. */
  findings: Finding[]
  /** What unreachable hosts still hold: no fault. */
  tombstones: Tombstone[]
  /** What fenced hosts are told to remove when they come back: no fault either. */
  abandoned: AbandonedGuestNote[]
  /** Who was asked, and who answered. */
  hosts: SurveyedHost[]
}

export interface ExaminerOptions {
  database: Database
  queue: Queue
  /** Those that whoever examines may look at. */
  queues: readonly string[]
  clock: Clock
  checks?: CheckOptions
}

/** Holds every promise against the cloud as it is. */
export class Examiner {
  constructor(private readonly options: ExaminerOptions) {}

  /**
   * Looks, and where something is found looks again: what is found is told only if it is still so, so that what is under
   * way on a busy cloud raises no alarm.
   * @param only the hosts that are asked; all of them where undefined.
   */
  async examine(only?: ReadonlySet<HostId>): Promise<Examination> {
    const first = await this.look(only)
    if (first.findings.length === 0) return first
    await this.options.clock.sleep(secondLookAfterMs)
    const second = await this.look(only)
    const found = new Set(first.findings.map(findingKey))
    return { ...second, findings: second.findings.filter((finding) => found.has(findingKey(finding))) }
  }

  private async look(only: ReadonlySet<HostId> | undefined): Promise<Examination> {
    const { database, queue, checks = defaultCheckOptions } = this.options
    const known = (await readHostSnapshot(database, checks.silenceMs)).hosts
    const queues = await lookAtQueues(queue, this.options.queues)
    const hosts = await surveyHosts(queue, only ? known.filter(({ id }) => only.has(id)) : known)
    const surveys = hosts.flatMap(({ survey }): HostSurvey[] => (survey ? [survey] : []))
    // While the queue is away nobody can answer, and it is not the hosts' fault.
    const silent = queues.trouble ? [] : hosts.filter(({ alive, survey }) => alive && !survey)
    // Only now: what a host said is older than this snapshot, as `examineHosts` needs it.
    return await database.snapshot(async (db) => ({
      findings: [
        ...(await examineRecords(db, checks)),
        ...(await examineHosts(db, surveys, checks)),
        ...everyQueueIsRead(queues.seen, checks),
        ...(queues.trouble ? [queueIsAway(queues.trouble)] : []),
        ...silent.map(({ hostId, name, trouble }) => hostDidNotAnswer({ hostId, name, trouble: trouble! })),
      ],
      tombstones: await readTombstones(db, checks),
      abandoned: await readAbandoned(db, checks),
      hosts,
    }))
  }
}
