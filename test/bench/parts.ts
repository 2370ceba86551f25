import type { Figure } from './figures.js'
import { benchMetadata } from './metadata.js'
import { benchIdle } from './idle.js'
import { benchNetworks } from './networks.js'
import { benchPlacement } from './placement.js'
import { benchRealGuests } from './real-guests.js'
import { benchReach } from './reach.js'
import { requestFigures } from './requests.js'
import { benchBurst, benchOneByOne } from './servers.js'
import type { Stages } from './stage.js'
import { benchStops } from './stops.js'
import { benchThroughput } from './throughput.js'
import { benchTokens } from './tokens.js'
import { benchUp } from './up.js'

export interface Measured {
  figures: Figure[]
  /** For whoever reads them. */
  note?: string
}

export interface Part {
  /** For `--only`. */
  name: string
  title: string
  measure(stages: Stages): Promise<Measured>
}

const part = (name: string, title: string, measure: (stages: Stages) => Promise<Figure[]>): Part => ({
  name,
  title,
  measure: async (stages) => ({ figures: await measure(stages) }),
})

/** In this order: what counts an empty cloud comes before what fills it. OpenStack's figures are the issue's. */
export const parts: readonly Part[] = [
  part('placement', 'The pure scheduler, reasons counted', async () => benchPlacement()),
  part('idle', 'The idle control plane', async (stages) => benchIdle((await stages.simulated()).cloud)),
  part('create', 'Create to ACTIVE one by one, simulated hosts', async (stages) => benchOneByOne(await stages.simulated(), 60)),
  part('burst', '200 creates from 16 clients, then 200 deletes, simulated hosts', async (stages) =>
    benchBurst(await stages.simulated(), 200, 16),
  ),
  part('servers-none', 'GET /servers with none', async (stages) => {
    const stage = await stages.simulated()
    return await requestFigures(stage, `${stage.cloud.apiUrl}/v2.1/servers`, { 1: 64, 8: 142 })
  }),
  part('images', 'GET /v2/images', async (stages) => {
    const stage = await stages.simulated()
    return await requestFigures(stage, `${stage.cloud.imageUrl}/v2/images`, { 1: 103, 8: 210 })
  }),
  part('tokens', 'Tokens by password', async (stages) => benchTokens(await stages.simulated())),
  part('servers-200', 'GET /servers with 200', async (stages) => {
    const stage = await stages.withServers(200)
    return await requestFigures(stage, `${stage.cloud.apiUrl}/v2.1/servers`, { 1: 7, 8: 14.5 })
  }),
  part('detail-200', 'GET /servers/detail with 200', async (stages) => {
    const stage = await stages.withServers(200)
    return await requestFigures(stage, `${stage.cloud.apiUrl}/v2.1/servers/detail`, { 1: 2.2, 8: 4.1 })
  }),
  part('idle-after', 'The idle control plane after all of this', async (stages) => benchIdle((await stages.simulated()).cloud)),
  part('guests', 'Create to ACTIVE one by one, real QEMU guests, against the floor', benchRealGuests),
  part('networks', 'The networks of one host: ports, rules, programs', benchNetworks),
  part('reach', 'From POST /servers to a ping answered by a real guest at its floating IP', async () => benchReach()),
  part('throughput', 'Through bridges, VXLAN and groups, against a bare pair of links', async () => benchThroughput()),
  part('metadata', "A guest's question for its metadata, at the agent", async () => benchMetadata()),
  part('stops', 'SIGTERM while creates are under way, started again at once', benchStops),
  { name: 'up', title: '`npm run up`, step by step', measure: benchUp },
]
