/**
 * What the agent of one host may do in Redis: take from its own queue and answer its own questions, and add to the reports.
 * Keys are those of libs/queue. BullMQ works by scripts, which Redis holds to the keys that they touch.
 */
export function hostRules(hostId: string): string {
  const keys = [`nubo:compute-${hostId}:*`, `nubo:questions:compute-${hostId}`, 'nubo:answer:*', 'nubo:reports:*']
  const patterns = keys.map((key) => `~${key}`).join(' ')
  // INFO counts as dangerous, and the client library asks for it whenever it connects.
  return `${patterns} resetchannels +@all -@admin -@dangerous +info`
}
