import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { newId, systemRandom } from '@nubo/kernel'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let demoProject: string

beforeAll(async () => {
  ;({ api, admin, demo, demoProject } = await startNetworkApi())
})
beforeEach(() =>
  api.database.execute('TRUNCATE networks, security_groups, network_changes, project_quotas RESTART IDENTITY CASCADE'),
)
afterAll(() => api?.stop())

const makeGroup = async (name = 'web', by = demo) =>
  (await by('POST', '/security-groups', { security_group: { name } })).body.security_group
const tryRule = (rule: Record<string, unknown>, by = demo) => by('POST', '/security-group-rules', { security_group_rule: rule })
const makeRule = async (rule: Record<string, unknown>, by = demo) => (await tryRule(rule, by)).body.security_group_rule
const groupsOf = async (by = demo) => (await by('GET', '/security-groups?sort_key=name&sort_dir=asc')).body.security_groups
const defaultGroup = async () => (await groupsOf()).find(({ name }: { name: string }) => name === 'default')
const show = async (id: string) => (await demo('GET', `/security-groups/${id}`)).body.security_group
const changes = async () =>
  (
    await api.database.query<{ id: string }>(`DELETE FROM network_changes WHERE subject = 'group' RETURNING subject_id AS id`)
  ).map(({ id }) => id)

async function usage(): Promise<{ groups: number; rules: number }> {
  const [row] = await api.database.query<{ groups: number; rules: number }>(
    `SELECT used_security_groups AS groups, used_security_group_rules AS rules FROM project_quotas WHERE project_id = $1`,
    [demoProject],
  )
  return row!
}

/** Puts a port into the group, and returns its id. */
async function usePort(groupId: string): Promise<string> {
  const [network, port] = [newId(systemRandom), newId(systemRandom)]
  await api.database.execute(`INSERT INTO networks (id, project_id, mtu) VALUES ($1, 'p', 1450)`, [network])
  await api.database.execute(`INSERT INTO ports (id, network_id, project_id, mac) VALUES ($1, $2, 'p', 'm')`, [port, network])
  await api.database.execute('INSERT INTO port_security_groups (port_id, group_id) VALUES ($1, $2)', [port, groupId])
  return port
}

