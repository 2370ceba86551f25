import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Cloud } from '../support/cloud.js'
import { OpenStackClient } from '../support/openstack-client.js'

const minutes = 60_000

let cloud: Cloud
let demo: OpenStackClient

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: [{ name: 'host-1', vcpus: 2, memoryMiB: 1024, diskGiB: 10 }] })
  const auth = {
    auth_url: `${cloud.apiUrl}/v3`,
    username: 'demo',
    password: cloud.passwords.demo,
    project_name: 'demo',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  }
  const cloudsFile = join(cloud.directory, 'clouds.yaml')
  await writeFile(cloudsFile, JSON.stringify({ clouds: { demo: { auth, region_name: 'RegionOne' } } }), { mode: 0o600 })
  demo = new OpenStackClient(cloudsFile, 'demo')
  await demo.run('network', 'create', 'net')
  // What is given out by chance, to DHCP too, is above the address that is asked for by name.
  const pool = ['--allocation-pool', 'start=10.44.0.128,end=10.44.0.254']
  await demo.run('subnet', 'create', '--network', 'net', '--subnet-range', '10.44.0.0/24', ...pool, 'sub')
}, 3 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

const words = (line: string) => line.split(' ')

it(
  'security groups and their rules are made, listed, changed and deleted by the real client',
  async () => {
    expect(await demo.json(...words('security group create web'))).toMatchObject({ name: 'web', stateful: true })
    expect(await demo.json(...words('security group create --stateless flat'))).toMatchObject({ stateful: false })
    const rule = (options: string) => demo.json(...words(`security group rule create web ${options}`))
    expect(await rule('--protocol tcp --dst-port 80:81 --remote-ip 10.0.0.0/8')).toMatchObject({
      port_range_min: 80,
      port_range_max: 81,
      remote_ip_prefix: '10.0.0.0/8',
    })
    expect(await rule('--protocol icmp --icmp-type 8 --egress')).toMatchObject({ direction: 'egress', protocol: 'icmp' })
    const { id } = await rule('--ethertype IPv6 --remote-group web')
    expect(await demo.json(...words('security group rule list web'))).toHaveLength(5)
    const twice = await demo.try(...words('security group rule create web --ethertype IPv6 --remote-group web'))
    expect(twice).toMatchObject({ ok: false, errors: expect.stringContaining(`Rule id is ${String(id)}`) })
    await demo.run(...words(`security group rule delete ${String(id)}`))
    await demo.run(...words('security group set --name www web'))
    expect(await demo.json(...words('security group show www'))).toMatchObject({
      name: 'www',
      revision_number: expect.any(Number),
    })
    expect(await demo.try(...words('security group delete default'))).toMatchObject({
      ok: false,
      errors: expect.stringContaining('Insufficient rights for removing default security group'),
    })
    await demo.run(...words('security group delete www flat'))
    expect(await demo.json(...words('security group list'))).toMatchObject([{ Name: 'default' }])
  },
  4 * minutes,
)

it(
  'ports are made, listed, set, unset and deleted by the real client',
  async () => {
    const options = '--fixed-ip subnet=sub,ip-address=10.44.0.77 --allowed-address ip-address=10.45.0.0/24 --tag red'
    const made = await demo.json(...words(`port create --network net ${options} --extra-dhcp-option name=mtu,value=1400 one`))
    expect(made).toMatchObject({
      name: 'one',
      status: 'DOWN',
      fixed_ips: [{ ip_address: '10.44.0.77' }],
      allowed_address_pairs: [{ ip_address: '10.45.0.0/24', mac_address: made['mac_address'] }],
      extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }],
      security_group_ids: [expect.any(String)],
      tags: ['red'],
    })
    await demo.run(...words('port set --name two --disable --fixed-ip subnet=sub one'))
    expect(await demo.json(...words('port show two'))).toMatchObject({
      admin_state_up: false,
      fixed_ips: [{ ip_address: '10.44.0.77' }, { ip_address: expect.stringMatching(/^10\.44\.0\.\d+$/) }],
    })
    await demo.run(...words('port unset --fixed-ip subnet=sub,ip-address=10.44.0.77 two'))
    await demo.run(...words('port set --no-allowed-address --no-security-group --disable-port-security two'))
    expect(await demo.json(...words('port show two'))).toMatchObject({
      fixed_ips: [{ ip_address: expect.stringMatching(/^10\.44\.0\.\d+$/) }],
      allowed_address_pairs: [],
      security_group_ids: [],
      port_security_enabled: false,
    })
    expect(await demo.json(...words('port list --fixed-ip subnet=sub --tags red'))).toMatchObject([{ Name: 'two' }])
    await demo.run(...words('port delete two'))
    expect(await demo.json(...words('port list --tags red'))).toEqual([])
  },
  4 * minutes,
)
