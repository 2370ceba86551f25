import type { Cloud } from '../cloud/cloud.js'
import { BrokenPromise } from './broken-promise.js'
import type { Records, Table } from './records.js'

interface Rule {
  name: string
  /** The tables that it is about. */
  of: readonly Table[]
  /** What breaks it, in words; one is enough. */
  breach: (records: Records) => string | undefined
}

/** What must hold after every commit, whatever is under way. */
const always: readonly Rule[] = [
  {
    name: 'no host gives more than it has',
    of: ['hosts'],
    breach: (records) => {
      const over = records.of('hosts').find(({ used, capacity }) => used.some((each, index) => each > capacity[index]!))
      return over && `${over.name}: ${over.used.join()} of ${over.capacity.join()} vcpus, MiB and GiB`
    },
  },
  {
    name: "a host's counters are the sum of what it holds",
    of: ['hosts', 'allocations'],
    breach: (records) => {
      for (const { id, name, used, servers } of records.of('hosts')) {
        const held = records.of('allocations').filter(({ hostId }) => hostId === id)
        const sum = sumOf(held.map(({ takes }) => takes))
        if (held.length !== servers || sum.join() !== used.join())
          return `${name}: ${servers} servers counted (${used.join()}), ${held.length} held (${sum.join()})`
      }
      return undefined
    },
  },
  {
    name: 'a server holds room on one host at most, and on the one it is on',
    of: ['servers', 'allocations'],
    breach: (records) => {
      const held = Map.groupBy(records.of('allocations'), ({ serverId }) => serverId)
      for (const { id, hostId, incarnation } of records.of('servers')) {
        const [first, ...more] = held.get(id) ?? []
        const isThere = first ? first.hostId === hostId && first.incarnation === incarnation : hostId === null
        if (!isThere || more.length > 0) return `${id}: ${held.get(id)?.length ?? 0} allocations, host ${hostId}`
      }
      return undefined
    },
  },
  {
    name: 'a quota is what its servers use, and within its limit',
    of: ['project_quotas', 'servers'],
    breach: (records) => {
      for (const { projectId, used, instances } of records.of('project_quotas')) {
        const there = records.of('servers').filter((server) => server.projectId === projectId && !server.isDeleted)
        const sum = sumOf(there.map(({ takes }) => takes))
        if (sum.join() !== used.join() || used[0]! > instances)
          return `${projectId}: ${used.join()} counted, ${sum.join()} there, limit ${instances}`
      }
      return undefined
    },
  },
  {
    name: 'what is under way can be taken up again',
    of: ['operations', 'operation_steps'],
    breach: (records) => {
      const open = Map.groupBy(records.of('operation_steps'), ({ operationId }) => operationId)
      for (const { id, kind, serverId } of records.of('operations')) {
        const hinted = (open.get(id) ?? []).filter(({ isHinted }) => isHinted)
        if (hinted.length !== 1) return `${kind} of ${serverId}: ${hinted.length} open steps`
      }
      return undefined
    },
  },
  {
    name: 'an open step is of an operation that is under way',
    of: ['operations', 'operation_steps'],
    breach: (records) => {
      const live = new Set(records.of('operations').map(({ id }) => id))
      const left = records.of('operation_steps').find(({ operationId }) => !live.has(operationId))
      return left && `${left.name} of operation ${left.operationId}`
    },
  },
  {
    name: 'a server that nothing is being done to does not say that something is',
    of: ['servers', 'operations'],
    breach: (records) => {
      const live = records.live()
      const left = records.of('servers').find((server) => isBusy(server) && !server.isDeleted && !live.has(server.id))
      return left && `${left.id}: ${left.vmState}, ${left.taskState}`
    },
  },
  {
    name: 'an ACTIVE server has a host, and an ERROR says why',
    of: ['servers'],
    breach: (records) => {
      const odd = records.of('servers').find(({ isDeleted, vmState, hostId, saysWhy }) => {
        if (isDeleted) return false
        return vmState === 'error' ? !saysWhy : (vmState === 'active' || vmState === 'stopped') && hostId === null
      })
      return odd && `${odd.id}: ${odd.vmState}`
    },
  },
  {
    name: "a server's ports are where it is",
    of: ['ports', 'servers'],
    breach: (records) => {
      if (records.of('ports').length === 0) return undefined
      const servers = new Map(records.of('servers').map((server) => [server.id, server]))
      for (const { id, serverId, hostId, isGone } of records.of('ports')) {
        const server = serverId === null || isGone ? undefined : servers.get(serverId)
        if (server && hostId !== null && hostId !== server.hostId) return `${id} is on ${hostId}, ${serverId} on ${server.hostId}`
      }
      return undefined
    },
  },
  {
    name: 'ports count towards their quota until their tenant has none of them',
    of: ['ports', 'project_quotas'],
    breach: (records) => {
      for (const { projectId, usedPorts } of records.of('project_quotas')) {
        const there = records.of('ports').filter((port) => port.projectId === projectId && !port.isGone).length
        if (there !== usedPorts) return `${projectId}: ${usedPorts} counted, ${there} there`
      }
      return undefined
    },
  },
]

/** Of servers, or of rooms: number by number. */
function sumOf(taken: readonly (readonly number[])[]): number[] {
  return [0, 1, 2].map((index) => taken.reduce((sum, each) => sum + each[index]!, 0))
}

function isBusy({ taskState, vmState }: { taskState: string | null; vmState: string }): boolean {
  return taskState !== null || vmState === 'building'
}

/** Throws BrokenPromise for what the database must never say, as far as it is about what was written. */
export function checkRecords(records: Records, written: ReadonlySet<string>): void {
  records.forget(written)
  const concerned = always.filter(({ of }) => of.some((table) => written.has(table)))
  records.fetch(new Set(concerned.flatMap(({ of }) => of)))
  for (const { name, breach } of concerned) {
    const what = breach(records)
    if (what !== undefined) throw new BrokenPromise(name, what)
  }
}

const readState = 'SELECT state FROM operations WHERE request_id = $1'

/** Throws BrokenPromise where somebody is said to have wanted a server stopped that nobody stopped. */
export function checkStopped({ world, tenant }: Cloud, records: Records, written: ReadonlySet<string>): void {
  if (!written.has('servers')) return
  const promise = 'no server stops that nobody stopped'
  for (const { id, wanted } of records.of('servers')) {
    if (wanted !== 'stopped') continue
    const cause = tenant.power.cause(id)
    if (cause === 'nothing') throw new BrokenPromise(promise, id)
    if (cause === 'anything') continue
    const [start] = world.engine.run<{ state: string }>(readState, [cause.before], world.simulation.nowMs).rows
    if (start?.state === 'done') throw new BrokenPromise(promise, `${id} was started after all that could`)
  }
}
