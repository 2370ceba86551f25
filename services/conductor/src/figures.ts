import { placementQueue, reportsQueue } from '@nubo/contract'
import { readHostSnapshot, readLiveOperations, readOpenStepFigures, type Database, type HostSnapshotRow } from '@nubo/database'
import type { Queue } from '@nubo/queue'
import type { Metrics } from '@nubo/service-kit'

/** DESIGN: a host that is silent for this long, while others are heard, is down. */
const silenceMs = 30_000

const hostStates = ['up', 'disabled', 'down', 'fenced'] as const

export interface FiguresOptions {
  metrics: Metrics
  database: Database
  queue: Queue
}

/**
 * What the whole cloud's records and queues say of it: one statement each, asked when somebody looks. Every conductor tells
 * the same, so whoever adds up takes the maximum.
 */
export function tellOfCloud({ metrics, database, queue }: FiguresOptions): void {
  tellOfOperations(metrics, database)
  tellOfSteps(metrics, database)
  tellOfHosts(metrics, database)
  tellOfQueues(metrics, queue)
}

function tellOfOperations(metrics: Metrics, database: Database): void {
  const labels = ['kind', 'state'] as const
  const count = metrics.gauge({ name: 'nubo_operations', help: 'Live operations', labels })
  const oldest = metrics.gauge({ name: 'nubo_operation_oldest_seconds', help: 'Age of the oldest live operation', labels })
  metrics.beforeTelling('operations', async () => {
    count.reset()
    oldest.reset()
    for (const { kind, state, ...figures } of await readLiveOperations(database)) {
      count.set({ kind, state }, figures.count)
      oldest.set({ kind, state }, figures.oldestSeconds)
    }
  })
}

function tellOfSteps(metrics: Metrics, database: Database): void {
  const labels = ['step', 'direction'] as const
  const count = metrics.gauge({ name: 'nubo_open_steps', help: 'Steps that somebody is to do', labels })
  const oldest = metrics.gauge({ name: 'nubo_open_step_oldest_seconds', help: 'Age of the oldest open step', labels })
  const overdue = metrics.gauge({
    name: 'nubo_hint_overdue_seconds',
    help: 'For how long the hint of an open step has been due at the most: well below a minute while conductors sweep',
    labels,
  })
  metrics.beforeTelling('steps', async () => {
    for (const gauge of [count, oldest, overdue]) gauge.reset()
    for (const { name, direction, ...figures } of await readOpenStepFigures(database)) {
      const step = { step: name, direction }
      count.set(step, figures.count)
      oldest.set(step, figures.oldestSeconds)
      overdue.set(step, figures.overdueSeconds)
    }
  })
}

function tellOfHosts(metrics: Metrics, database: Database): void {
  const hosts = metrics.gauge({ name: 'nubo_hosts', help: 'Hosts by state', labels: ['state'] })
  const hearing = metrics.gauge({
    name: 'nubo_hosts_heard',
    help: '0 while what hosts say does not reach us: nothing is placed then',
  })
  const capacity = metrics.gauge({
    name: 'nubo_host_room',
    help: 'Room on hosts that are up and enabled: what may be given away, and what is',
    labels: ['resource', 'part'],
  })
  metrics.beforeTelling('hosts', async () => {
    for (const gauge of [hosts, capacity, hearing]) gauge.reset()
    const snapshot = await readHostSnapshot(database, silenceMs)
    hearing.set(snapshot.hearing ? 1 : 0)
    for (const state of hostStates) hosts.set({ state }, 0)
    for (const host of snapshot.hosts) {
      hosts.inc({ state: stateOf(host) })
      if (stateOf(host) !== 'up') continue
      for (const [resource, ...parts] of roomOf(host))
        for (const [index, part] of ['capacity', 'used'].entries()) capacity.inc({ resource, part }, parts[index]!)
    }
  })
}

const roomOf = (host: HostSnapshotRow): [string, number, number][] => [
  ['vcpus', host.capacityVcpus, host.usedVcpus],
  ['memory_mib', host.capacityMemoryMiB, host.usedMemoryMiB],
  ['disk_gib', host.capacityDiskGiB, host.usedDiskGiB],
]

function stateOf({ forcedDown, alive, enabled }: HostSnapshotRow): (typeof hostStates)[number] {
  if (forcedDown) return 'fenced'
  if (!alive) return 'down'
  return enabled ? 'up' : 'disabled'
}

function tellOfQueues(metrics: Metrics, queue: Queue): void {
  const waiting = metrics.gauge({
    name: 'nubo_queue_waiting',
    help: 'Hints (placement) that nobody took yet, and hosts in line to be heard (reports)',
    labels: ['queue'],
  })
  const oldest = metrics.gauge({
    name: 'nubo_queue_oldest_seconds',
    help: 'For how long the oldest of them has been waiting; of hosts in line to within the five seconds between our own marks there',
    labels: ['queue'],
  })
  metrics.beforeTelling('queues', async () => {
    waiting.reset()
    oldest.reset()
    for (const name of [placementQueue, reportsQueue]) {
      const backlog = await queue.backlog(name)
      waiting.set({ queue: name }, backlog.waiting)
      oldest.set({ queue: name }, backlog.oldestMs / 1000)
    }
  })
}