describe('a security group', () => {
  it('is made with rules that let everything out, shown, changed and deleted', async () => {
    const made = await demo('POST', '/security-groups', { security_group: { name: 'web', description: 'for web' } })
    const group = made.body.security_group
    const rule = (ethertype: string) => ({
      id: expect.any(String),
      tenant_id: demoProject,
      project_id: demoProject,
      description: '',
      security_group_id: group.id,
      direction: 'egress',
      ethertype,
      protocol: null,
      port_range_min: null,
      port_range_max: null,
      remote_ip_prefix: null,
      remote_group_id: null,
      remote_address_group_id: null,
      normalized_cidr: null,
      belongs_to_default_sg: false,
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    })
    expect(made.status).toBe(201)
    expect(group).toEqual({
      id: expect.any(String),
      name: 'web',
      description: 'for web',
      tenant_id: demoProject,
      project_id: demoProject,
      stateful: true,
      shared: false,
      tags: [],
      revision_number: 1,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      security_group_rules: expect.arrayContaining([rule('IPv4'), rule('IPv6')]),
    })
    expect(await show(group.id)).toEqual(group)
    const changed = await demo('PUT', `/security-groups/${group.id}`, { security_group: { name: 'www', stateful: false } })
    expect(changed.body.security_group).toMatchObject({ name: 'www', stateful: false, revision_number: 2 })
    expect((await demo('DELETE', `/security-groups/${group.id}`)).status).toBe(204)
    expect(await demo('GET', `/security-groups/${group.id}`)).toMatchObject({
      status: 404,
      type: 'SecurityGroupNotFound',
      message: `Security group ${group.id} does not exist`,
    })
    expect(await usage()).toEqual({ groups: 1, rules: 4 })
  })

  it('is not deleted, nor made stateless, while a port is in it', async () => {
    const { id } = await makeGroup()
    const port = await usePort(id)
    const inUse = { status: 409, type: 'SecurityGroupInUse', message: `Security Group ${id} in use.` }
    expect(await demo('DELETE', `/security-groups/${id}`)).toMatchObject(inUse)
    expect(await demo('PUT', `/security-groups/${id}`, { security_group: { stateful: false } })).toMatchObject(inUse)
    await api.database.execute('DELETE FROM ports WHERE id = $1', [port])
    expect((await demo('DELETE', `/security-groups/${id}`)).status).toBe(204)
  })

  it('takes with it the rules of others that name it, whose hosts hear of it', async () => {
    const [named, other] = [await makeGroup('named'), await makeGroup('other')]
    await makeRule({ security_group_id: other.id, direction: 'ingress', remote_group_id: named.id })
    await changes()
    expect(await usage()).toEqual({ groups: 3, rules: 4 + 2 + 2 + 1 })
    expect((await demo('DELETE', `/security-groups/${named.id}`)).status).toBe(204)
    expect((await show(other.id)).security_group_rules).toHaveLength(2)
    expect(await changes()).toEqual([other.id])
    expect(await usage()).toEqual({ groups: 2, rules: 4 + 2 })
  })

  it('is another project’s alone', async () => {
    const { id } = await makeGroup('secret', admin)
    expect((await demo('GET', `/security-groups/${id}`)).status).toBe(404)
    expect((await demo('DELETE', `/security-groups/${id}`)).status).toBe(404)
    expect(await tryRule({ security_group_id: id, direction: 'ingress' })).toMatchObject({
      status: 404,
      type: 'SecurityGroupNotFound',
    })
    const { id: own } = await makeGroup()
    const rule = { security_group_id: own, direction: 'ingress', remote_group_id: id }
    expect(await tryRule(rule)).toMatchObject({ status: 404, type: 'SecurityGroupNotFound' })
    expect((await groupsOf()).map(({ name }: { name: string }) => name)).toEqual(['default', 'web'])
  })

  it('takes quota, which is exact', async () => {
    await api.database.execute(`INSERT INTO project_quotas (project_id, limits) VALUES ($1, '{"security_group": 4}')`, [
      demoProject,
    ])
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => demo('POST', '/security-groups', { security_group: { name: 'g' } })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409, 409, 409])
    expect(answers.find(({ status }) => status === 409)).toMatchObject({ type: 'OverQuota' })
    expect(await usage()).toEqual({ groups: 4, rules: 10 })
  })
})

describe('the default group', () => {
  it('is there for whoever looks, once, as Neutron makes it', async () => {
    await Promise.all(Array.from({ length: 5 }, () => groupsOf()))
    const groups = await groupsOf()
    expect(groups).toHaveLength(1)
    const [{ id, name, description, security_group_rules: rules }] = groups
    expect([name, description]).toEqual(['default', 'Default security group'])
    const brief = rules.map((rule: Record<string, unknown>) => [rule['direction'], rule['ethertype'], rule['remote_group_id']])
    expect(brief).toHaveLength(4)
    expect(brief).toEqual(
      expect.arrayContaining([
        ['egress', 'IPv4', null],
        ['egress', 'IPv6', null],
        ['ingress', 'IPv4', id],
        ['ingress', 'IPv6', id],
      ]),
    )
    expect(await usage()).toEqual({ groups: 1, rules: 4 })
  })

  it('keeps its name, and nobody else gets it', async () => {
    const { id } = await defaultGroup()
    const taken = { status: 409, type: 'SecurityGroupDefaultAlreadyExists' }
    for (const name of ['default', 'Default'])
      expect(await demo('POST', '/security-groups', { security_group: { name } })).toMatchObject(taken)
    expect(
      await demo('PUT', `/security-groups/${(await makeGroup()).id}`, { security_group: { name: 'default' } }),
    ).toMatchObject(taken)
    expect(await demo('PUT', `/security-groups/${id}`, { security_group: { name: 'mine' } })).toMatchObject({
      status: 409,
      type: 'SecurityGroupCannotUpdateDefault',
    })
    expect((await demo('PUT', `/security-groups/${id}`, { security_group: { description: 'ours' } })).status).toBe(200)
  })

  it('is removed by administrators alone, and comes back', async () => {
    const { id } = await defaultGroup()
    expect(await demo('DELETE', `/security-groups/${id}`)).toMatchObject({
      status: 409,
      type: 'SecurityGroupCannotRemoveDefault',
    })
    expect((await admin('DELETE', `/security-groups/${id}`)).status).toBe(204)
    expect((await defaultGroup()).id).not.toBe(id)
    expect(await usage()).toEqual({ groups: 1, rules: 4 })
  })
})

