import type { Hypervisor } from '@nubo/hypervisor'
import { counted, type ServerId } from '@nubo/kernel'
import type { GuestFiles } from './guests/guest-files.js'
import type { Journal } from './journal.js'

const namedAtMost = 3

export interface LostJournalOptions {
  journal: Journal
  guests: GuestFiles
  hypervisor: Hypervisor
}

/**
 * Why this host must be looked at by a person, if its journal was lost, or a part of it that guests here are of: their fences
 * and tombstones are gone with it. A guest that was never ours has no entry either, so alone it is no reason.
 * @param found whether the host's own record, which lies in the journal, is there.
 */
export async function lostJournal(
  found: boolean,
  { journal, guests, hypervisor }: LostJournalOptions,
): Promise<string | undefined> {
  const made = guests.all().map((record) => record.serverId as ServerId)
  const domains = (await hypervisor.list()).map((guest) => guest.serverId)
  const broken = domains.filter((serverId) => journal.setAside.has(serverId))
  const unknown = [...new Set([...made, ...broken, ...(found ? [] : domains)])].filter((serverId) => !journal.get(serverId))
  if (unknown.length === 0) return undefined
  const names = unknown.slice(0, namedAtMost).join(', ') + (unknown.length > namedAtMost ? ' …' : '')
  return `The journal of this host knows nothing of ${counted(unknown.length, 'guest')} that ${unknown.length === 1 ? 'is' : 'are'} here (${names}): it was lost, or could not be read (${journal.directory}). See whether its disk is sound and was not put back to an earlier time.`
}
