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
