import { keyFingerprint } from '@nubo/auth'
import type { HostKeyRow } from '@nubo/database'
import { secondsTimestamp } from '@nubo/wire'

export function hostKeyView(row: HostKeyRow) {
  return {
    host_id: row.hostId,
    host: row.hostName,
    fingerprint: row.publicKey && keyFingerprint(row.publicKey),
    public_key: row.publicKey,
    enrolled_at: row.enrolledAt && secondsTimestamp(row.enrolledAt),
    enrolled_by: row.enrolledBy,
    refused: row.refusals.map(({ reason, count, lastAt }) => ({ reason, count, last_at: secondsTimestamp(lastAt) })),
  }
}
