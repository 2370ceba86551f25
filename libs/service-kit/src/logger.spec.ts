import { expect, it } from '@jest/globals'
import { addLogFields, withLogFields } from './context.js'
import { createLogger, nestLogger } from './logger.js'

function capture(level = 'debug') {
  const lines: Record<string, unknown>[] = []
  const logger = createLogger('api', level, { write: (line) => void lines.push(JSON.parse(line)) })
  return { logger, lines }
}

it('carries the ids of the work it belongs to', async () => {
  const { logger, lines } = capture()
  await withLogFields({ operationId: 'o1' }, async () => {
    addLogFields({ serverId: 's1' })
    await Promise.resolve()
    withLogFields({ hostId: 'h1' }, () => logger.info('inner'))
    logger.info({ state: 'ACTIVE' }, 'outer')
  })
  logger.info('outside')
  expect(lines).toMatchObject([
    { service: 'api', level: 'info', msg: 'inner', operationId: 'o1', serverId: 's1', hostId: 'h1' },
    { msg: 'outer', operationId: 'o1', serverId: 's1', state: 'ACTIVE' },
    { msg: 'outside' },
  ])
  expect(lines[1]).not.toHaveProperty('hostId')
  expect(lines[2]).not.toHaveProperty('operationId')
})

it("keeps one line's own fields out of the next", () => {
  const { logger, lines } = capture()
  withLogFields({ requestId: 'r1' }, () => {
    logger.info({ err: new Error('once') }, 'first')
    logger.info('second')
  })
  expect(lines[1]).not.toHaveProperty('err')
})

it('writes no secret that slips into a line', () => {
  const { logger, lines } = capture()
  const secret = 'open sesame'
  logger.info({ password: secret, user: { password: secret }, auth: { identity: { password: secret } }, adminPass: secret })
  logger.info({ headers: { 'x-auth-token': secret }, config: { redis: { password: secret } }, token: secret })
  expect(JSON.stringify(lines)).not.toContain(secret)
})

it('takes what Nest says, with where it said it', () => {
  const { logger, lines } = capture()
  nestLogger(logger).error(new Error('broken'), 'Somewhere')
  nestLogger(logger).log('Nest is starting', 'NestFactory')
  expect(lines).toMatchObject([
    { level: 'error', nest: 'Somewhere', msg: 'broken' },
    { level: 'debug', nest: 'NestFactory', msg: 'Nest is starting' },
  ])
})
