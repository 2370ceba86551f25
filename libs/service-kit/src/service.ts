import 'reflect-metadata'
import type { IncomingMessage } from 'node:http'
import { Module, type DynamicModule, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { TokenVerifier } from '@nubo/auth'
import { newId, systemClock, systemRandom, type Clock, type Random } from '@nubo/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { commandLineOption, readConfiguration, type BaseConfiguration } from './configuration.js'
import { Health } from './health.js'
import { HeapReturn, ownHeap } from './heap-return.js'
import { installBodyParsers } from './http/bodies.js'
import { answer, ErrorFilter } from './http/exception-filter.js'
import { installHooks, type Lifecycle } from './http/hooks.js'
import { KeyBound } from './http/key-bound.js'
import { RequestBound } from './http/request-bound.js'
import { ValidationPipe } from './http/validation.js'
import { KeptAnswers } from './kept-answers.js'
import { KitModule } from './kit.module.js'
import { createLogger, nestLogger, type Logger } from './logger.js'
import { serveMetrics } from './metrics/listener.js'
import { Metrics } from './metrics/metrics.js'
import { measureRequests } from './metrics/request-metrics.js'
import { Pressure } from './pressure.js'
import { RouteBook } from './route-book.js'
import type { ServedRoute } from './route.js'
import { StallMonitor } from './stall-monitor.js'
import { end, stopOnSignal } from './stop.js'
import { routedUrl, surfaceFor, type Surface } from './surface.js'

export interface ServiceOptions<Configuration extends BaseConfiguration> {
  name: string
  configurationSchema: z.ZodType<Configuration>
  /** The service's own module. It may ask for CONFIGURATION, LOGGER, CLOCK, RANDOM and Health anywhere. */
  module: (configuration: Configuration) => Type | DynamicModule
  /** The APIs it serves; none for a service that has health alone. Providing TokenVerifier is the module's part. */
  surfaces?: (configuration: Configuration) => readonly Surface[]
  /**
   * Prefixes ('/compute') below which everything is served as at the root, as behind a proxy: links carry the prefix. So APIs
   * that share an origin can each have a root of their own, which clients look for; the bare prefix is a route like any other.
   */
  mounts?: readonly string[]
  /** How long a request may take to come in, in ms; 0 is forever, for uploads. */
  requestTimeoutMs?: number
}

export interface ServiceParts {
  logger?: Logger
  clock?: Clock
  random?: Random
  /** For each tenant; see `KeyBound`. */
  mostKeptAnswers?: number
}

const maxJsonBytes = 1024 * 1024
/** Names of 255 characters, each percent-encoded as four bytes of UTF-8. */
const maxParameterCharacters = 4_096

@Module({})
class RootModule {}

const books = new WeakMap<object, RouteBook>()
const lifecycles = new WeakMap<object, Lifecycle>()

/** Every route that `app` serves, with what it declared: for tests that walk all of them. */
export const servedRoutes = (app: object): readonly ServedRoute[] => books.get(app)?.routes ?? []

/** From now on it is not ready, and keeps no connection for a next request. */
export function beginToLeave(app: NestFastifyApplication): void {
  lifecycles.get(app)!.stopping = true
  app.get(Health).stop()
}

/** Builds a service without listening: what `startService` serves, and what tests `inject` requests into. */
export async function createService<Configuration extends BaseConfiguration>(
  options: ServiceOptions<Configuration>,
  configuration: Configuration,
  parts: ServiceParts = {},
): Promise<NestFastifyApplication> {
  const logger = parts.logger ?? createLogger(options.name, configuration.log.level)
  const clock = parts.clock ?? systemClock
  const random = parts.random ?? systemRandom
  const surfaces = options.surfaces?.(configuration) ?? []
  const adapter = new FastifyAdapter({
    bodyLimit: maxJsonBytes,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: maxParameterCharacters },
    rewriteUrl: (request: IncomingMessage) => routedUrl(request, surfaces, options.mounts ?? []),
    // Malformed and over-long paths, which no hook gets to see.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      request.surface = surfaceFor(surfaces, request.url)
      request.requestId = `req-${newId(random)}`
      reply.header('X-Openstack-Request-Id', request.requestId)
      answer(error, request, reply, logger)
    },
    // No Nest middleware is used: hooks do their work.
    skipMiddie: true,
  })
  const book = new RouteBook()
  adapter.getInstance().addHook('onRoute', (route) => book.add(route))
  const imports = [KitModule.with({ configuration, logger, clock, random }), options.module(configuration)]
  const app = await NestFactory.create<NestFastifyApplication>({ module: RootModule, imports }, adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  })
  // A service of no API checks no tokens.
  const verifier = surfaces.length > 0 ? app.get(TokenVerifier, { strict: false }) : undefined
  installBodyParsers(adapter.getInstance())
  const lifecycle: Lifecycle = { stopping: false }
  const answers = () => app.get(KeptAnswers, { strict: false })
  const [metrics, pressure] = [app.get(Metrics), app.get(Pressure)]
  const bound = new RequestBound(metrics, pressure)
  const keyBound = new KeyBound(answers, clock, parts.mostKeptAnswers)
  const dependencies = { surfaces, verifier, answers, keyBound, logger, clock, random, lifecycle, pressure, bound }
  installHooks(adapter.getInstance(), dependencies)
  measureRequests(adapter.getInstance(), metrics)
  serveHealth(app)
  if (surfaces.length === 0 && !configuration.metrics) serveOwnMetrics(app)
  app.useGlobalPipes(new ValidationPipe())
  app.useGlobalFilters(new ErrorFilter(logger, answers))
  await app.init()
  book.check(surfaces, verifier !== undefined)
  // Throws where nothing provides them.
  if (book.routes.some(({ declaration }) => declaration.idempotent)) answers()
  books.set(app, book)
  lifecycles.set(app, lifecycle)
  await adapter.getInstance().ready()
  return app
}

