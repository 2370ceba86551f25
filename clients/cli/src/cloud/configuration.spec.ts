import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfiguration, type Flags } from './configuration.js'

let folder: string
let home: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nubo-cli-'))
  home = join(folder, 'home')
  mkdirSync(join(home, '.config/openstack'), { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

const twoClouds = `
clouds:
  one:
    auth:
      auth_url: http://one.example/identity
      username: ann
      password: secret-in-file
      project_name: p1
      user_domain_name: Default
      project_domain_name: Default
    region_name: R1
    verify: no
  two:
    auth: { auth_url: http://two.example, username: bob, password: b, project_id: 1234 }
`

function load(environment: Record<string, string> = {}, flags: Flags = {}) {
  return loadConfiguration({ environment, currentDirectory: folder, homeDirectory: home, systemDirectory: folder }, flags)
}

function write(path: string, text: string): string {
  const full = join(folder, path)
  writeFileSync(full, text)
  return full
}

describe('which file', () => {
  it('prefers OS_CLIENT_CONFIG_FILE, then the current folder, then ~/.config/openstack', () => {
    const cloud = (name: string) => `clouds: { ${name}: { auth: { auth_url: http://${name}.example } } }`
    write('home/.config/openstack/clouds.yaml', cloud('home'))
    expect(load().cloudName).toBe('home')
    write('clouds.yaml', cloud('here'))
    expect(load().cloudName).toBe('here')
    const named = write('other.yaml', cloud('named'))
    expect(load({ OS_CLIENT_CONFIG_FILE: named }).cloudName).toBe('named')
  })

  it('goes on to the next where the named file is missing, and says so', () => {
    write('clouds.yaml', 'clouds: { here: { auth: { auth_url: http://x } } }')
    const configuration = load({ OS_CLIENT_CONFIG_FILE: join(folder, 'missing.yaml') })
    expect(configuration.cloudName).toBe('here')
    expect(configuration.warnings).toEqual([`${join(folder, 'missing.yaml')} does not exist; looking for another`])
  })

  it('expands ~ in what it is given', () => {
    write('home/mine.yaml', 'clouds: { mine: { cacert: ~/ca.pem, auth: { auth_url: http://x } } }')
    const configuration = load({ OS_CLIENT_CONFIG_FILE: '~/mine.yaml' })
    expect(configuration.cloudName).toBe('mine')
    expect(configuration.certificateAuthorityFile).toBe(join(home, 'ca.pem'))
  })

  it('reads JSON, and YAML as PyYAML does', () => {
    write('clouds.json', '{"clouds": {"j": {"auth": {"auth_url": "http://j"}}}}')
    expect(load().cloudName).toBe('j')
    write('clouds.yaml', twoClouds)
    expect(load({ OS_CLOUD: 'one' }).verify).toBe(false)
    write('clouds.yaml', 'clouds: { a: { verify: no, auth: { auth_url: http://a, username: n, password: y } } }')
    expect(load()).toMatchObject({ verify: false, auth: { username: 'n', password: 'y' } })
  })

  it('merges secure.yaml into clouds.yaml', () => {
    write('clouds.yaml', 'clouds: { a: { auth: { auth_url: http://a, username: ann } } }')
    write('secure.yaml', 'clouds: { a: { auth: { password: hush } } }')
    expect(load().auth).toMatchObject({ auth_url: 'http://a', username: 'ann', password: 'hush' })
  })

  it('takes a profile from clouds-public.yaml under the cloud itself', () => {
    write(
      'clouds-public.yaml',
      'public-clouds: { vendor: { auth: { auth_url: "https://{region_name}.vendor.example/" }, interface: internal } }',
    )
    write('clouds.yaml', 'clouds: { a: { profile: vendor, region_name: eu, auth: { username: ann } } }')
    expect(load()).toMatchObject({
      auth: { auth_url: 'https://eu.vendor.example/', username: 'ann' },
      interface: 'internal',
      regionName: 'eu',
    })
  })

  it('names file and line of broken YAML without quoting it', () => {
    write('clouds.yaml', 'clouds:\n  a:\n    auth: {password: hush\n  b: [')
    expect(() => load()).toThrow(/clouds\.yaml is not valid YAML: \w+ in line \d/)
    expect(() => load()).not.toThrow(/hush/)
  })
})

describe('which cloud', () => {
  it('is the named one, by flag before variable', () => {
    write('clouds.yaml', twoClouds)
    expect(load({ OS_CLOUD: 'two' }).cloudName).toBe('two')
    expect(load({ OS_CLOUD: 'two' }, { cloud: 'one' }).cloudName).toBe('one')
  })

  it('is the one that variables describe where none is named', () => {
    write('clouds.yaml', twoClouds)
    expect(load({ OS_AUTH_URL: 'http://env.example', OS_USERNAME: 'eve' })).toMatchObject({
      cloudName: 'envvars',
      auth: { auth_url: 'http://env.example', username: 'eve' },
    })
  })

  it('is the only one of the file where nothing else is said', () => {
    write('clouds.yaml', 'clouds: { only: { auth: { auth_url: http://x } } }')
    expect(load({ OS_COMPUTE_API_VERSION: '2.37' })).toMatchObject({ cloudName: 'only', computeMicroversion: '2.37' })
  })

  it('must be said where there are several or none, and must exist', () => {
    expect(() => load()).toThrow('No cloud is configured')
    write('clouds.yaml', twoClouds)
    expect(() => load()).toThrow('has several clouds: choose one with --os-cloud or OS_CLOUD (one, two)')
    expect(() => load({ OS_CLOUD: 'three' })).toThrow(/The cloud 'three' was not found: .*clouds.yaml has one, two/)
  })
})

describe('precedence', () => {
  it('is command line over variables over file', () => {
    write('clouds.yaml', twoClouds)
    const environment = { OS_CLOUD: 'one', OS_USERNAME: 'env', OS_PROJECT_NAME: 'env-project' }
    expect(load(environment, { username: 'flag' }).auth).toMatchObject({
      username: 'flag',
      project_name: 'env-project',
      password: 'secret-in-file',
      auth_url: 'http://one.example/identity',
    })
  })

  it('lets a higher level say a project in another way than a lower one', () => {
    write('clouds.yaml', twoClouds)
    expect(load({ OS_CLOUD: 'two' }, { project_name: 'p9' }).auth).not.toHaveProperty('project_id')
    expect(load({ OS_CLOUD: 'one' }, { system_scope: 'all' }).auth).not.toHaveProperty('project_name')
  })

  it('lets a key beside auth win over the same key in auth', () => {
    write('clouds.yaml', 'clouds: { a: { username: top, auth: { auth_url: http://x, username: nested } } }')
    expect(load().auth.username).toBe('top')
  })

  it('ignores empty variables', () => {
    write('clouds.yaml', twoClouds)
    expect(load({ OS_CLOUD: 'one', OS_USERNAME: '', OS_PROJECT_ID: '' }).auth).toMatchObject({
      username: 'ann',
      project_name: 'p1',
    })
  })
})

describe('what it all means', () => {
  it('understands old names', () => {
    write('clouds.yaml', 'clouds: { a: { auth: { auth-url: http://x, tenant_name: p }, endpoint_type: internalURL } }')
    expect(load()).toMatchObject({ auth: { auth_url: 'http://x', project_name: 'p' }, interface: 'internal' })
  })

  it("puts users and projects without a domain into 'default'", () => {
    write('clouds.yaml', 'clouds: { a: { auth: { auth_url: http://x, username: ann, project_name: p } } }')
    expect(load().auth).toMatchObject({ user_domain_id: 'default', project_domain_id: 'default' })
    expect(load({ OS_DEFAULT_DOMAIN: 'd2' }).auth).toMatchObject({ user_domain_id: 'd2' })
  })

  it('spreads a domain said once over user and project', () => {
    write('clouds.yaml', 'clouds: { a: { auth: { auth_url: http://x, username: ann, project_name: p, domain_name: D } } }')
    const { auth } = load()
    expect(auth).toMatchObject({ user_domain_name: 'D', project_domain_name: 'D' })
    expect(auth).not.toHaveProperty('domain_name')
  })

  it('keeps a domain without a project as the scope', () => {
    write('clouds.yaml', 'clouds: { a: { auth: { auth_url: http://x, username: ann, user_domain_name: U, domain_name: D } } }')
    expect(load().auth).toMatchObject({ user_domain_name: 'U', domain_name: 'D' })
  })

  it('makes text of ids that YAML takes for numbers', () => {
    write('clouds.yaml', twoClouds)
    expect(load({ OS_CLOUD: 'two' }).auth.project_id).toBe('1234')
  })

  it('infers the auth type, and refuses one it does not know', () => {
    const environment = { OS_AUTH_URL: 'http://x' }
    expect(load({ ...environment, OS_TOKEN: 't' }).authType).toBe('token')
    expect(load({ ...environment, OS_TOKEN: 't', OS_USERNAME: 'u' }).authType).toBe('password')
    expect(load({ ...environment, OS_AUTH_TYPE: 'v3applicationcredential' }).authType).toBe('v3applicationcredential')
    expect(() => load({ ...environment, OS_AUTH_TYPE: 'v3kerberos' })).toThrow("'v3kerberos' is not supported")
  })

  it('chooses among regions, with their values', () => {
    write(
      'clouds.yaml',
      'clouds: { a: { regions: [{ name: R1 }, { name: R2, values: { auth: { auth_url: http://r2 } } }], auth: { auth_url: http://x } } }',
    )
    expect(load()).toMatchObject({ regionName: 'R1', auth: { auth_url: 'http://x' } })
    expect(load({ OS_REGION_NAME: 'R2' })).toMatchObject({ regionName: 'R2', auth: { auth_url: 'http://r2' } })
    expect(() => load({}, { region_name: 'R3' })).toThrow("has no region 'R3': it has R1, R2")
  })

  it('reads the compute version, where 2 leaves it open', () => {
    const environment = { OS_AUTH_URL: 'http://x' }
    expect(load({ ...environment, OS_COMPUTE_API_VERSION: '2' }).computeMicroversion).toBeUndefined()
    expect(load({ ...environment, OS_COMPUTE_API_VERSION: '2.53' }).computeMicroversion).toBe('2.53')
    expect(() => load({ ...environment, OS_COMPUTE_API_VERSION: 'new' })).toThrow('not of the form 2.N')
  })

  it('reads overrides of addresses, and insecure', () => {
    const environment = { OS_AUTH_URL: 'http://x', OS_COMPUTE_ENDPOINT_OVERRIDE: 'http://c/v2.1', OS_INSECURE: 'true' }
    expect(load(environment)).toMatchObject({ endpointOverrides: { compute: 'http://c/v2.1' }, verify: false })
  })
})
