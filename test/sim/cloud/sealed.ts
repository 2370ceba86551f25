import { reportsQueue } from '@nubo/contract'
import { claimRegistration, type Database } from '@nubo/database'
import type { HostId } from '@nubo/kernel'
import type { Message, Queue } from '@nubo/queue'
import type { World } from '../core/world.js'

/** In place of a signature: who carries reports knows whose they are. */
const publicKey = 'key'

export function enrol({ engine }: World, hostId: HostId): void {
  engine.run('INSERT INTO host_keys (host_id, public_key) VALUES ($1, $2)', [hostId, publicKey], 0)
}

/** The queue as a host has it: its registrations are numbered, over all of its agents. */
export function numbering(queue: Queue, next: () => number): Queue {
  const numbered = (message: Message): Message => (message.kind === 'register' ? { ...message, number: next() } : message)
  const castAll: Queue['castAll'] = (name, messages) => queue.castAll(name, messages.map(numbered))
  const numbering: Partial<Queue> = { castAll, cast: (name, message) => castAll(name, [message]) }
  return Object.assign(Object.create(queue) as Queue, numbering)
}

/** The queue as the control plane has it: a registration that comes again, or after a later one, is not taken (`ControlPlaneSeal`). */
export function opening(queue: Queue, database: Database): Queue {
  const work: Queue['work'] = (name, handler, options) => {
    if (name !== reportsQueue) return queue.work(name, handler, options)
    return queue.work(name, async (message) => void ((await isNew(database, message)) && (await handler(message))), options)
  }
  return Object.assign(Object.create(queue) as Queue, { work } satisfies Partial<Queue>)
}

async function isNew(database: Database, { kind, hostId, number }: Message): Promise<boolean> {
  return kind !== 'register' || (await claimRegistration(database, hostId as HostId, publicKey, number as number))
}
