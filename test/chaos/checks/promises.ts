import { examineRecords } from '@nubo/database'
import type { Check } from './check.js'

/** The same functions that `nubo doctor` runs on a live cloud. */
export const promisesHold: Check = {
  name: 'the records break no promise',
  async find({ world }) {
    const findings = await world.database.snapshot((db) => examineRecords(db))
    return findings.map(({ code, message }) => `${code}: ${message}`)
  },
}

interface Examination {
  findings: { code: string; message: string }[]
  tombstones: { server_id: string; host: string }[]
  hosts: { name: string; answered: boolean; trouble: string | null }[]
}

/** As an administrator asks: with what every host says lies on it. */
export const doctorIsContent: Check = {
  name: '`nubo doctor` finds nothing, no tombstone stands, and every host answers it',
  async find({ world }) {
    const admin = await world.client('admin')
    const { status, body } = await admin.call<{ doctor: Examination }>('GET', `${admin.apiUrl}/nubo/v1/doctor`)
    if (status !== 200) return [`it answered ${status}: ${JSON.stringify(body)}`]
    const { findings, tombstones, hosts } = body.doctor
    return [
      ...findings.map(({ code, message }) => `${code}: ${message}`),
      ...tombstones.map(({ server_id, host }) => `${server_id} stands as a tombstone on ${host}`),
      ...hosts.flatMap(({ name, answered, trouble }) => (answered ? [] : [`${name} did not answer: ${trouble}`])),
    ]
  },
}
