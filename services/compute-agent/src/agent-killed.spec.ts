import { afterEach, describe, expect, it } from '@jest/globals'
import type { PowerStateCode } from '@nubo/contract'
import { Life } from './testing/life.js'
import { guestSpecification, newServer, TestHost } from './testing/test-agent.js'
import { VirtualClock } from './testing/virtual-clock.js'

interface Case {
  name: string
  /** What has been done before. */
  before: Order[]
  order: Order
  powerState: PowerStateCode
}

type Order = { kind: 'build' | 'stop' | 'start' | 'reboot' | 'destroy'; [detail: string]: unknown }

const build: Order = { kind: 'build', guest: guestSpecification() }
const stop: Order = { kind: 'stop', graceMs: 0 }
const cases: Case[] = [
  { name: 'a build', before: [], order: build, powerState: 1 },
  { name: 'a stop', before: [build], order: stop, powerState: 4 },
  { name: 'a start', before: [build, stop], order: { kind: 'start' }, powerState: 1 },
  { name: 'a reboot', before: [build], order: { kind: 'reboot', type: 'hard', graceMs: 0 }, powerState: 1 },
  { name: 'a destruction', before: [build], order: { kind: 'destroy' }, powerState: 0 },
]

describe.each([
  ['before it takes effect', false],
  ['when it has taken effect, and nobody learned of it', true],
])('an agent that is killed at a call to the world, %s', (_, takesEffect) => {
  let host: TestHost
  afterEach(() => host.close())

  /** Returns false where the command ended before the agent would have been killed. */
  async function killedAt(call: number, { before, order, powerState }: Case): Promise<boolean> {
    const clock = new VirtualClock()
    const serverId = newServer()
    host = TestHost.onClock(clock)
    await host.startAgent()
    for (const each of before) expect(await host.conductor.done({ serverId, ...each })).toMatchObject({ state: 'done' })
    await clock.pass(100)
    await host.stopAgent()
    host.life = new Life()
    await host.startAgent()
    await clock.pass(100)
    host.life.endAt(call, { takesEffect })
    const command = await host.conductor.command({ serverId, ...order })
    await clock.pass(1_000)
    const wasKilled = host.life.isOver
    host.life.endAt(Infinity, { takesEffect })
    if (wasKilled) {
      host.life = undefined
      await host.startAgent()
      await host.conductor.repeat({ ...command, sessionId: host.conductor.sessionId! })
    }
    await expectDone()
    return wasKilled

    async function expectDone(): Promise<void> {
      const result = host.conductor.resultOf(command)
      await clock.pass(10_000)
      expect((await result).outcome).toMatchObject({ state: 'done', powerState })
      const guest = await host.hypervisor.inspect(serverId)
      expect(guest?.powerState).toBe(
        ({ 0: undefined, 1: 'running', 4: 'shutdown' } as Record<number, string | undefined>)[powerState],
      )
      await host.stopAgent()
      await host.startAgent()
      const { guests, quarantine } = host.conductor.all('register').at(-1)!
      expect(guests.map((each) => each.powerState)).toEqual(powerState === 0 ? [] : [powerState])
      expect(quarantine).toBeNull()
    }
  }

  it.each(cases)('goes on with $name where it stood, wherever that was', async (each) => {
    let call = 1
    while (await killedAt(call, each)) {
      await host.close()
      call++
    }
    expect(call).toBeGreaterThan(3)
  })
})

it('an agent that is killed while it registers is registered when it is started again', async () => {
  const clock = new VirtualClock()
  let killed = 0
  for (let wasKilled = true; wasKilled;) {
    const host = TestHost.onClock(clock)
    host.life = new Life()
    host.life.endAt(killed + 1, { takesEffect: true })
    const started = host.startAgent({ registered: false })
    await clock.pass(1_000)
    wasKilled = host.life.isOver
    host.life.endAt(Infinity, { takesEffect: true })
    host.life = undefined
    const agent = wasKilled ? await host.startAgent({ registered: false }) : await started
    await clock.pass(15_000)
    expect(agent.isRegistered).toBe(true)
    await host.close()
    if (wasKilled) killed++
  }
  expect(killed).toBeGreaterThan(5)
})
