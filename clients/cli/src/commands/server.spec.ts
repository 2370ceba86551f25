import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import { added } from './console.js'

stopCloudsAfterEach()

const create = 'server create web --image debian --flavor small'

describe('server list', () => {
  it('follows pages to the end, though their links lead nowhere', async () => {
    const { cloud, nubo } = await aCloud({ pageSize: 3 })
    for (let number = 0; number < 10; number += 1) cloud.addServer({ name: `s${number}` })
    const outcome = await nubo('server list --json')
    expect(outcome.json().map(({ name }: { name: string }) => name)).toEqual(cloud.servers.map(({ name }) => name))
    expect(cloud.sent('GET', /servers\/detail/)).toHaveLength(4)
  })

  it('stops at --limit', async () => {
    const { cloud, nubo } = await aCloud({ pageSize: 3 })
    for (let number = 0; number < 10; number += 1) cloud.addServer({ name: `s${number}` })
    expect((await nubo('server list --limit 4 --quiet')).stdout.trim().split('\n')).toEqual(
      cloud.servers.slice(0, 4).map(({ id }) => id),
    )
    expect(cloud.sent('GET', /servers\/detail/)).toHaveLength(2)
  })

  it('notices a list that goes in circles', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer()
    cloud.on('GET', /servers\/detail/, () => ({
      body: { servers: [server], servers_links: [{ rel: 'next', href: 'http://x/servers/detail?marker=m' }] },
    }))
    expect(await nubo('server list')).toMatchObject({ code: 1, stderr: expect.stringContaining('never ends') })
  })

  it('is a table with the names of images and flavors for people, and stable JSON for programs', async () => {
    const { cloud, nubo } = await aCloud()
    const image = cloud.addImage({ name: 'debian-12' })
    const server = cloud.addServer({ image: { id: image.id }, addresses: { private: [{ addr: '10.0.0.5', version: 4 }] } })
    expect((await nubo('server list')).stdout).toBe(
      [
        'ID                                    NAME  STATUS  ADDRESSES         IMAGE      FLAVOR',
        `${server.id}  web   ACTIVE  private=10.0.0.5  debian-12  small`,
        '',
      ].join('\n'),
    )
    const [json] = (await nubo('server list --json')).json()
    expect(json).toMatchObject({
      id: server.id,
      status: 'ACTIVE',
      task_state: null,
      addresses: { private: ['10.0.0.5'] },
      image: { id: image.id, name: 'debian-12' },
      flavor: { id: null, name: 'small', vcpus: 2, ram_mib: 512, disk_gib: 5 },
      config_drive: false,
      fault: null,
    })
    expect((await nubo('server list --columns name,image')).stdout).toBe('NAME  IMAGE\nweb   debian-12\n')
  })

  it('says so when there are none, and when a column does not exist', async () => {
    const { nubo } = await aCloud()
    expect(await nubo('server list')).toMatchObject({ code: 0, stdout: '', stderr: 'No servers.\n' })
    expect((await nubo('server list --json')).stdout).toBe('[]\n')
    expect(await nubo('server list --columns nmae')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no column 'nmae': there are id, name"),
    })
  })

  it('colours on a terminal, unless NO_COLOR says otherwise', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addServer({ status: 'ERROR' })
    const escape = '\u001b[31mERROR'
    expect((await nubo('server list', { terminal: true, columns: 120 })).stdout).toContain(escape)
    expect((await nubo('server list', { terminal: true, columns: 120, environment: { NO_COLOR: '1' } })).stdout).not.toContain(
      '\u001b',
    )
    expect((await nubo('server list')).stdout).not.toContain('\u001b')
  })

  it('does not let a name command the terminal', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addServer({ name: 'evil\u001b]0;owned\u0007' })
    expect((await nubo('server list', { terminal: true, columns: 200 })).stdout).toContain('evil\\x1b]0;owned\\x07')
  })
})

