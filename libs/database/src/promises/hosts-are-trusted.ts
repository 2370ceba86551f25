import type { HostId } from '@nubo/kernel'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface HostRow {
  id: HostId
  name: string
  quarantine: string
}

/** Promise 5: whoever is told to destroy guests remembers what it was told. */
export const everyHostIsTrusted: RecordCheck = async (db, { limit }) => {
  const hosts = await db.query<HostRow>(
    'SELECT id, name, quarantine FROM hosts WHERE quarantine IS NOT NULL ORDER BY number LIMIT $1',
    [limit],
  )
  return hosts.map(({ id, name, quarantine }) =>
    finding('host.quarantined', {
      about: { hostId: id, hostName: name },
      message: `Host ${name} is in quarantine: ${quarantine}`,
    }),
  )
}
