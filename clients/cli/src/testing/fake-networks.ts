import { randomUUID } from 'node:crypto'
import type { FakeCloud } from './fake-cloud.js'

type Item = Record<string, unknown> & { id: string }

/** What a cloud with a network service keeps, by the names of its paths. What is made is what was asked for, with an id. */
export type FakeNetworks = Record<string, Item[]>

const singular: Record<string, string> = { 'security-groups': 'security_group', 'security-group-rules': 'security_group_rule' }
const oneOf = (path: string) => singular[path] ?? path.replace(/s$/, '')
const manyOf = (path: string) => path.replaceAll('-', '_')

/** Gives a cloud that was started with `network` the five verbs of the Network API v2.0, and the actions of routers. */
export function addFakeNetworks(cloud: FakeCloud): FakeNetworks {
  const kept: FakeNetworks = {}
  const of = (path: string) => (kept[path] ??= [])
  const at = (rest: string) => new RegExp(`^/network/v2\\.0/(?<path>[a-z-]+)${rest}(?:\\?(?<query>.*))?$`)
  cloud.on('GET', at(''), (_request, { groups }) => {
    const wanted = [...new URLSearchParams(groups!['query'] ?? '')]
    const items = of(groups!['path']!).filter((item) => wanted.every(([name, value]) => String(item[name]) === value))
    return { body: { [manyOf(groups!['path']!)]: items } }
  })
  cloud.on('POST', at(''), (request, { groups }) => {
    const path = groups!['path']!
    const item = { ...blank, ...(request.json()[oneOf(path)] as Record<string, unknown>), id: randomUUID() }
    of(path).push(item)
    return { status: 201, body: { [oneOf(path)]: item } }
  })
  cloud.on('PUT', at('/(?<id>[^/?]+)'), (request, { groups }) => {
    const path = groups!['path']!
    const item = of(path).find(({ id }) => id === groups!['id'])!
    Object.assign(item, request.json()[oneOf(path)])
    return { body: { [oneOf(path)]: item } }
  })
  cloud.on('PUT', at('/(?<id>[^/?]+)/(?:add|remove)_router_interface'), () => ({ body: {} }))
  cloud.on('DELETE', at('/(?<id>[^/?]+)'), (_request, { groups }) => {
    const path = groups!['path']!
    kept[path] = of(path).filter(({ id }) => id !== groups!['id'])
    return { status: 204 }
  })
  return kept
}

/** What every kind shows, whatever was asked for. */
const blank = {
  status: 'ACTIVE',
  subnets: [],
  allocation_pools: [],
  host_routes: [],
  fixed_ips: [],
  security_group_rules: [],
  port_range_min: null,
  port_range_max: null,
  external_gateway_info: null,
}