describe('a rule', () => {
  it('is made, shown and deleted; its group’s revision rises and its hosts hear of it', async () => {
    const { id } = await makeGroup()
    const rule = { security_group_id: id, direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22 }
    const made = await tryRule({ ...rule, remote_ip_prefix: '10.1.2.3/24', description: 'ssh' })
    expect(made).toMatchObject({
      status: 201,
      body: {
        security_group_rule: {
          ...rule,
          ethertype: 'IPv4',
          remote_ip_prefix: '10.1.2.3/24',
          normalized_cidr: '10.1.2.0/24',
          description: 'ssh',
          project_id: demoProject,
        },
      },
    })
    const { id: ruleId } = made.body.security_group_rule
    expect(await changes()).toEqual([id])
    const group = await show(id)
    expect(group.revision_number).toBe(2)
    expect(group.security_group_rules).toContainEqual(made.body.security_group_rule)
    expect((await demo('GET', `/security-group-rules/${ruleId}`)).body).toEqual(made.body)
    const byCidr = await demo('GET', '/security-group-rules?normalized_cidr=10.1.2.0/24')
    expect(byCidr.body.security_group_rules).toEqual([made.body.security_group_rule])
    const found = await demo('GET', `/security-group-rules?security_group_id=${id}&protocol=tcp&fields=id`)
    expect(found.body.security_group_rules).toEqual([{ id: ruleId }])
    expect((await demo('DELETE', `/security-group-rules/${ruleId}`)).status).toBe(204)
    expect(await changes()).toEqual([id])
    expect(await demo('DELETE', `/security-group-rules/${ruleId}`)).toMatchObject({
      status: 404,
      type: 'SecurityGroupRuleNotFound',
    })
    expect(await usage()).toEqual({ groups: 2, rules: 6 })
  })

  it('is refused where it is none', async () => {
    const { id } = await makeGroup()
    const rule = { security_group_id: id, direction: 'ingress' }
    const refused = async (more: Record<string, unknown>) => {
      const { status, type } = await tryRule({ ...rule, ...more })
      return [status, type]
    }
    expect(await refused({ protocol: 'bad' })).toEqual([400, 'SecurityGroupRuleInvalidProtocol'])
    expect(await refused({ ethertype: 'bad' })).toEqual([400, 'SecurityGroupRuleInvalidEtherType'])
    expect(await refused({ protocol: 'tcp', port_range_min: 80, port_range_max: 79 })).toEqual([
      400,
      'SecurityGroupInvalidPortRange',
    ])
    expect(await refused({ remote_ip_prefix: '10.0.0.0/08' })).toEqual([400, 'InvalidCIDR'])
    expect(await refused({ direction: 'sideways' })).toEqual([400, 'HTTPBadRequest'])
    expect(await refused({ remote_group_id: 'nonsense' })).toEqual([404, 'SecurityGroupNotFound'])
    expect(await refused({ security_group_id: 'nonsense' })).toEqual([404, 'SecurityGroupNotFound'])
    expect(await refused({ remote_group_id: newId(systemRandom) })).toEqual([404, 'SecurityGroupNotFound'])
    expect(await refused({ security_group_id: newId(systemRandom) })).toEqual([404, 'SecurityGroupNotFound'])
    expect(await tryRule({ direction: 'ingress' })).toMatchObject({
      status: 400,
      message: "Failed to parse request. Required attribute 'security_group_id' not specified",
    })
  })

  it('is not made twice, whatever its words, and however many requests race', async () => {
    const { id } = await makeGroup()
    const rule = { security_group_id: id, direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 80 }
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => tryRule({ ...rule, protocol: n % 2 ? 'tcp' : '6' })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409])
    const { body } = answers.find(({ status }) => status === 201)!
    expect(answers.find(({ status }) => status === 409)).toMatchObject({
      type: 'SecurityGroupRuleExists',
      message: `Security group rule already exists. Rule id is ${body.security_group_rule.id}.`,
    })
    const twice = {
      security_group_rules: [
        { ...rule, port_range_min: 1 },
        { ...rule, port_range_min: '1' },
      ],
    }
    expect(await demo('POST', '/security-group-rules', twice)).toMatchObject({
      status: 409,
      type: 'DuplicateSecurityGroupRuleInPost',
    })
  })

  it('may be made with others, of one group, all or none', async () => {
    const [group, other] = [await makeGroup(), await makeGroup('other')]
    const rule = (port: number, more: Record<string, unknown> = {}) => ({
      ...{ security_group_id: group.id, direction: 'ingress', protocol: 'udp', port_range_min: port, port_range_max: port },
      ...more,
    })
    const bulk = (...rules: unknown[]) => demo('POST', '/security-group-rules', { security_group_rules: rules })
    expect(await bulk(rule(1), rule(2, { security_group_id: other.id }))).toMatchObject({
      status: 400,
      type: 'SecurityGroupNotSingleGroupRules',
    })
    expect((await bulk(rule(1), rule(-1))).status).toBe(400)
    expect((await show(group.id)).security_group_rules).toHaveLength(2)
    const made = await bulk(rule(1), rule(2))
    expect([made.status, made.body.security_group_rules.map((each: Record<string, unknown>) => each['port_range_min'])]).toEqual([
      201,
      [1, 2],
    ])
  })

  it('that an administrator put into a project’s group is taken out by that project', async () => {
    const { id } = await makeGroup()
    const rule = await makeRule({ security_group_id: id, direction: 'ingress', protocol: 'icmp' }, admin)
    expect(rule.project_id).not.toBe(demoProject)
    expect((await demo('GET', `/security-group-rules/${rule.id}`)).status).toBe(200)
    expect((await demo('DELETE', `/security-group-rules/${rule.id}`)).status).toBe(204)
  })

  it('takes quota, which is exact', async () => {
    const { id } = await makeGroup()
    await api.database.execute(`UPDATE project_quotas SET limits = '{"security_group_rule": 9}' WHERE project_id = $1`, [
      demoProject,
    ])
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => tryRule({ security_group_id: id, direction: 'ingress', protocol: String(100 + n) })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    expect(await usage()).toEqual({ groups: 2, rules: 9 })
  })
})

it('groups and rules come and go side by side without standing in each other’s way', async () => {
  const work = Array.from({ length: 6 }, async (_, n) => {
    const group = await makeGroup(`g${n}`)
    const rules = await Promise.all(
      [1, 2, 3].map((port) =>
        makeRule({
          security_group_id: group.id,
          direction: 'ingress',
          protocol: 'tcp',
          port_range_min: port,
          port_range_max: port,
        }),
      ),
    )
    const gone = await Promise.all([
      demo('DELETE', `/security-group-rules/${rules[0].id}`),
      demo('DELETE', `/security-groups/${group.id}`),
    ])
    return gone.map(({ status }) => status)
  })
  for (const statuses of await Promise.all(work)) {
    expect(statuses[1]).toBe(204)
    expect([204, 404]).toContain(statuses[0])
  }
  expect(await usage()).toEqual({ groups: 1, rules: 4 })
})
