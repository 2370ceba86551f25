import { systemRandom } from '@nubo/kernel'
import { describe, expect, it } from '@jest/globals'
import { answerTo } from './answer.js'
import { metadataOf, type Subject } from './guest-metadata.js'

const configDrive = {
  metaData: {
    uuid: '0b5c1f2e-1111-4222-8333-444455556666',
    name: 'Web 1',
    hostname: 'web-1',
    project_id: 'p1',
    availability_zone: 'nova',
    launch_index: 2,
    devices: [],
    dedicated_cpus: [],
    meta: { role: 'as it was made' },
    admin_pass: 'a-secret',
    public_keys: { mine: 'ssh-ed25519 AAAA me' },
    keys: [{ name: 'mine', type: 'ssh', data: 'ssh-ed25519 AAAA me' }],
  },
  networkData: { links: [{ id: 'tap1' }], networks: [], services: [] },
  userData: Buffer.from([0x23, 0x21, 0xff, 0x0a]).toString('base64'),
}

const subject: Subject = {
  ...metadataOf(configDrive, { flavorName: 'm1.small', imageId: '77777777-0000-4000-8000-000000000000' }),
  serverMetadata: { role: 'now' },
  localIpv4: '10.0.0.5',
  publicIpv4: '192.0.2.50',
  securityGroups: ['web', 'default'],
}

function get(path: string, of: Subject = subject): string | undefined {
  const answer = answerTo(path, of, systemRandom)
  return answer === undefined || answer === 'password' ? answer : answer.body.toString('latin1')
}
const json = (path: string) => JSON.parse(get(path)!) as Record<string, unknown>

describe("OpenStack's documents", () => {
  it.each([
    [
      '/openstack',
      '2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n2018-08-27\n2020-10-14\nlatest',
    ],
    ['/openstack/2012-08-10/', 'meta_data.json\nuser_data'],
    ['/openstack/latest', 'meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json'],
    ['/openstack/latest/vendor_data.json', '{}'],
    ['/openstack/latest/vendor_data2.json', '{"static":{}}'],
    ['/openstack//latest/../latest/user_data', '#!\u00ff\n'],
    ['/openstack/latest/password', 'password'],
    ['/openstack/2012-08-10/password', undefined],
    ['/openstack/2013-10-17/network_data.json', undefined],
    ['/openstack/2013-04-04/vendor_data.json', undefined],
    ['/openstack/1999-01-01', undefined],
    ['/openstack/latest/meta_data.json/uuid', undefined],
    ['/openstack/content/0000', undefined],
  ])('%s', (path, expected) => {
    expect(get(path)).toBe(expected)
  })

  it('say what the server is now, and never its password', () => {
    const { random_seed, ...latest } = json('/openstack/latest/meta_data.json')
    expect(Buffer.from(String(random_seed), 'base64')).toHaveLength(512)
    const { admin_pass: _, meta: __, ...made } = configDrive.metaData
    expect(latest).toEqual({ ...made, meta: { role: 'now' } })
    expect(json('/openstack/latest/network_data.json')).toEqual(configDrive.networkData)
  })

  it('have in each version what that one knew', () => {
    const since = (version: string) => Object.keys(json(`/openstack/${version}/meta_data.json`))
    expect(since('2012-08-10')).not.toContain('random_seed')
    expect(since('2013-04-04')).toContain('random_seed')
    expect(since('2013-10-17')).not.toContain('project_id')
    expect(since('2015-10-15')).toContain('project_id')
    expect(since('2016-06-30')).toContain('devices')
    expect(since('2018-08-27')).not.toContain('dedicated_cpus')
  })
})

describe("EC2's tree", () => {
  const versions = '1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\nlatest'
  const names = [
    ...['ami-id', 'ami-launch-index', 'ami-manifest-path', 'block-device-mapping/', 'hostname', 'instance-action', 'instance-id'],
    ...['instance-type', 'local-hostname', 'local-ipv4', 'placement/', 'public-hostname', 'public-ipv4', 'public-keys/'],
    ...['reservation-id', 'security-groups'],
  ]
  it.each([
    ['/ec2', versions],
    ['/latest', 'meta-data/\nuser-data'],
    ['/latest/meta-data/', names.join('\n')],
    ['/ec2/2009-04-04/meta-data/instance-id', 'i-0b5c1f2e'],
    ['/latest/meta-data/ami-id', 'ami-77777777'],
    ['/latest/meta-data/ami-launch-index', '2'],
    ['/latest/meta-data/local-ipv4', '10.0.0.5'],
    ['/latest/meta-data/public-ipv4', '192.0.2.50'],
    ['/1.0/meta-data/public-ipv4', undefined],
    ['/latest/meta-data/hostname', 'web-1'],
    ['/latest/meta-data/instance-type', 'm1.small'],
    ['/latest/meta-data/public-keys/', '0=mine'],
    ['/latest/meta-data/public-keys/0', 'openssh-key'],
    ['/latest/meta-data/public-keys/0/openssh-key', 'ssh-ed25519 AAAA me'],
    ['/latest/meta-data/placement/availability-zone', 'nova'],
    ['/latest/meta-data/block-device-mapping/root', '/dev/vda'],
    ['/latest/meta-data/security-groups', 'web\ndefault'],
    ['/2009-04-04/user-data', '#!\u00ff\n'],
    ['/1.0/meta-data/placement', undefined],
    ['/1.0/meta-data/local-hostname', undefined],
    ['/latest/meta-data/toString', undefined],
    ['/latest/meta-data/hostname/more', undefined],
    ['/1999-01-01/meta-data', undefined],
  ])('%s', (path, expected) => {
    expect(get(path)).toBe(expected)
  })

  it('has no user-data where the tenant gave none', () => {
    expect(get('/latest', { ...subject, userData: null })).toBe('meta-data/')
    expect(get('/latest/user-data', { ...subject, userData: null })).toBeUndefined()
    expect(get('/openstack/latest/user_data', { ...subject, userData: null })).toBeUndefined()
  })
})
