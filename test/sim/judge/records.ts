import type { World } from '../core/world.js'

/** What the judge looks at, by the table that it stands in: of what is over only what may still be wrong. */
interface Rows {
  hosts: {
    id: string
    name: string
    capacity: number[]
    used: number[]
    servers: number
    /** The session in which it said what is known of it, and the number of that. */
    saidIn: string | null
    said: number
  }
  host_networks: { id: string; hostId: string; saidIn: string | null; said: number }
  allocations: { serverId: string; hostId: string; incarnation: number; takes: number[] }
  servers: {
    id: string
    projectId: string
    vmState: string
    wanted: string
    taskState: string | null
    hostId: string | null
    incarnation: number
    takes: number[]
    isDeleted: boolean
    saysWhy: boolean
    saidIn: string | null
    said: number
  }
  project_quotas: { projectId: string; used: number[]; usedPorts: number; instances: number }
  operations: { id: string; kind: string; serverId: string }
  operation_steps: { operationId: string; name: string; isHinted: boolean }
  ports: {
    id: string
    projectId: string
    serverId: string | null
    hostId: string | null
    isGone: boolean
    madeForServer: boolean
  }
}

export type Table = keyof Rows

const statements: Record<Table, string> = {
  hosts: `SELECT id, name, ARRAY[capacity_vcpus, capacity_memory_mib, capacity_disk_gib]::int[] AS capacity,
    ARRAY[used_vcpus, used_memory_mib, used_disk_gib]::int[] AS used, server_count AS servers, session_id AS "saidIn", seen_sequence::int AS said FROM hosts`,
  host_networks: `SELECT 'networks of ' || host_id AS id, host_id AS "hostId", seen_session AS "saidIn", seen_sequence::int AS said FROM host_networks`,
  allocations: `SELECT server_id AS "serverId", host_id AS "hostId", incarnation, ARRAY[vcpus, memory_mib, disk_gib]::int[] AS takes FROM allocations`,
  servers: `SELECT id, project_id AS "projectId", vm_state AS "vmState", wanted, task_state AS "taskState", host_id AS "hostId", incarnation,
    ARRAY[1, vcpus, memory_mib]::int[] AS takes, deleted_at IS NOT NULL AS "isDeleted", COALESCE(fault->>'message', '') <> '' AS "saysWhy",
    seen_session AS "saidIn", seen_sequence::int AS said
    FROM servers`,
  project_quotas: `SELECT project_id AS "projectId", ARRAY[used_instances, used_cores, used_ram_mib]::int[] AS used, used_ports AS "usedPorts",
    (limits->>'instances')::int AS instances FROM project_quotas`,
  operations: `SELECT id, kind, server_id AS "serverId" FROM operations WHERE state IN ('running', 'unwinding')`,
  operation_steps: `SELECT operation_id AS "operationId", name, next_hint_at IS NOT NULL AS "isHinted" FROM operation_steps WHERE state = 'open'`,
  ports: `SELECT id, project_id AS "projectId", server_id AS "serverId", host_id AS "hostId", gone_at IS NOT NULL AS "isGone",
    made_for_server AS "madeForServer" FROM ports`,
}

/** The records as they are committed: each table is read again when it was written, and a rule is code over small lists. */
export class Records {
  private readonly known = new Map<Table, readonly unknown[]>()

  constructor(private readonly world: World) {}

  /** To be called after each commit. */
  forget(written: ReadonlySet<string>): void {
    for (const table of written) this.known.delete(table as Table)
  }

  /** Reads what of these is not known, at once. */
  fetch(tables: Iterable<Table>): void {
    const { engine, simulation } = this.world
    const unknown = [...tables].filter((table) => !this.known.has(table))
    if (unknown.length < 2) return
    const asked = unknown.map((table) => ({ text: statements[table], values: [] }))
    for (const [index, rows] of engine.runAll(asked, simulation.nowMs).entries()) this.known.set(unknown[index]!, rows)
  }

  of<T extends Table>(table: T): readonly Rows[T][] {
    let rows = this.known.get(table)
    if (!rows) {
      const { engine, simulation } = this.world
      this.known.set(table, (rows = engine.run(statements[table], [], simulation.nowMs).rows))
    }
    return rows as readonly Rows[T][]
  }

  /** What is being done to servers, by the server. */
  live(): ReadonlySet<string> {
    return new Set(this.of('operations').map(({ serverId }) => serverId))
  }
}
