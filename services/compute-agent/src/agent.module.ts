import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common'
import type { Hypervisor } from '@nubo/hypervisor'
import { CloudError, type Clock, type HostId, type Random } from '@nubo/kernel'
import { HostQueue, observed, type Queue } from '@nubo/queue'
import { CLOCK, CONFIGURATION, Health, LOGGER, Metrics, queueMetrics, RANDOM, type Logger } from '@nubo/service-kit'
import type { Agent } from './agent.js'
import { assembleAgent } from './assemble.js'
import type { AgentConfiguration } from './configuration.js'
import { agentFigures } from './figures.js'
import { diskFiles } from './files.js'
import { HostSeal } from './host-seal.js'
import type { Journal } from './journal.js'

const QUEUE = Symbol('queue')
const openAgainMs = 1_000

const queueProvider = {
  provide: QUEUE,
  inject: [CONFIGURATION, CLOCK, LOGGER, Metrics],
  async useFactory(configuration: AgentConfiguration, clock: Clock, logger: Logger, metrics: Metrics): Promise<Queue> {
    const { redis, host, controlPlane } = configuration
    const files = diskFiles({ durable: true })
    const seal = await HostSeal.open({ files, directory: host.directory, controlPlane, clock, logger })
    const onError = (error: Error) => logger.warn({ err: error }, 'queue')
    const queue = new HostQueue({ hostId: host.id as HostId, redis, seal, clock, onError })
    return observed(queue, queueMetrics(metrics), clock)
  },
}

/** Runs this host's agent, from the moment when its hypervisor can be reached. */
@Module({ providers: [queueProvider] })
export class AgentModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private running: { agent: Agent; hypervisor: Hypervisor; journal: Journal; close: () => Promise<void> } | undefined
  private trouble = 'not opened yet'
  private readonly stopping = new AbortController()

  constructor(
    @Inject(CONFIGURATION) private readonly configuration: AgentConfiguration,
    @Inject(QUEUE) private readonly queue: Queue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Metrics) private readonly metrics: Metrics,
    health: Health,
  ) {
    health.register('hypervisor', async () => {
      assertSo(this.running !== undefined, this.trouble)
      await this.running!.hypervisor.list()
    })
    health.register('registration', async () =>
      assertSo(this.running?.agent.isRegistered === true, this.running?.agent.refusal ?? 'no conductor has answered yet'),
    )
    health.register('journal', async () => await this.running?.journal.mustTakeNotes())
    health.register('queue', async () => void (await queue.depth('reports')))
  }

  onApplicationBootstrap(): void {
    void this.run()
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort()
    await this.running?.close()
    await this.queue.close()
  }

  /** Tries until the hypervisor answers; anything else that goes wrong ends the process, and is in its log. */
  private async run(): Promise<void> {
    const { configuration, queue, clock, random, logger } = this
    const figures = agentFigures(this.metrics)
    while (!this.stopping.signal.aborted) {
      try {
        const { agent, hypervisor, journal } = await assembleAgent({ configuration, queue, clock, random, logger, figures })
        const close = async () => {
          await agent.stop()
          await hypervisor.close()
        }
        if (this.stopping.signal.aborted) return await close()
        this.running = { agent, hypervisor, journal, close }
        logger.info({ ...(await hypervisor.describe()), cpuInfo: undefined }, 'the hypervisor is open')
        return agent.start()
      } catch (error) {
        if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
        this.trouble = error.message
        logger.warn({ err: error }, 'the hypervisor cannot be opened; it will be tried again')
      }
      await clock.sleep(openAgainMs, this.stopping.signal).catch(() => undefined)
    }
  }
}

function assertSo(isSo: boolean, why: string): void {
  if (!isSo) throw new CloudError('Unavailable', why)
}
