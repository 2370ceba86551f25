import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { openText, sealText } from '@nubo/auth'
import { newId, systemClock, systemRandom, type HostId, type Id, type ServerId, type SessionId } from '@nubo/kernel'
import { createLogger } from '@nubo/service-kit'
import { HostKeyRing } from './host-key-ring.js'
import { HostRefusals } from './host-refusals.js'
import { ControlPlaneSeal } from './host-seal.js'

const [hostId, other] = [newId<HostId>(systemRandom), newId<HostId>(systemRandom)]
const newKey = () => generateKeyPairSync('ed25519')
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const commandKey = newKey()

let nowMs: number
let enrolled: Map<HostId, string>
let asked: number
let refused: string[]
let recorded: [reason: string, count: number][]
let lines: string[]
let last: Map<HostId, number>
let seal: ControlPlaneSeal
let key: ReturnType<typeof newKey>

beforeEach(() => {
  const clock = { ...systemClock, monotonicMs: () => nowMs }
  ;[nowMs, asked, refused, recorded, lines, last] = [1_000_000, 0, [], [], [], new Map()]
  key = newKey()
  enrolled = new Map([[hostId, pemOf(key.publicKey)]])
  const find = async (id: HostId) => {
    asked++
    return enrolled.get(id)
  }
  const logger = createLogger('test', 'warn', { write: (line) => void lines.push(line) })
  const record = async (_: HostId, reason: string, count: number) => void recorded.push([reason, count])
  seal = new ControlPlaneSeal({
    commandKey: commandKey.privateKey,
    hostKeys: new HostKeyRing(find, clock),
    refusals: new HostRefusals(record, (reason) => void refused.push(reason), clock, logger),
    claimRegistration: async (id, _, number) => {
      if (number <= (last.get(id) ?? 0)) return false
      last.set(id, number)
      return true
    },
  })
})

const change = (of: HostId = hostId) => ({
  ...{ kind: 'guest-changed', hostId: of, sessionId: newId<SessionId>(systemRandom), serverId: newId<ServerId>(systemRandom) },
  ...{ incarnation: 1, powerState: 4, sequence: 1, cause: 'killed', detail: '' },
})
const answer = { kind: 'answer', hostId, questionId: newId<Id<'question'>>(systemRandom), answer: { ok: true, value: 1 } }
const told = (message: unknown, { by = key.privateKey, as = hostId, number = 0 } = {}) =>
  seal.open(hostId, sealText(by, 'report', as, JSON.stringify({ number, message })))

describe('the seal of the control plane', () => {
  it('believes a host what its own key signed, and reads its key once in a while', async () => {
    const message = change()
    expect(await told(message)).toEqual(message)
    expect(await told(answer)).toEqual(answer)
    expect(asked).toBe(1)
    nowMs += 5_000
    await told(message)
    expect(asked).toBe(2)
    expect(refused).toEqual([])
  })

  it.each<[string, string, () => unknown]>([
    ['another key signed', 'bad-signature', () => told(change(), { by: newKey().privateKey })],
    ['was signed for another host', 'bad-signature', () => told(change(), { as: other })],
    ['speaks of another host', 'names-another-host', () => told(change(other))],
    ['is not in the contract', 'malformed', () => told({ kind: 'nonsense', hostId })],
    ['is not JSON', 'malformed', () => seal.open(hostId, sealText(key.privateKey, 'report', hostId, '{'))],
    ['no enrolled host told', 'not-enrolled', () => seal.open(other, 'x.y')],
  ])('refuses what %s', async (_, reason, tell) => {
    expect(await tell()).toBeUndefined()
    expect(refused).toEqual([reason])
    expect(recorded).toEqual([[reason, 1]])
  })

  it('takes a key that was enrolled since, and the one before it no more', async () => {
    await told(change())
    const fresh = newKey()
    enrolled.set(hostId, pemOf(fresh.publicKey))
    nowMs += 1_000
    expect(await told(change(), { by: fresh.privateKey })).toBeDefined()
    expect(await told(change())).toBeUndefined()
    enrolled.delete(hostId)
    nowMs += 5_000
    expect(await told(change(), { by: fresh.privateKey })).toBeUndefined()
    expect(refused).toEqual(['bad-signature', 'not-enrolled'])
  })

  it('is not made to read keys by what is refused, and says so once a minute', async () => {
    for (let time = 0; time < 100; time++) await told(change(), { by: newKey().privateKey })
    expect(asked).toBe(1)
    expect([refused.length, lines.length, recorded]).toEqual([100, 1, [['bad-signature', 1]]])
    nowMs += 60_000
    await told(change(), { by: newKey().privateKey })
    expect([lines.length, recorded.at(-1)]).toEqual([2, ['bad-signature', 100]])
  })

  it('signs commands for one host', () => {
    const text = seal.close(hostId, { kind: 'destroy' })
    expect(openText(commandKey.publicKey, 'command', hostId, text)).toBe('{"kind":"destroy"}')
    expect(openText(commandKey.publicKey, 'command', other, text)).toBeUndefined()
  })
})