describe('names', () => {
  it('finds by id and by exact name, and not by a part of one', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ name: 'web' })
    cloud.addServer({ name: 'web-2' })
    expect((await nubo('server show web --quiet')).stdout).toBe(`${server.id}\n`)
    expect((await nubo(`server show ${server.id} --quiet`)).stdout).toBe(`${server.id}\n`)
    expect(await nubo('server show we')).toMatchObject({ code: 3, stderr: "nubo: There is no server 'we'\n" })
  })

  it('finds a name that would mean something else as a regular expression', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ name: 'c++ (old)' })
    expect((await nubo(['server', 'show', 'c++ (old)', '--quiet'])).stdout).toBe(`${server.id}\n`)
  })

  it('lists the candidates of an ambiguous name and guesses none', async () => {
    const { cloud, nubo } = await aCloud()
    const ids = [cloud.addServer().id, cloud.addServer().id]
    expect(await nubo('server delete web')).toMatchObject({
      code: 2,
      stderr: `nubo: 2 servers are named 'web', use an id: ${ids.join(', ')}\n`,
    })
    expect(cloud.sent('DELETE', /./)).toEqual([])
  })
})

describe('server create', () => {
  it('asks for what was said and prints the server', async () => {
    const { cloud, nubo } = await aCloud()
    const image = cloud.addImage()
    const outcome = await nubo(
      `${create} --key-name me --property role=a=b --property x=y --tag t --description d --config-drive`,
    )
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(cloud.servers[0]!.id) })
    const [request] = cloud.sent('POST', /servers$/)
    expect(request!.json()).toEqual({
      server: {
        name: 'web',
        imageRef: image.id,
        flavorRef: '2',
        key_name: 'me',
        metadata: { role: 'a=b', x: 'y' },
        tags: ['t'],
        description: 'd',
        config_drive: true,
        networks: 'auto',
      },
    })
  })

  it('leaves networks out where the cloud does not know of auto, and refuses none there', async () => {
    const { cloud, nubo } = await aCloud({ computeMaximum: '2.36' })
    cloud.addImage()
    expect((await nubo(create)).code).toBe(0)
    expect(cloud.sent('POST', /servers$/)[0]!.json().server).not.toHaveProperty('networks')
    expect(await nubo(`${create} --network none`)).toMatchObject({
      code: 2,
      stderr: 'nubo: --network none needs compute API 2.37; 2.36 is in use with this cloud\n',
    })
  })

  it('passes networks on by id where there is no network service, and says so of names', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    const id = '6b29fc40-ca47-4067-b31d-00dd010662da'
    expect((await nubo(`${create} --network ${id}`)).code).toBe(0)
    expect(cloud.sent('POST', /servers$/)[0]!.json().server.networks).toEqual([{ uuid: id }])
    expect(await nubo(`${create} --network private`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no network service'),
    })
    expect(await nubo(`${create} --network none --network auto`)).toMatchObject({ code: 2 })
  })

  it('asks for several under one reservation, and lists them in order', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    cloud.addServer({ name: 'another' })
    const outcome = await nubo(`${create} --max 12 --wait --json`)
    expect(outcome.json().map(({ name, status }: { name: string; status: string }) => `${name} ${status}`)).toEqual(
      Array.from({ length: 12 }, (_, index) => `web-${index + 1} ACTIVE`),
    )
    expect(cloud.sent('POST', /servers$/)[0]!.json().server).toMatchObject({
      min_count: 1,
      max_count: 12,
      return_reservation_id: true,
    })
    expect(cloud.sent('GET', /reservation_id=r-abc/)).toHaveLength(1)
    expect(outcome.stderr).toContain('12 servers: 12 ACTIVE')
  })

  it('sends once, and says how to repeat it when the answer is lost', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    cloud.on('POST', /servers$/, () => 'hang up')
    const outcome = await nubo(create)
    const [request, ...others] = cloud.sent('POST', /servers$/)
    expect(others).toEqual([])
    expect(outcome.code).toBe(6)
    expect(outcome.stderr).toContain('whether it was carried out is not known')
    expect(outcome.stderr).toContain('the cloud may have made it all the same')
    expect(request).toBeDefined()
  })

  it('refuses what cannot be, before anything is asked of the cloud', async () => {
    const { cloud, nubo } = await aCloud()
    expect(await nubo(`${create} --min 3 --max 2`)).toMatchObject({ code: 2, stderr: 'nubo: --min 3 is more than --max 2\n' })
    expect(await nubo(`${create} --user-data /dev/null/missing`)).toMatchObject({
      code: 2,
      stderr: 'nubo: Cannot read the user data /dev/null/missing: a part of the path is not a folder\n',
    })
    expect(await nubo(`${create} --property novalue`)).toMatchObject({ code: 2 })
    expect(await nubo(`${create} --max 0`)).toMatchObject({ code: 2 })
    expect(cloud.requests).toEqual([])
  })
})

