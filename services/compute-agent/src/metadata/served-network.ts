import type { Applied, HostNetwork, HostPlan, Plug } from '@nubo/host-network'
import type { PortId } from '@nubo/kernel'
import type { MetadataServer } from './metadata-server.js'

/** A host's networks whose guests are told about themselves: the server knows the callers of a plan before it comes into force. */
export class ServedNetwork implements HostNetwork {
  constructor(
    private readonly network: HostNetwork,
    private readonly metadata: Pick<MetadataServer, 'follow' | 'close'>,
  ) {}

  async apply(plan: HostPlan): Promise<Applied> {
    this.metadata.follow(plan)
    return await this.network.apply(plan)
  }

  plug(port: PortId): Plug | undefined {
    return this.network.plug(port)
  }

  async mend(): Promise<Applied> {
    return await this.network.mend()
  }

  async close(): Promise<void> {
    await this.metadata.close()
    await this.network.close()
  }
}
