import type { Check } from './check.js'

/** Promises 1 and 6: a host's counters are what its allocations come to, and never more than it has. */
export const roomIsCounted: Check = {
  name: "hosts' counters equal their allocations, within their room",
  async find({ world }) {
    const rows = await world.database.query<{ name: string; counted: string; held: string; capacity: string; over: boolean }>(
      `SELECT h.name, concat_ws('/', h.used_vcpus, h.used_memory_mib, h.used_disk_gib, h.server_count) AS counted,
         concat_ws('/', coalesce(sum(a.vcpus), 0), coalesce(sum(a.memory_mib), 0), coalesce(sum(a.disk_gib), 0), count(a.server_id)) AS held,
         concat_ws('/', h.capacity_vcpus, h.capacity_memory_mib, h.capacity_disk_gib) AS capacity,
         h.used_vcpus > h.capacity_vcpus OR h.used_memory_mib > h.capacity_memory_mib OR h.used_disk_gib > h.capacity_disk_gib AS over
       FROM hosts h LEFT JOIN allocations a ON a.host_id = h.id GROUP BY h.id`,
    )
    return rows.flatMap(({ name, counted, held, capacity, over }) => [
      ...(counted === held ? [] : [`${name} counts ${counted}, and ${held} are held`]),
      ...(over ? [`${name} gave ${counted} and has ${capacity}`] : []),
    ])
  },
}

/** Promise 8. */
export const quotaIsCounted: Check = {
  name: "projects' quota use equals their servers",
  async find({ world }) {
    const rows = await world.database.query<{ project: string; counted: string; held: string }>(
      `SELECT q.project_id AS project, concat_ws('/', q.used_instances, q.used_cores, q.used_ram_mib) AS counted,
         concat_ws('/', count(v.id), coalesce(sum(v.vcpus), 0), coalesce(sum(v.memory_mib), 0)) AS held
       FROM project_quotas q LEFT JOIN servers v ON v.project_id = q.project_id AND v.deleted_at IS NULL GROUP BY q.project_id`,
    )
    return rows.flatMap(({ project, counted, held }) =>
      counted === held ? [] : [`${project} counts ${counted}, and has ${held}`],
    )
  },
}