describe('--wait', () => {
  it('prints a line a change where there is no terminal, and the result alone on stdout', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    const outcome = await nubo(`${create} --wait --json`)
    expect(outcome).toMatchObject({ code: 0, stderr: 'web: ACTIVE (0.0 s)\n' })
    expect(outcome.json()).toMatchObject({ status: 'ACTIVE' })
  })

  it('rewrites one line on a terminal and takes it away at the end', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ next: [{}, { 'OS-EXT-STS:task_state': 'powering-off' }, { status: 'SHUTOFF' }] })
    const { stderr } = await nubo(`server stop ${server.id} --wait`, { terminal: true })
    expect(stderr).toContain('\r\u001b[2K/ web: ACTIVE (powering-off)  0.0 s')
    expect(stderr.endsWith(`\r\u001b[2Kstopped web (${server.id})\n`)).toBe(true)
    expect(stderr.replace(/stopped.*/s, '')).not.toContain('\n')
  })

  it('fails with the fault of a server that becomes ERROR, and prints it all the same', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    const fault = { code: 500, message: 'No valid host was found. 2 hosts refused: memory.', created: '2026-11-23T12:00:00Z' }
    cloud.on('POST', /servers$/, () => ({
      status: 202,
      body: { server: { id: cloud.addServer({ status: 'BUILD', next: [{ status: 'BUILD' }, { status: 'ERROR', fault }] }).id } },
    }))
    const outcome = await nubo(`${create} --wait --json`)
    expect(outcome.code).toBe(1)
    expect(outcome.json()).toMatchObject({ status: 'ERROR', fault: { message: fault.message } })
    expect(JSON.parse(outcome.stderr.trim().split('\n').at(-1)!)).toEqual({
      error: {
        message: `The server web (${cloud.servers[0]!.id}) is ERROR: ${fault.message}`,
        exit_code: 1,
        http_status: null,
        request_id: null,
      },
    })
  })

  it('says 5 when it takes too long, and that the cloud goes on', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ next: [{ 'OS-EXT-STS:task_state': 'powering-off' }] })
    expect(await nubo(`server stop ${server.id} --wait --timeout 30`)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(
        `Not SHUTOFF after 30.0 s: web (${server.id}) is ACTIVE. The cloud goes on with it; look with: nubo server show ${server.id}\n`,
      ),
    })
  })

  it('says on Ctrl-C what goes on', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ next: [{ 'OS-EXT-STS:task_state': 'powering-off' }] })
    const outcome = await nubo(`server stop ${server.id} --wait`, {
      beforeSleep: (count, interrupt) => count === 3 && interrupt(),
    })
    expect(outcome).toMatchObject({
      code: 130,
      stderr: expect.stringContaining(`Stopped waiting: web (${server.id}) is ACTIVE. The cloud goes on with it`),
    })
  })

  it('waits on through a cloud that fails for a while, and not through one that refuses', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ next: [{ status: 'SHUTOFF' }] })
    const answers = [503, 429, 500]
    cloud.on('GET', /servers\/[0-9a-f-]+$/, () => {
      const status = cloud.sent('POST', /action/).length === 0 ? undefined : answers.shift()
      return status
        ? { status, body: { computeFault: { code: status, message: 'Tired.' } } }
        : { body: { server: { ...server, status: 'SHUTOFF' } } }
    })
    const outcome = await nubo(`server stop ${server.id} --wait`)
    expect(outcome).toMatchObject({ code: 0, stderr: expect.stringContaining('Tired.; still trying') })
    cloud.on('GET', /servers\/[0-9a-f-]+$/, () =>
      cloud.sent('POST', /action/).length < 2 ? { body: { server } } : { status: 403, body: { forbidden: { message: 'No.' } } },
    )
    expect(await nubo(`server stop ${server.id} --wait`)).toMatchObject({ code: 4 })
  })

  it('is done with a deleted server when it is gone', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ next: [{}, { 'OS-EXT-STS:task_state': 'deleting' }, null] })
    expect(await nubo(`server delete ${server.id} --wait`)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`deleted web (${server.id})`),
    })
  })

  it('is over when a server vanishes that was to become ACTIVE', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({ status: 'SHUTOFF', next: [{}, { 'OS-EXT-STS:task_state': 'powering-on' }, null] })
    expect(await nubo(`server start ${server.id} --wait`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was deleted meanwhile'),
    })
  })
})

