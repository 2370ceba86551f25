import type { Applied, HostNetwork, HostPlan, Plug } from '@nubo/host-network'
import { CloudError, type PortId } from '@nubo/kernel'
import type { MetadataServer } from './metadata-server.js'

/** A host's networks whose guests are told about themselves: the server knows the callers of a plan before it comes into force. */
export class ServedNetwork implements HostNetwork {
  private isServed = false

  constructor(
    private readonly network: HostNetwork,
    private readonly metadata: Pick<MetadataServer, 'follow' | 'settle' | 'listen' | 'close'>,
    private readonly port: number,
  ) {}

  async apply(plan: HostPlan): Promise<Applied> {
    this.metadata.follow(plan)
    return await this.serve(await this.network.apply(plan))
  }

  plug(port: PortId): Plug | undefined {
    return this.network.plug(port)
  }

  async mend(): Promise<Applied> {
    return await this.serve(await this.network.mend())
  }

  async close(): Promise<void> {
    await this.metadata.close()
    await this.network.close()
  }

  /** Guests do without their metadata sooner than without their networks: it is told of, and tried again. */
  private async serve(applied: Applied): Promise<Applied> {
    this.metadata.settle(applied)
    try {
      if (!this.isServed) await this.metadata.listen(this.port)
      this.isServed = true
      return applied
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      // It is about all of the host's networks.
      const { troubled: _, ...rest } = applied
      return { ...rest, trouble: [applied.trouble, error.message].filter(Boolean).join('; ') }
    }
  }
}
