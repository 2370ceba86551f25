import { readFileSync } from 'node:fs'
import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { ImageCredentialVerifier, publicTokenKey, RevocationList, TokenVerifier } from '@nubo/auth'
import { Database, DatabaseRevocations, countKeptAnswers, findKeptAnswer } from '@nubo/database'
import { assert, type Clock, type Random, type RequestKey } from '@nubo/kernel'
import { CLOCK, Health, KeptAnswers, LOGGER, type Logger, Metrics, poolMetrics, RANDOM } from '@nubo/service-kit'
import type { FastifyInstance } from 'fastify'
import type { ImageConfiguration } from './configuration.js'
import { AgentImagesController } from './data/agent-images.controller.js'
import { ImageDataController } from './data/image-data.controller.js'
import { MethodRoutes } from './http/method-routes.js'
import { guardRoutes } from './http/route-guards.js'
import { ImagesController } from './images/images.controller.js'
import { ImagesService } from './images/images.service.js'
import { findSecondOpinion } from './inspection/second-opinion.js'
import { MembersController } from './members/members.controller.js'
import { MembersService } from './members/members.service.js'
import { ImageStore } from './store/image-store.js'
import { processIdentity } from './store/process-identity.js'
import { ImageUploads } from './uploads/image-uploads.js'
import { Sweeper } from './uploads/sweeper.js'
import { UploadsUnderWay } from './uploads/uploads-under-way.js'
import { VersionsController } from './versions/versions.controller.js'

/** Puts the image service together. */
@Module({})
export class ImageModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly methods = new MethodRoutes()

  constructor(
    @Inject(Database) private readonly db: Database,
    @Inject(Sweeper) private readonly sweeper: Sweeper,
    @Inject(UploadsUnderWay) private readonly underWay: UploadsUnderWay,
    @Inject(Health) private readonly health: Health,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
  ) {
    // Nest registers the routes before any of its own hooks: this is the moment before.
    guardRoutes(this.server, '/v2/')
    this.methods.watch(this.server, '/v2/')
  }

  static with(configuration: ImageConfiguration): DynamicModule {
    const { limits } = configuration
    return {
      module: ImageModule,
      controllers: [VersionsController, ImagesController, MembersController, ImageDataController, AgentImagesController],
      providers: [
        { provide: Database, useFactory: () => Database.connect(configuration.database) },
        { provide: ImageStore, useFactory: () => ImageStore.open(configuration.directory, limits.reservedDiskBytes) },
        tokenVerifier(configuration),
        keptAnswers,
        credentialVerifier(configuration),
        {
          provide: Sweeper,
          inject: [Database, ImageStore, CLOCK, LOGGER],
          useFactory: (db: Database, store: ImageStore, clock: Clock, logger: Logger) => new Sweeper(db, store, clock, logger),
        },
        {
          provide: UploadsUnderWay,
          inject: [Database, CLOCK, LOGGER],
          useFactory: (db: Database, clock: Clock, logger: Logger) =>
            new UploadsUnderWay(db, clock, logger, {
              idleMs: limits.uploadIdleSeconds * 1_000,
              leastBytesPerSecond: limits.uploadBytesPerSecond,
            }),
        },
        {
          provide: ImagesService,
          inject: [Database, UploadsUnderWay, Sweeper, RANDOM],
          useFactory: (db: Database, underWay: UploadsUnderWay, sweeper: Sweeper, random: Random) =>
            new ImagesService({ db, underWay, sweeper, limits, random }),
        },
        { provide: MembersService, inject: [Database], useFactory: (db: Database) => new MembersService(db, limits) },
        uploads(configuration),
      ],
    }
  }

  /** What a process before this one left half done is settled before anybody is served. */
  async onApplicationBootstrap(): Promise<void> {
    this.methods.refuseOthers(this.server)
    poolMetrics(this.metrics, () => this.db.use)
    this.health.register('database', async () => {
      await this.db.query('SELECT 1')
    })
    await this.sweeper.start()
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.sweeper.stop()
    await this.underWay.endAll()
  }

  async onApplicationShutdown(): Promise<void> {
    await this.db.close()
  }

  private get server(): FastifyInstance {
    return this.http.httpAdapter.getInstance()
  }
}

const keptAnswers = {
  provide: KeptAnswers,
  inject: [Database],
  useFactory: (db: Database): KeptAnswers => ({
    find: (key: RequestKey) => findKeptAnswer(db, key),
    count: (scope: string) => countKeptAnswers(db, scope),
  }),
}

const tokenVerifier = ({ tokens }: ImageConfiguration) => ({
  provide: TokenVerifier,
  inject: [Database, CLOCK],
  useFactory: (db: Database, clock: Clock) => {
    const key = publicTokenKey(readFileSync(tokens.publicKeyFile, 'utf8'))
    return new TokenVerifier(key, new RevocationList(new DatabaseRevocations(db), clock), clock)
  },
})

const credentialVerifier = ({ agentCredentials }: ImageConfiguration) => ({
  provide: ImageCredentialVerifier,
  inject: [CLOCK],
  useFactory: (clock: Clock) =>
    new ImageCredentialVerifier(publicTokenKey(readFileSync(agentCredentials.publicKeyFile, 'utf8')), clock),
})

const uploads = ({ limits }: ImageConfiguration) => ({
  provide: ImageUploads,
  inject: [Database, ImageStore, UploadsUnderWay, Sweeper, RANDOM, LOGGER],
  useFactory: async (
    db: Database,
    store: ImageStore,
    underWay: UploadsUnderWay,
    sweeper: Sweeper,
    random: Random,
    logger: Logger,
  ) => {
    const secondOpinion = await findSecondOpinion(limits.check)
    logger.info({ secondOpinion: secondOpinion.description }, 'second opinion on uploaded images')
    const writer = processIdentity()
    assert(writer !== undefined, 'this very process runs')
    return new ImageUploads({ db, store, underWay, sweeper, secondOpinion, writer, limits, random, logger })
  },
})