/** Not asked for a token, and answered whatever else there is to do. */
const config = { declaration: { public: true, ofHealth: true } as const }

function serveHealth(app: NestFastifyApplication): void {
  const instance = app.getHttpAdapter().getInstance()
  instance.get('/healthz', { config }, () => ({ status: 'ok' }))
  instance.get('/readyz', { config }, async (_request, reply) => {
    const report = await app.get(Health).report()
    return reply.code(report.ready ? 200 : 503).send(report)
  })
}

function serveOwnMetrics(app: NestFastifyApplication): void {
  const metrics = app.get(Metrics)
  const instance = app.getHttpAdapter().getInstance()
  instance.get('/metrics', { config }, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}

/**
 * Runs a service as a process: reads `--config FILE`, listens, and on SIGTERM or SIGINT ends what is under way and goes.
 * Exits with 1 and every problem listed when the configuration cannot be used.
 */
export async function startService<Configuration extends BaseConfiguration>(
  options: ServiceOptions<Configuration>,
): Promise<void> {
  const configuration = configurationOf(options)
  const logger = createLogger(options.name, configuration.log.level)
  process.on('uncaughtException', (error) => end(logger, error))
  process.on('unhandledRejection', (error) => end(logger, error))
  try {
    const app = await createService(options, configuration, { logger })
    stopOnSignal({
      app,
      logger,
      clock: systemClock,
      hasClients: options.surfaces !== undefined,
      onStopping: () => beginToLeave(app),
    })
    new StallMonitor(systemClock, logger).start()
    const heap = ownHeap()
    if (heap) new HeapReturn(systemClock, heap).start()
    if (configuration.metrics) await serveMetrics(app.get(Metrics), configuration.metrics.listen)
    await app.listen({ host: configuration.listen.host, port: configuration.listen.port })
    logger.info({ address: await app.getUrl(), pid: process.pid }, 'listening')
  } catch (error) {
    end(logger, error)
  }
}

function configurationOf<Configuration>({
  name,
  configurationSchema,
}: {
  name: string
  configurationSchema: z.ZodType<Configuration>
}) {
  try {
    const file = commandLineOption(process.argv, 'config')
    if (file === undefined) throw new Error(`usage: ${name} --config FILE`)
    return readConfiguration(file, configurationSchema)
  } catch (error) {
    process.stderr.write(`${name}: ${(error as Error).message}\n`)
    process.exit(1)
  }
}
