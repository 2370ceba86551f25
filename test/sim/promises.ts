import type { Cloud } from './cloud/cloud.js'
import type { World } from './core/world.js'

interface Rule {
  name: string
  /** The tables that it is about. */
  of: readonly string[]
  /** A row for each breach, saying what. */
  breaches: string
}

const live = `('running', 'unwinding')`

/** What must hold after every commit, whatever is under way. */
const always: readonly Rule[] = [
  {
    name: 'no host gives more than it has',
    of: ['hosts'],
    breaches: `SELECT format('%s: %s/%s vcpus, %s/%s MiB', name, used_vcpus, capacity_vcpus, used_memory_mib, capacity_memory_mib)
      FROM hosts WHERE used_vcpus > capacity_vcpus OR used_memory_mib > capacity_memory_mib OR used_disk_gib > capacity_disk_gib`,
  },
  {
    name: "a host's counters are the sum of what it holds",
    of: ['hosts', 'allocations'],
    breaches: `SELECT format('%s: %s servers counted, %s held', h.name, h.server_count, count(a.server_id))
      FROM hosts h LEFT JOIN allocations a ON a.host_id = h.id GROUP BY h.id
      HAVING h.server_count <> count(a.server_id) OR h.used_memory_mib <> COALESCE(sum(a.memory_mib), 0)
        OR h.used_vcpus <> COALESCE(sum(a.vcpus), 0) OR h.used_disk_gib <> COALESCE(sum(a.disk_gib), 0)`,
  },
  {
    name: 'a server holds room on one host at most, and on the one it is on',
    of: ['servers', 'allocations'],
    breaches: `SELECT format('%s: %s allocations, host %s', v.id, count(a.server_id), v.host_id)
      FROM servers v LEFT JOIN allocations a ON a.server_id = v.id GROUP BY v.id
      HAVING count(a.server_id) > 1 OR (v.host_id IS NOT NULL) <> (count(a.server_id) = 1)
        OR bool_or(a.host_id <> v.host_id OR a.incarnation <> v.incarnation)`,
  },
  {
    name: 'a quota is what its servers use, and within its limit',
    of: ['project_quotas', 'servers'],
    breaches: `SELECT format('%s: %s instances counted, %s there, limit %s', q.project_id, q.used_instances, count(v.id), q.limits)
      FROM project_quotas q LEFT JOIN servers v ON v.project_id = q.project_id AND v.deleted_at IS NULL GROUP BY q.project_id
      HAVING q.used_instances <> count(v.id) OR q.used_cores <> COALESCE(sum(v.vcpus), 0)
        OR q.used_ram_mib <> COALESCE(sum(v.memory_mib), 0) OR q.used_instances > (q.limits->>'instances')::int`,
  },
  {
    name: 'what is under way can be taken up again',
    of: ['operations', 'operation_steps'],
    breaches: `SELECT format('%s %s of %s: %s open steps', o.kind, o.state, o.server_id, count(s.id))
      FROM operations o LEFT JOIN operation_steps s ON s.operation_id = o.id AND s.state = 'open' AND s.next_hint_at IS NOT NULL
      WHERE o.state IN ${live} GROUP BY o.id HAVING count(s.id) <> 1`,
  },
  {
    name: 'an open step is of an operation that is under way',
    of: ['operations', 'operation_steps'],
    breaches: `SELECT format('%s of %s', s.name, o.server_id) FROM operation_steps s JOIN operations o ON o.id = s.operation_id
      WHERE s.state = 'open' AND o.state NOT IN ${live}`,
  },
  {
    name: 'a server that nothing is being done to does not say that something is',
    of: ['servers', 'operations'],
    breaches: `SELECT format('%s: %s, %s', v.id, v.vm_state, v.task_state) FROM servers v
      WHERE (v.task_state IS NOT NULL OR v.vm_state = 'building') AND v.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ${live})`,
  },
  {
    name: 'an ACTIVE server has a host, and an ERROR says why',
    of: ['servers'],
    breaches: `SELECT format('%s: %s', id, vm_state) FROM servers WHERE deleted_at IS NULL
      AND ((vm_state IN ('active', 'stopped') AND host_id IS NULL) OR (vm_state = 'error' AND COALESCE(fault->>'message', '') = ''))`,
  },
]

const statements = new Map<string, string>()

/** One statement for all rules about any of these tables: it is asked after every commit. */
function askingOf(written: ReadonlySet<string>): string {
  const touched = always.map((rule, index) => ({ ...rule, index })).filter(({ of }) => of.some((table) => written.has(table)))
  const key = touched.map(({ index }) => index).join()
  let statement = statements.get(key)
  if (statement === undefined) {
    const parts = touched.map(({ breaches, index }) => `SELECT ${index} AS rule, breach.* FROM (${breaches}) AS breach(what)`)
    statements.set(key, (statement = parts.join(' UNION ALL ')))
  }
  return statement
}

/** A promise that was broken. */
export class BrokenPromise extends Error {
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`)
    this.name = 'BrokenPromise'
  }
}

/** Throws BrokenPromise for what the database must never say, as far as it is about what was written. */
export function checkRecords({ engine, simulation }: World, written: ReadonlySet<string>): void {
  const asked = askingOf(written)
  if (asked === '') return
  const [first] = engine.run<{ rule: number; what: string }>(asked, [], simulation.nowMs).rows
  if (first) throw new BrokenPromise(always[first.rule]!.name, first.what)
}

/** Throws BrokenPromise where a server runs twice. */
export function checkHosts({ hosts }: Cloud): void {
  const running = new Map<string, string>()
  for (const host of hosts) {
    for (const guest of host.hypervisor.guestsInTruth()) {
      if (!guest.running) continue
      const other = running.get(guest.serverId)
      if (other) throw new BrokenPromise('a server runs on one host at most', `${guest.serverId} on ${other} and ${host.name}`)
      running.set(guest.serverId, host.name)
    }
  }
}
