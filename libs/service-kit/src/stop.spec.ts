import 'reflect-metadata'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Controller, Get, Module } from '@nestjs/common'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { systemClock } from '@nubo/kernel'
import { baseConfiguration, createLogger, createService, Public } from './index.js'
import { beginToLeave } from './service.js'
import { leave } from './stop.js'

@Controller('things')
class Things {
  @Get()
  @Public()
  list() {
    return []
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

let app: NestFastifyApplication
let url: string
/** It has one connection, and keeps it. */
let client: Agent
/** Ends the time for which clients are told. */
let part: () => void

const configuration = baseConfiguration.parse({ listen: { host: '127.0.0.1', port: 0 } })
let told: Promise<void>
const clock = { ...systemClock, sleep: () => told }

beforeEach(async () => {
  told = new Promise((resolve) => (part = resolve))
  const logger = createLogger('test', 'fatal')
  app = await createService({ name: 'test', configurationSchema: baseConfiguration, module: () => ThingsModule }, configuration, {
    logger,
  })
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
  client = new Agent({ keepAlive: true, maxSockets: 1 })
})
afterEach(() => client.destroy())

async function ask(agent = client) {
  const request = get(`${url}/things`, { agent })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return { status: answer.statusCode, connection: answer.headers.connection, kept: request.reusedSocket }
}

// It closed the connections of its clients at once: one in two had a request on its way, and saw it broken off.
it('an API that is told to leave answers on the connections that it kept, and says that it keeps them no more', async () => {
  expect(await ask()).toMatchObject({ status: 200, connection: 'keep-alive', kept: false })
  const left = leave({ app, clock, onStopping: () => beginToLeave(app), hasClients: true })
  await systemClock.sleep(0)
  await expect(ask(new Agent())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(await ask()).toEqual({ status: 200, connection: 'close', kept: true })
  part()
  await left
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

// Of forty who logged in at that moment as many as 29 were broken off.
it('answers all who have connected', async () => {
  const asked = Array.from({ length: 40 }, () => ask(new Agent()))
  await new Promise((resolve) => process.nextTick(resolve))
  const left = leave({ app, clock, onStopping: () => beginToLeave(app), hasClients: true })
  for (const { status, connection } of await Promise.all(asked)) expect([status, connection]).toEqual([200, 'close'])
  part()
  await left
})
