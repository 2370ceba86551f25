import { CloudError } from '@nubo/kernel'
import type { Call, Interference } from './door.js'
import { atCall } from './kills.js'
import type { Outcome } from './state.js'
import type { Trial } from './trial.js'

const lost = () => Object.assign(new Error('the connection was lost'), { code: 'ECONNRESET' })
const undone = () => Object.assign(new Error('deadlock detected'), { code: '40P01' })
const unknown = () => new CloudError('Unavailable', 'No answer came', { details: { outcome: 'unknown' } })

const before =
  (error: () => Error): Interference =>
  async () => {
    throw error()
  }

const after =
  (error: () => Error): Interference =>
  async (make) => {
    await make()
    throw error()
  }

/** The connection to PostgreSQL lost at each statement, a deadlock at each commit, and each commit left in doubt. */
export function databaseFaults(calls: readonly Call[], comesTo: Outcome): Trial[] {
  return trialsOf(calls, 'database', ({ label }) =>
    label === 'COMMIT'
      ? { 'is undone': before(undone), 'does not get through': before(lost), 'is in doubt': after(lost) }
      : { 'does not get through': before(lost) },
  ).map((trial) => ({ ...trial, comesTo }))
}

/** The queue away at each cast. */
export function queueFaults(calls: readonly Call[], comesTo: Outcome): Trial[] {
  return trialsOf(calls, 'queue', () => ({ 'does not get through': before(unknown), 'gets no answer': after(unknown) })).map(
    (trial) => ({ ...trial, comesTo }),
  )
}

const changing = new Set(['define', 'start', 'shutdown', 'reboot', 'powerOff', 'undefine'])

/** Each change that the hypervisor is asked for lost on its way there or back: asked again, it comes to the same. */
export function hypervisorSilences(calls: readonly Call[], comesTo: Outcome): Trial[] {
  return trialsOf(calls, 'hypervisor', ({ label }) =>
    changing.has(label)
      ? { 'is lost': before(unknown), 'gets no answer': after(unknown) }
      : { 'gets no answer': before(unknown) },
  ).map((trial) => ({ ...trial, comesTo }))
}

/** Each change refused by the hypervisor, and each write by the disk: whatever it comes to must hold. */
export function hostRefusals(calls: readonly Call[]): Trial[] {
  const refused = before(() => new CloudError('Conflict', 'The hypervisor refuses.'))
  const full = before(() => Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
  return [
    ...trialsOf(calls, 'hypervisor', ({ label }) => (changing.has(label) ? { 'is refused': refused } : {})),
    ...trialsOf(calls, 'file', () => ({ fails: full })),
  ]
}

/** One trial for each call of a kind and each way in which it goes wrong. */
function trialsOf(
  calls: readonly Call[],
  kind: Call['kind'],
  ways: (call: Call) => Partial<Record<string, Interference>>,
): Trial[] {
  const ofKind = (call: Call) => call.kind === kind
  return calls.filter(ofKind).flatMap((call, index) =>
    Object.entries(ways(call)).map(([way, interference]) => ({
      name: `${kind} call ${index + 1} of the ${call.process}, ${call.label}, ${way}`,
      setUp: (world) => (world.interfere = atCall(ofKind, index, interference!)),
    })),
  )
}
