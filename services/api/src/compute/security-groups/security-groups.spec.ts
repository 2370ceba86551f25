import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { newId, systemRandom } from '@nubo/kernel'
import { computeRequests } from '../../testing/compute-requests.js'
import { networkRequests } from '../../testing/network-requests.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let demo: ReturnType<typeof computeRequests>
let network: ReturnType<typeof networkRequests>

beforeAll(async () => {
  api = await TestApi.start()
  demo = computeRequests(api, await api.demo())
  network = networkRequests(api, await api.demo())
})
afterAll(() => api?.stop())

const get = (path: string, version = '2.35') => demo('GET', `/os-security-groups${path}`, { version })

it('are shown to clients of before 2.36, with what may come in', async () => {
  const { id } = (await network('POST', '/security-groups', { security_group: { name: 'web' } })).body.security_group
  const rules: Record<string, unknown>[] = [
    { protocol: 'tcp', port_range_min: 80, port_range_max: 81, remote_ip_prefix: '10.0.0.0/8' },
    { protocol: 'udp', remote_group_id: id },
    { protocol: 'icmp' },
    { ethertype: 'IPv6' },
  ]
  for (const rule of rules)
    await network('POST', '/security-group-rules', {
      security_group_rule: { security_group_id: id, direction: 'ingress', ...rule },
    })
  const { security_group: shown } = (await get(`/${id}`)).body
  expect(shown).toMatchObject({ id, name: 'web', description: '' })
  const told = (rule: Record<string, unknown>) => [
    rule['ip_protocol'],
    rule['from_port'],
    rule['to_port'],
    rule['ip_range'],
    rule['group'],
  ]
  expect(shown.rules.map(told)).toEqual([
    ['tcp', 80, 81, { cidr: '10.0.0.0/8' }, {}],
    ['udp', 1, 65_535, {}, { name: 'web', tenant_id: shown.tenant_id }],
    ['icmp', -1, -1, { cidr: '0.0.0.0/0' }, {}],
    [null, null, null, { cidr: '::/0' }, {}],
  ])
  const { security_groups: listed } = (await get('')).body
  expect(listed.map(({ name }: { name: string }) => name)).toEqual(['default', 'web'])
  expect(listed[1]).toEqual(shown)
})

it('are not there for others, nor from 2.36 on', async () => {
  expect(await get(`/${newId(systemRandom)}`)).toMatchObject({ status: 404 })
  expect(await get('/web')).toMatchObject({ status: 404 })
  expect(await get('', '2.36')).toMatchObject({ status: 404 })
})
