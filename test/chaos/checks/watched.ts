import { examineRecords, type FindingCode } from '@nubo/database'
import type { World } from '../world.js'
import type { Watched } from './watch.js'

/** Promise 2, as the hosts' processes show it. */
export const noServerRunsTwice = (world: World): Watched => ({
  name: 'no server ever ran twice',
  everyMs: 1_000,
  async look() {
    const found: string[] = []
    const where = new Map<string, string>()
    for (const { name } of world.hosts) {
      for (const { serverId, process } of world.guestProcesses(name)) {
        const place = `${name} (process ${process.pid})`
        const other = where.get(serverId)
        if (other) found.push(`${serverId} ran on ${other} and on ${place}`)
        where.set(serverId, place)
      }
    }
    return found
  },
})

/** What every single commit leaves true, whatever is under way; what only comes true in time is looked at when at rest. */
const trueAtEveryCommit: ReadonlySet<FindingCode> = new Set([
  ...(['room.counters-differ', 'room.above-capacity', 'room.allocation-differs', 'quota.use-differs'] as const),
  ...([
    'server.room-missing',
    'server.host-missing',
    'operation.without-step',
    'operation.without-deadline',
    'step.never-hinted',
  ] as const),
  ...(['step.of-ended-operation', 'server.in-transition', 'server.not-deleted'] as const),
])

/** Promises 1, 3 and 8, as every snapshot of the records shows them. */
export const recordsAlwaysHold = (world: World): Watched => ({
  name: 'room, quota and operations were whole in every snapshot of the records',
  everyMs: 3_000,
  async look() {
    try {
      const findings = await world.database.snapshot((db) => examineRecords(db))
      return findings.filter(({ code }) => trueAtEveryCommit.has(code)).map(({ code, message }) => `${code}: ${message}`)
    } catch {
      // PostgreSQL is among what is broken.
      return undefined
    }
  },
})
