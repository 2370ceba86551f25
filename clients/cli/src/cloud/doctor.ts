import type { Compute } from './compute.js'
import { Nubo } from './nubo.js'

/** A promise that does not hold. More keys may come. */
export interface Finding {
  promise: number
  code: string
  message: string
  since: string | null
  repair: { possible: boolean; how: string }
  /** After a repair: what came of it. */
  outcome?: { mended: boolean; message: string }
}

/** What a host still holds of a deleted server. */
export interface Tombstone {
  server_id: string
  host: string
  host_alive: boolean
  since: string
  vcpus: number
  memory_mib: number
  disk_gib: number
  last_failure: string | null
}

/** What a fenced host is told to remove when it comes back. */
export interface AbandonedGuest {
  server_id: string
  incarnation: number
  host: string | null
  host_id: string
  since: string
}

export interface SurveyedHost {
  name: string
  answered: boolean
  trouble: string | null
  guests: number | null
}

export interface Examination {
  healthy: boolean
  findings: Finding[]
  tombstones: Tombstone[]
  abandoned: AbandonedGuest[]
  hosts: SurveyedHost[]
}

const without = 'has no doctor'

/** `GET /nubo/v1/doctor`, for administrators. */
export async function examine(compute: Compute): Promise<Examination> {
  const request = { doing: 'Examining the cloud', without }
  return (await new Nubo(compute).get<{ doctor: Examination }>('/doctor', request)).doctor
}

/** `POST /nubo/v1/doctor/repair`: examines, and mends what may be mended. */
export async function repair(compute: Compute): Promise<Examination> {
  const request = { doing: 'Repairing the cloud', without }
  return (await new Nubo(compute).post<{ doctor: Examination }>('/doctor/repair', {}, request)).doctor
}
