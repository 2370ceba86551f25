import { describe, expect, it } from '@jest/globals'
import type { Command } from 'commander'
import { CommandContext } from '../context.js'
import { createProgram } from '../program.js'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import { projectId } from '../testing/fake-identity.js'
import { nubo as bareNubo, TestWorld } from '../testing/test-world.js'

stopCloudsAfterEach()

describe('flavors', () => {
  it('lists from small to large, and shows with properties', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.flavors.reverse()
    expect((await nubo('flavor list')).stdout).toBe(
      [
        'ID  NAME   VCPUS  RAM MIB  DISK GIB  PUBLIC',
        '1   tiny       1      128         5  yes',
        '2   small      2      512         5  yes',
        '',
      ].join('\n'),
    )
    expect((await nubo('flavor show small --json')).json()).toMatchObject({ id: '2', ram_mib: 512, properties: {} })
  })

  it('asks for extra specs apart where the microversion leaves them out, and does without where they are refused', async () => {
    const { cloud, nubo } = await aCloud({ computeMaximum: '2.50' })
    for (const flavor of cloud.flavors) delete flavor.extra_specs
    expect((await nubo('flavor show small --json')).json().properties).toBeNull()
    cloud.on('GET', /os-extra_specs$/, () => ({ body: { extra_specs: { 'hw:cpu_policy': 'shared' } } }))
    expect((await nubo('flavor show small --json')).json().properties).toEqual({ 'hw:cpu_policy': 'shared' })
  })

  it('makes one as an administrator does', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('POST', /flavors$/, (request) => ({ body: { flavor: { ...request.json().flavor, id: 'f1', extra_specs: {} } } }))
    cloud.on('POST', /flavors\/f1\/os-extra_specs$/, (request) => ({ body: request.json() }))
    expect(
      (await nubo('flavor create big --vcpus 8 --ram 16384 --disk 100 --private --property a=b --json')).json(),
    ).toMatchObject({ id: 'f1', is_public: false, properties: { a: 'b' } })
    expect(cloud.sent('POST', /flavors$/)[0]!.json().flavor).toEqual({
      name: 'big',
      id: null,
      vcpus: 8,
      ram: 16384,
      disk: 100,
      swap: 0,
      'OS-FLV-EXT-DATA:ephemeral': 0,
      'os-flavor-access:is_public': false,
    })
  })
})

describe('quotas and limits', () => {
  it('shows the own quotas, with what is used', async () => {
    const { cloud, nubo } = await aCloud()
    const quota_set = {
      id: projectId,
      instances: { in_use: 2, reserved: 0, limit: 10 },
      ram: { in_use: 256, reserved: 0, limit: -1 },
    }
    cloud.on('GET', new RegExp(`os-quota-sets/${projectId}/detail$`), () => ({ body: { quota_set } }))
    expect((await nubo('quota show')).stdout).toBe(
      ['RESOURCE   USED      LIMIT', 'instances     2         10', 'ram         256  unlimited', ''].join('\n'),
    )
    expect((await nubo('quota show demo --json')).json()).toContainEqual({
      resource: 'instances',
      used: 2,
      reserved: 0,
      limit: 10,
    })
  })

  it("finds another project by its name, and shows a new project's quotas", async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /os-quota-sets\/b{32}\/defaults$/, () => ({ body: { quota_set: { id: 'b'.repeat(32), cores: 20 } } }))
    expect((await nubo('quota show other --default')).stdout).toBe('RESOURCE  LIMIT\ncores        20\n')
    expect(await nubo('quota show nobody')).toMatchObject({ code: 3 })
  })

  it('pairs limits with what is used', async () => {
    const { cloud, nubo } = await aCloud()
    const absolute = { maxTotalInstances: 10, totalInstancesUsed: 3, maxTotalKeypairs: 100, maxServerMeta: 128 }
    cloud.on('GET', /\/limits$/, () => ({ body: { limits: { rate: [], absolute } } }))
    expect((await nubo('limits show --json')).json()).toEqual([
      { resource: 'servers', used: 3, limit: 10 },
      { resource: 'keypairs', used: null, limit: 100 },
      { resource: 'server_properties', used: null, limit: 128 },
    ])
  })
})

