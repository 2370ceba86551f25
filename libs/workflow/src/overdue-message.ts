import type { Located } from './records.js'

/** What a tenant reads of an operation that was given up at its deadline: what is known, and what helps. */
export function overdueMessage({ operation, step }: Located): string {
  if (step.direction === 'undo') {
    const reason = operation.message ?? 'It failed.'
    return `${reason} Its host has not confirmed since that nothing is left there, so its room stays held until it is deleted.`
  }
  if (!step.hostId) return `The ${step.name} step was given up: no scheduler took it in time. Nothing of it is on any host.`
  return (
    `The ${step.name} step was given up: its host did not answer in time, so what it did is not known. ` +
    'What may be there stays held until a later action on the server, or its deletion, is confirmed.'
  )
}
