import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createService, readConfiguration, servedRoutes, type BaseConfiguration, type ServiceOptions } from '@nubo/service-kit'
import { apiService } from '../../services/api/src/service.js'
import { imageService } from '../../services/image/src/service.js'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'
import { repository } from '../support/repository.js'
import { Description } from './openapi/description.js'
import { computeMistakes, identityMistakes, imageMistakes, networkMistakes, type Mistake } from './openapi/mistakes.js'
import { walkCompute } from './openapi/walk-compute.js'
import { walkIdentity } from './openapi/walk-identity.js'
import { walkImage } from './openapi/walk-image.js'
import { walkNetwork } from './openapi/walk-network.js'
import { Walk } from './openapi/walk.js'

/** Where the community's descriptions of the APIs lie; they are not part of this project. */
const directory = process.env['NUBO_OPENAPI_DIRECTORY'] ?? resolve(repository, '../shared/openstack/openapi')
const files = {
  compute: 'compute-v2.96.yaml',
  identity: 'identity-v3.14.yaml',
  image: 'image-v2.16.yaml',
  network: 'network-v2.yaml',
}
const missing = Object.values(files).filter((file) => !existsSync(join(directory, file)))
if (missing.length > 0)
  process.stderr.write(`SKIPPED openapi: ${directory} has no ${missing.join(', ')} (NUBO_OPENAPI_DIRECTORY says where).\n`)

const minutes = 60_000
const descriptionOf = (api: keyof typeof files) => new Description(join(directory, files[api]))

const suite = missing.length > 0 ? describe.skip : describe
suite('what is asked and answered, held against the published descriptions', () => {
  let cloud: Cloud
  let client: CloudClient
  let projects: { id: string; name: string }[]

  beforeAll(async () => {
    cloud = await Cloud.start({ hosts: [{ name: 'host-1', vcpus: 10, memoryMiB: 4096, diskGiB: 100 }] })
    client = await cloud.admin()
    projects = (await client.call<{ projects: typeof projects }>('GET', `${cloud.apiUrl}/v3/projects`)).body.projects
  }, minutes)

  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]()
  }, minutes)

  const projectId = (name: string) => projects.find((project) => project.name === name)!.id

  it(
    'compute, in every microversion that changed something',
    async () => {
      const versionHeaders = (minor: number) => ({ 'OpenStack-API-Version': `compute 2.${minor}` })
      const walk = new Walk({ description: descriptionOf('compute'), client, url: cloud.apiUrl, newestMinor: 96, versionHeaders })
      const imageRef = await client.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
      await walkCompute(walk, { imageRef, projectId: projectId('admin'), otherProjectId: projectId('demo') })
      expectNoOtherFaults(walk, computeMistakes)
      expect(await notWalked(walk, descriptionOf('compute'), apiService, 'api', '/v2.1')).toEqual([])
    },
    5 * minutes,
  )

  it(
    'identity',
    async () => {
      const walk = new Walk({ description: descriptionOf('identity'), client, url: cloud.apiUrl, newestMinor: 14 })
      await walkIdentity(walk, { demo: await cloud.demo(), demoPassword: cloud.passwords.demo })
      expectNoOtherFaults(walk, identityMistakes)
      expect(await notWalked(walk, descriptionOf('identity'), apiService, 'api', '/v3')).toEqual([])
    },
    5 * minutes,
  )

  it(
    'image',
    async () => {
      const walk = new Walk({ description: descriptionOf('image'), client, url: cloud.imageUrl, newestMinor: 16 })
      await walkImage(walk, { otherProjectId: projectId('demo'), member: await cloud.demo() })
      expectNoOtherFaults(walk, imageMistakes)
      // There is one store, and Glance says of one store what it says of none: 404.
      expect(await notWalked(walk, descriptionOf('image'), imageService, 'image', '/v2')).toEqual(['GET /v2/info/stores'])
    },
    5 * minutes,
  )

  it(
    'network',
    async () => {
      const walk = new Walk({ description: descriptionOf('network'), client, url: cloud.apiUrl, newestMinor: 0 })
      await walkNetwork(walk, { projectId: projectId('admin'), otherProjectId: projectId('demo'), hostName: 'host-1' })
      expectNoOtherFaults(walk, networkMistakes)
      expect(await notWalked(walk, descriptionOf('network'), apiService, 'api', '/v2.0')).toEqual([])
    },
    5 * minutes,
  )

  /** Routes below `prefix` that are served and described, and that nobody asked anything of. */
  async function notWalked<Configuration extends BaseConfiguration>(
    walk: Walk,
    description: Description,
    service: ServiceOptions<Configuration>,
    name: string,
    prefix: string,
  ): Promise<string[]> {
    const configuration = readConfiguration(join(cloud.directory, `${name}.json`), service.configurationSchema)
    const app = await createService(service, configuration)
    const described = servedRoutes(app).filter(
      ({ method, url }) => url.startsWith(prefix) && description.describesBodies(method, url),
    )
    await app.close()
    return described.map(({ method, url }) => `${method} ${url}`).filter((route) => !walk.walked.has(route))
  }
})

/** Every fault that was found is one of the description's own, and every one of those was found. */
function expectNoOtherFaults({ faults }: Walk, mistakes: readonly Mistake[]): void {
  const found = [...faults.keys()]
  const ours = found.filter((line) => !mistakes.some(({ fault }) => fault.test(line)))
  expect(ours.map((line) => `${line} (in .${faults.get(line)!.join(', .')})`)).toEqual([])
  expect(mistakes.filter(({ fault }) => !found.some((line) => fault.test(line)))).toEqual([])
}