describe('hypervisors', () => {
  it('asks with the last microversion that says how full they are', async () => {
    const { cloud, nubo } = await aCloud()
    const hypervisor = {
      id: 'h1',
      hypervisor_hostname: 'host-1',
      hypervisor_type: 'QEMU',
      hypervisor_version: 7002000,
      state: 'up',
      status: 'enabled',
      vcpus: 8,
      vcpus_used: 3,
      memory_mb: 4096,
      memory_mb_used: 1024,
      local_gb: 100,
      local_gb_used: 10,
      running_vms: 3,
    }
    cloud.on('GET', /os-hypervisors\/detail$/, () => ({ body: { hypervisors: [hypervisor] } }))
    expect((await nubo('hypervisor list')).stdout).toBe(
      [
        'HOSTNAME  TYPE  STATE  STATUS   SERVERS  VCPUS USED            RAM USED            DISK USED',
        'host-1    QEMU  up     enabled        3      3 of 8  1.0 GiB of 4.0 GiB  10.0 GiB of 100 GiB',
        '',
      ].join('\n'),
    )
    expect(cloud.requests.at(-1)!.headers['openstack-api-version']).toBe('compute 2.87')
    expect((await nubo('hypervisor show host-1 --json')).json()).toMatchObject({ id: 'h1', vcpus: { used: 3, total: 8 } })
  })

  it('says 4 to who may not', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /os-hypervisors/, () => ({
      status: 403,
      body: { forbidden: { code: 403, message: "Policy doesn't allow it." } },
    }))
    expect((await nubo('hypervisor list')).code).toBe(4)
  })
})

describe('catalog and configuration', () => {
  it('lists services with their addresses', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('catalog list')).stdout).toMatch(new RegExp(`^nova +compute +RegionOne ${cloud.url}/compute/v2.1$`, 'm'))
    expect((await nubo('catalog show nova --json')).json().endpoints).toHaveLength(3)
  })

  it('shows the configuration without asking the cloud and without secrets', async () => {
    const { cloud, nubo } = await aCloud()
    const { stdout } = await nubo('configuration show')
    expect(stdout).toContain('password=(hidden)')
    expect(stdout).toContain('username=demo')
    expect(cloud.requests).toEqual([])
  })
})

describe('the command line', () => {
  it('prints help and version on request, and help with exit code 2 for want of a command', async () => {
    expect(await bareNubo('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Exit codes:') })
    expect(await bareNubo('server create --help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Examples:') })
    expect(await bareNubo('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect(await bareNubo('server')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Usage: nubo server') })
  })

  it('says 2 and what is wrong with what it does not understand', async () => {
    expect(await bareNubo('servre list')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("nubo: unknown command 'servre'\n(Did you mean server?)"),
    })
    expect(await bareNubo('server list --stauts X')).toMatchObject({ code: 2, stderr: expect.stringContaining('--status') })
    expect(await bareNubo('server create web --image x')).toMatchObject({ code: 2, stderr: expect.stringContaining('--flavor') })
    expect(await bareNubo('server list --json --quiet')).toMatchObject({ code: 2 })
  })

  it('takes the options for every command before and after it', async () => {
    const { nubo } = await aCloud()
    expect((await nubo('--json server list')).stdout).toBe('[]\n')
    expect((await nubo('server list --json')).stdout).toBe('[]\n')
  })

  it('describes every command, argument and option, and sends no secret through `ps`', () => {
    const visit = (command: Command): void => {
      expect([command.name(), command.description()]).not.toContain('')
      for (const option of command.options) {
        expect([option.flags, option.description]).not.toContain('')
        expect(option.long).not.toMatch(/password|secret|token$/)
      }
      command.createHelp().visibleCommands(command).forEach(visit)
    }
    visit(createProgram(new CommandContext(new TestWorld())))
  })
})
