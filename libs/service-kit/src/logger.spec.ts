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

it('writes no row that PostgreSQL quotes, but what it says of the constraint', () => {
  const { logger, lines } = capture()
  const secret = '$argon2id$v=19$m=19456'
  const quoted = `Failing row contains (7, somebody, ${secret}).`
  const fromPostgres = Object.assign(new Error('null value in column "name" violates not-null constraint'), {
    ...{ code: '23502', table: 'users', column: 'name' },
    ...{ detail: quoted, where: `PL/pgSQL function f(text) ${secret}`, internalQuery: `SELECT '${secret}'` },
  })
  const fromPrisma = Object.assign(new Error('it failed'), { meta: { modelName: 'User', cause: { detail: quoted } } })
  logger.error({ err: fromPostgres }, 'first')
  logger.error(fromPostgres)
  logger.error({ err: new Error('outer', { cause: fromPostgres }) }, 'third')
  logger.error({ err: new AggregateError([fromPostgres]) }, 'fourth')
  logger.error({ err: fromPrisma }, 'fifth')
  expect(JSON.stringify(lines)).not.toContain(secret)
  expect(lines[0]).toMatchObject({ err: { code: '23502', table: 'users', column: 'name', message: fromPostgres.message } })
  expect(lines[4]).toMatchObject({ err: { meta: { modelName: 'User' } } })
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
