import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'

let cloud: Cloud
let admin: CloudClient
let demo: CloudClient
let imageRef: string
let serverId: string
/** Every request that was answered with 500 or more. */
let bugs: string[] = []

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: [{ name: 'one', vcpus: 64, memoryMiB: 8_192, diskGiB: 100 }], logLevel: 'warn' })
  admin = await cloud.admin()
  demo = await cloud.demo()
  imageRef = await admin.uploadImage('x', 'raw', new Uint8Array(1024 * 1024))
  const made = await demo.compute<{ server: { id: string } }>('POST', '/servers', { server: { name: 'ok', ...required() } })
  serverId = made.body.server.id
})

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
})

const required = () => ({ imageRef, flavorRef: '1', networks: 'none' })

async function send(client: CloudClient, method: string, url: string, body?: unknown, headers = {}): Promise<void> {
  const answer = await client.call(method, url, body, { 'OpenStack-API-Version': 'compute 2.96', ...headers })
  if (answer.status >= 500) bugs.push(`${method} ${url} ${JSON.stringify(body)?.slice(0, 200)}: ${answer.status}`)
}

const texts = ['a\0b', '[', '*', '%', '\\', 'x'.repeat(5_000), '', ' ', '1e999', '-1', 'NaN', 'ü', '\u202e', "'; drop"]
const values = [
  ...['a\0b', 'a\ud800b', 'x'.repeat(300), 'x'.repeat(70_000), '2147483648', 1e20, -1, 1.5, 2 ** 31, Number.MAX_SAFE_INTEGER],
  ...[true, null, [], {}, [null], { a: {} }],
]

const serverQueries =
  'name status flavor image marker limit sort_key sort_dir changes-since changes-before tags not-tags key_name hostname user_id uuid vm_state task_state power_state locked metadata reservation_id project_id all_tenants deleted config_drive launch_index'.split(
    ' ',
  )
const imageQueries =
  'name status owner disk_format size_min size_max tag sort sort_key limit marker created_at visibility member_status os_hidden protected anything id'.split(
    ' ',
  )
const serverKeys =
  'name imageRef flavorRef networks metadata user_data key_name config_drive availability_zone security_groups block_device_mapping_v2 block_device_mapping min_count max_count description tags hostname adminPass accessIPv4 OS-DCF:diskConfig return_reservation_id personality trusted_image_certificates host'.split(
    ' ',
  )

it.each(texts)('no text in a query or a path makes a 500: %#', async (text) => {
  bugs = []
  const [compute, identity, image] = [`${cloud.apiUrl}/v2.1`, `${cloud.apiUrl}/v3`, `${cloud.imageUrl}/v2`]
  const quoted = encodeURIComponent(text)
  for (const name of serverQueries)
    for (const client of [demo, admin]) await send(client, 'GET', `${compute}/servers/detail?${name}=${quoted}`)
  for (const name of imageQueries) await send(demo, 'GET', `${image}/images?${name}=${quoted}`)
  for (const resource of ['servers', 'flavors', 'os-keypairs', 'os-hypervisors', 'os-services', 'os-quota-sets'])
    for (const method of ['GET', 'DELETE', 'PUT'])
      await send(admin, method, `${compute}/${resource}/${quoted || 'x'}`, method === 'PUT' ? {} : undefined)
  for (const resource of ['projects', 'users', 'roles', 'domains']) {
    await send(admin, 'GET', `${identity}/${resource}/${quoted}`)
    await send(admin, 'GET', `${identity}/${resource}?name=${quoted}&domain_id=${quoted}&enabled=${quoted}&marker=${quoted}`)
    await send(admin, 'PATCH', `${identity}/${resource}/${quoted || 'x'}`, { [resource.slice(0, -1)]: { name: text } })
  }
  expect(bugs).toEqual([])
})

it.each(values)('no value in a body makes a 500: %#', async (value) => {
  bugs = []
  const [compute, identity, image] = [`${cloud.apiUrl}/v2.1`, `${cloud.apiUrl}/v3`, `${cloud.imageUrl}/v2`]
  const server = `${compute}/servers/${serverId}`
  for (const key of serverKeys)
    await send(demo, 'POST', `${compute}/servers`, { server: { name: 'n', ...required(), [key]: value } })
  for (const body of [value, { server: value }]) await send(demo, 'POST', `${compute}/servers`, body)
  for (const key of ['name', 'description', 'hostname', 'accessIPv4'])
    await send(demo, 'PUT', server, { server: { [key]: value } })
  await send(demo, 'POST', `${server}/metadata`, { metadata: { k: value } })
  await send(demo, 'PUT', `${server}/metadata`, { metadata: value })
  for (const action of ['reboot', 'os-getConsoleOutput', 'lock', 'unlock', 'nonsense'])
    await send(demo, 'POST', `${server}/action`, { [action]: value })
  for (const key of ['name', 'ram', 'vcpus', 'disk', 'id', 'swap', 'rxtx_factor', 'os-flavor-access:is_public', 'description'])
    await send(admin, 'POST', `${compute}/flavors`, { flavor: { name: 'f', ram: 64, vcpus: 1, disk: 1, [key]: value } })
  for (const key of ['name', 'public_key', 'type', 'user_id'])
    await send(demo, 'POST', `${compute}/os-keypairs`, { keypair: { name: 'k', [key]: value } })
  for (const key of ['instances', 'cores', 'ram', 'nonsense', 'force'])
    await send(admin, 'PUT', `${compute}/os-quota-sets/x`, { quota_set: { [key]: value } })
  for (const key of ['name', 'id', 'visibility', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'protected', 'tags'])
    await send(demo, 'POST', `${image}/images`, { [key]: value })
  await send(demo, 'PATCH', `${image}/images/${imageRef}`, [{ op: 'add', path: '/a', value }], {
    'Content-Type': 'application/openstack-images-v2.1-json-patch',
  })
  for (const key of ['name', 'domain_id', 'enabled', 'description', 'password', 'default_project_id', 'id'])
    for (const resource of ['project', 'user', 'role', 'domain'])
      await send(admin, 'POST', `${identity}/${resource}s`, { [resource]: { name: 'n', [key]: value } })
  const user = { name: value, password: value, domain: value }
  for (const auth of [
    value,
    { identity: value },
    { identity: { methods: value } },
    { identity: { methods: ['password'], password: { user } } },
    { identity: { methods: ['token'], token: { id: value } } },
  ])
    await send(demo, 'POST', `${identity}/auth/tokens`, { auth })
  expect(bugs).toEqual([])
})
