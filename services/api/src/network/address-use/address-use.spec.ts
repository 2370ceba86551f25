import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { networkRequests } from '../../testing/network-requests.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof networkRequests>
let demo: ReturnType<typeof networkRequests>
let networkId: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = networkRequests(api, await api.admin())
  demo = networkRequests(api, await api.demo())
  networkId = (await demo('POST', '/networks', { network: { name: 'net' } })).body.network.id
  const pools = [{ start: '10.0.0.10', end: '10.0.0.19' }]
  await makeSubnet({ ip_version: 4, cidr: '10.0.0.0/24', allocation_pools: pools, enable_dhcp: false })
  await makeSubnet({ ip_version: 6, cidr: 'fd00::/64', enable_dhcp: false })
  await demo('POST', '/networks', { network: { name: 'empty' } })
  await demo('POST', '/ports', { port: { network_id: networkId } })
})
afterAll(() => api?.stop())

async function makeSubnet(subnet: Record<string, unknown>): Promise<void> {
  expect((await demo('POST', '/subnets', { subnet: { network_id: networkId, ...subnet } })).status).toBe(201)
}

it('tells operators how many addresses there are, and how many of them are in use', async () => {
  const path = `/network-ip-availabilities/${networkId}`
  const { network_ip_availability: use } = (await admin('GET', path)).body
  expect(use).toMatchObject({ network_name: 'net', used_ips: 2 })
  expect(use.subnet_ip_availability).toMatchObject([
    { cidr: '10.0.0.0/24', ip_version: 4, used_ips: 1, total_ips: 10 },
    { cidr: 'fd00::/64', ip_version: 6, used_ips: 1 },
  ])
  expect(use.total_ips).toBeGreaterThan(2 ** 63)
})

it('is asked of some networks, and of one version', async () => {
  const list = async (query: string, by = admin) =>
    (await by('GET', `/network-ip-availabilities?${query}`)).body.network_ip_availabilities
  expect((await list('')).map((use: Record<string, unknown>) => use['network_name'])).toEqual(['net', 'empty'])
  expect(await list('ip_version=4')).toMatchObject([{ network_name: 'net', used_ips: 1, total_ips: 10 }])
  expect(await list('network_name=empty')).toMatchObject([{ used_ips: 0, total_ips: 0, subnet_ip_availability: [] }])
  expect(await list('', demo)).toEqual([])
  expect(await demo('GET', `/network-ip-availabilities/${networkId}`)).toMatchObject({ status: 404, type: 'NetworkNotFound' })
})