describe('actions', () => {
  it.each([
    ['start', { 'os-start': null }],
    ['stop', { 'os-stop': null }],
    ['reboot', { reboot: { type: 'SOFT' } }],
    ['reboot --hard', { reboot: { type: 'HARD' } }],
  ])('%s sends what Nova takes', async (command, body) => {
    const { cloud, nubo } = await aCloud()
    cloud.addServer()
    expect((await nubo(`server ${command} web`)).code).toBe(0)
    expect(cloud.sent('POST', /action/)[0]!.json()).toEqual(body)
  })

  it('does the others when one fails, and says which and how many', async () => {
    const { cloud, nubo } = await aCloud()
    const a = cloud.addServer({ name: 'a' })
    const b = cloud.addServer({ name: 'b' })
    const outcome = await nubo('server delete a missing b')
    expect(outcome).toMatchObject({ code: 3 })
    expect(outcome.stderr).toBe(
      `deleting a (${a.id})\nerror: There is no server 'missing'\ndeleting b (${b.id})\nnubo: 1 of 3 failed\n`,
    )
    expect(cloud.sent('DELETE', /servers/)).toHaveLength(2)
  })
})

describe('server set, unset', () => {
  it('changes name and properties', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer()
    expect((await nubo('server set web --name db --property a=1')).code).toBe(0)
    expect(cloud.sent('PUT', /servers/)[0]!.json()).toEqual({ server: { name: 'db' } })
    expect(cloud.sent('POST', /metadata/)[0]!.json()).toEqual({ metadata: { a: '1' } })
    expect((await nubo(`server unset ${server.id} --property a --property b/c`)).code).toBe(0)
    expect(cloud.sent('DELETE', /metadata/).map(({ path }) => path.split('/').at(-1))).toEqual(['a', 'b%2Fc'])
    expect(await nubo(`server set ${server.id}`)).toMatchObject({ code: 2 })
  })
})

describe('server explain', () => {
  const lines = ['Placed on host-1.', '2 hosts looked at; memory refused 1.']

  it('prints the decision in sentences, or whole as JSON', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    const server = cloud.addServer()
    const placement = { server_id: server.id, outcome: 'placed', host: 'host-1', lines, refusals: [{ rule: 'memory', hosts: 1 }] }
    cloud.on('GET', new RegExp(`^/compute/nubo/v1/servers/${server.id}/placement$`), () => ({ body: { placement } }))
    expect((await nubo('server explain web')).stdout).toBe(`${lines.join('\n')}\n`)
    expect((await nubo('server explain web --json')).json()).toEqual(placement)
  })

  it('tells a cloud that explains nothing from a server that was not placed', async () => {
    const foreign = await aCloud()
    foreign.cloud.addServer()
    expect(await foreign.nubo('server explain web')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('This cloud does not explain placements'),
    })
    const own = await aCloud({ nubo: true })
    own.cloud.addServer()
    own.cloud.on('GET', /placement$/, () => ({
      status: 404,
      body: { itemNotFound: { code: 404, message: 'No decision was made yet.' } },
    }))
    expect(await own.nubo('server explain web')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('No decision was made yet.'),
    })
  })
})

describe('console log', () => {
  it('prints the log, by both its names', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addServer()
    expect((await nubo('console log show web --lines 2')).stdout).toBe('Booting\nlogin: ')
    expect(cloud.sent('POST', /action/)[0]!.json()).toEqual({ 'os-getConsoleOutput': { length: 2 } })
    expect((await nubo('server log web')).stdout).toBe('Booting\nlogin: ')
  })

  it('follows what is added until Ctrl-C', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addServer()
    let log = 'one\n'
    cloud.on('POST', /action/, () => ({ body: { output: log } }))
    const outcome = await nubo('console log show web --follow', {
      beforeSleep: (count, interrupt) => {
        log += `line ${count}\n`
        if (count === 4) interrupt()
      },
    })
    expect(outcome).toMatchObject({ code: 0, stdout: 'one\nline 1\nline 2\nline 3\n' })
  })

  it('knows what was added to a log that lost its beginning', () => {
    const full = Array.from({ length: 2000 }, (_, index) => `line ${index}\n`).join('')
    expect(added(full, `${full.slice(500)}new\n`)).toBe('new\n')
    expect(added('', 'x')).toBe('x')
    expect(added('before a rebuild', 'fresh')).toBe('fresh')
  })
})
