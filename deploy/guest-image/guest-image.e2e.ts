import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../src/process/ports.js'
import { QemuGuest } from './testing/qemu-guest.js'

const run = promisify(execFile)
const here = import.meta.dirname
/** Kept between runs, so that only the first one fetches and builds. */
const cache = join(dirname(dirname(here)), '.nubo', 'test', 'guest-image')
const directory = mkdtempSync(join(tmpdir(), 'guest-image-'))
const image = join(directory, 'guest.qcow2')
const key = join(directory, 'key')
const strangersKey = join(directory, 'strangers-key')

let guest: QemuGuest

beforeAll(async () => {
  await run('bash', [join(here, 'build.sh'), image, cache])
  for (const path of [key, strangersKey]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
}, 300_000)

afterAll(() => rmSync(directory, { recursive: true }))

test('the image is a compressed qcow2 that stands alone and fits the smallest flavor', async () => {
  const { stdout } = await run('qemu-img', ['info', '--output=json', image])
  const info = JSON.parse(stdout)
  expect(info).toMatchObject({ format: 'qcow2', 'format-specific': { data: { compat: '1.1' } } })
  expect(info).not.toHaveProperty('backing-filename')
  expect(info['format-specific'].data).not.toHaveProperty('data-file')
  expect(info['virtual-size']).toBeLessThan(128 * 2 ** 20)
  expect(info['actual-size']).toBeLessThan(27 * 2 ** 20)
})

test('a second build does nothing', async () => {
  const { stdout } = await run('bash', [join(here, 'build.sh'), image, cache])
  expect(stdout).toBe(`guest image: ${image} is up to date\n`)
})

test('wrong use is refused in one line', async () => {
  const refused = run('bash', [join(here, 'build.sh'), image])
  await expect(refused).rejects.toMatchObject({ code: 1, stderr: 'guest image: usage: build.sh OUTPUT.qcow2 CACHE_DIRECTORY\n' })
})

describe('a guest with a config drive and a network', () => {
  let sshPort: number

  beforeAll(async () => {
    sshPort = await freePort()
    const drive = await configDrive(
      {
        ...metadata('web-1'),
        // Not to be taken for the host name, nor to be run by a shell.
        meta: { hostname: 'wrong', quote: `'; touch /pwned; '` },
      },
      '#!/bin/sh\necho "user-data of $(hostname) as $(id -un)"\n',
    )
    guest = await boot('pc', [
      ...['-drive', `file=${drive},if=ide,media=cdrom,format=raw,readonly=on`],
      ...['-netdev', `user,id=first,hostfwd=tcp:127.0.0.1:${sshPort}-:22`, '-device', 'virtio-net-pci,netdev=first,romfile='],
    ])
    await guest.consoleShows(/login: $/)
  }, 200_000)

  afterAll(() => guest.destroy())

  const ssh = (command: string, { user = 'root', identity = key, options = [] as string[] } = {}) =>
    run('ssh', [
      ...['-p', String(sshPort), '-i', identity, '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no'],
      ...['-o', `UserKnownHostsFile=${join(directory, 'known-hosts')}`, '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes'],
      ...['-o', 'ConnectTimeout=60', ...options, `${user}@127.0.0.1`, command],
    ]).then(({ stdout }) => stdout.trim())

  test('says before the prompt who it is, where it is and who told it', () => {
    expect(guest.console).toMatch(/guest: ssh host key SHA256:\S+\r\n/)
    expect(guest.console).toMatch(
      /guest ready: host=web-1 addresses=eth0=10\.0\.2\.15\/24\S* source=config-drive uptime=[\d.]+s\r\n/,
    )
    expect(guest.console).toMatch(/web-1 login: $/)
  })

  test('ran its user-data as root, on the console, before the prompt', () => {
    expect(guest.console).toMatch(/user-data of web-1 as root\r\nguest: user-data ended with status 0\r\n[^]*login: $/)
  })

  test('lets in root and the default user by key', async () => {
    expect(await ssh('hostname; hostname -f')).toBe('web-1\nweb-1.novalocal')
    expect(await ssh('id -un', { user: 'nubo' })).toBe('nubo')
    expect(await ssh('test -e /pwned || echo clean')).toBe('clean')
  })

  test('lets in nobody by another key or by a password', async () => {
    await expect(ssh('true', { identity: strangersKey })).rejects.toMatchObject({
      stderr: expect.stringMatching(/Permission denied \(publickey\)/),
    })
    const password = ssh('true', {
      options: ['-o', 'PubkeyAuthentication=no', '-o', 'PreferredAuthentications=password,keyboard-interactive'],
    })
    await expect(password).rejects.toMatchObject({ stderr: expect.stringMatching(/Permission denied \(publickey\)/) })
    const hashes = await ssh('cut -d: -f1,2 /etc/shadow')
    expect(hashes).toBe('root:$6$locked$*\nnubo:$6$locked$*')
  })

  test('lets nobody in on the console', async () => {
    for (const user of ['root', 'nubo']) {
      const from = guest.console.length
      guest.type(user)
      await guest.consoleShows(/Password: $/, { from })
      guest.type('')
      await guest.consoleShows(/Login incorrect[^]*login: $/, { from })
      expect(guest.console.slice(from)).not.toContain('$ ')
    }
  }, 200_000)

  test('takes an IPv6 address from router advertisements', async () => {
    const announced = 'for i in $(seq 300); do ip -6 addr show eth0 | grep fec0: && break; usleep 100000; done'
    expect(await ssh(announced)).toMatch(/inet6 fec0::\S+\/64 scope site dynamic/)
  }, 200_000)

  test('gave its root file system the whole disk', async () => {
    const kib = Number(await ssh(`df -k / | awk 'END { print $2 }'`))
    expect(kib).toBeGreaterThan(900 * 1024)
  })

  test('sees no error in its own log', async () => {
    expect(await ssh('dmesg -r | grep -E "^<[0-3]>" || echo none')).toBe('none')
  })

  test('answers through the guest agent, which can set a password', async () => {
    expect(await guest.agent('guest-ping')).toEqual({})
    expect(await guest.agent('guest-get-host-name')).toEqual({ 'host-name': 'web-1' })
    await guest.agent('guest-set-user-password', {
      username: 'nubo',
      password: Buffer.from('pass:word').toString('base64'),
      crypted: false,
    })
    expect(await ssh(`awk -F: '$1 == "nubo" { print substr($2, 1, 3), $2 ~ /locked/, NF }' /etc/shadow`)).toBe('$6$ 0 9')
  })

  test('asks for an address on an interface that is plugged in', async () => {
    await guest.qmp('netdev_add', { type: 'user', id: 'second', net: '10.0.3.0/24' })
    await guest.qmp('device_add', { driver: 'virtio-net-pci', netdev: 'second', id: 'nic-2' })
    const asked =
      'for i in $(seq 300); do ip -4 addr show eth1 2>/dev/null | grep -q inet && break; usleep 100000; done; ip -o -4 addr show eth1'
    expect(await ssh(asked)).toContain('inet 10.0.3.15/24')
    expect(await ssh('ip route | grep -c default')).toBe('2')
    await guest.qmp('device_del', { id: 'nic-2' })
    expect(
      await ssh(
        'for i in $(seq 300); do [ -e /run/dhcp/eth1.pid ] || break; usleep 100000; done; ls /run/dhcp; pidof udhcpc | wc -w',
      ),
    ).toBe('eth0.lease\neth0.pid\neth0.resolv\neth0.started\n1')
  }, 200_000)

  test('honours classless routes and the MTU of a lease', async () => {
    // QEMU's own DHCP server offers neither, so the lease is handed to udhcpc's script as udhcpc does.
    const lease =
      'ip=10.0.2.15 mask=24 mtu=1400 router=10.0.2.99 staticroutes="0.0.0.0/0 10.0.2.2 169.254.169.254/32 10.0.2.3 10.7.0.0/16 0.0.0.0"'
    await ssh(`interface=eth0 ${lease} /usr/share/udhcpc/default.script renew`)
    const routes = await ssh('ip route')
    expect(routes).toMatch(/^default via 10\.0\.2\.2 dev eth0/m)
    expect(routes).toMatch(/^169\.254\.169\.254 via 10\.0\.2\.3 dev eth0/m)
    expect(routes).toMatch(/^10\.7\.0\.0\/16 dev eth0/m)
    expect(routes).not.toContain('10.0.2.99')
    expect(await ssh('cat /sys/class/net/eth0/mtu')).toBe('1400')
  })

  test('after a reboot from inside it is the same, and its user-data does not run again', async () => {
    const from = guest.console.length
    await ssh('reboot')
    await guest.consoleShows(/login: $/, { from })
    const rebooted = guest.console.slice(from)
    expect(rebooted).toContain('guest ready: host=web-1')
    expect(rebooted).not.toContain('user-data of')
    // The client still knows the host key.
    expect(await ssh('hostname', { options: ['-o', 'StrictHostKeyChecking=yes'] })).toBe('web-1')
  }, 200_000)

  test('powers off when its power button is pressed', async () => {
    await guest.qmp('system_powerdown')
    await guest.ended()
    expect(guest.console).toContain('reboot: Power down')
  }, 200_000)
})

describe('a guest on q35 with a config drive and no network', () => {
  afterEach(() => guest.destroy())

  test('takes the password it was given, hashed, and waits neither for a network nor for endless user-data', async () => {
    const secret = { admin_pass: `it's "secret" $HOME` }
    const drive = await configDrive({ ...metadata('lonely'), ...secret }, '#!/bin/sh\necho endless; exec tail -f /dev/null\n')
    guest = await boot('q35', [
      ...[
        '-device',
        'virtio-scsi-pci',
        '-drive',
        `file=${drive},if=none,id=drive,media=cdrom,format=raw,readonly=on`,
        '-device',
        'scsi-cd,drive=drive',
      ],
    ])
    await guest.consoleShows(/lonely login: $/)
    expect(guest.console).toMatch(/guest ready: host=lonely addresses=none source=config-drive\S* uptime=\S+\r\nendless\r\n/)
    guest.type('root')
    await guest.consoleShows(/Password: $/)
    guest.type(secret.admin_pass)
    await guest.consoleShows(/root@lonely:~# /)
    const from = guest.console.length
    guest.type(`cut -c1-8 /etc/shadow | head -n 1; grep -rl 'it.s "secret"' /etc /var /run; echo searched`)
    const { 0: output } = await guest.consoleShows(/searched\r\nroot@|\nroot:[^]*searched\r\n/, { from })
    expect(output).toMatch(/root:\$6\$/)
    expect(output).not.toMatch(/^\/(etc|var|run)\//m)
  }, 200_000)
})

describe('a guest with a metadata service', () => {
  const documents = join(directory, 'documents')
  const service = `tcp:169.254.169.254:80-cmd:${process.execPath} ${join(here, 'testing', 'metadata-server.mjs')} ${documents}`
  const network = [
    ...['-netdev', `user,id=first,net=169.254.0.0/16,guestfwd=${service}`, '-device', 'virtio-net-pci,netdev=first,romfile='],
  ]

  afterEach(() => guest.destroy())

  test('learns from it what a config drive would have told, and can power itself off', async () => {
    writeDocuments(documents, metadata('mild'), '#!/bin/sh\necho "user-data of $(hostname)"\npoweroff\n')
    guest = await boot('pc', network)
    await guest.consoleShows(/Power down/)
    expect(guest.console).toMatch(/guest ready: host=mild addresses=eth0=169\.254\.2\.15\/16\S* source=metadata-service/)
    expect(guest.console).toContain('user-data of mild')
    await guest.ended()
  }, 200_000)

  test('comes up without it, and learns when it comes', async () => {
    rmSync(documents, { recursive: true })
    guest = await boot('pc', network)
    await guest.consoleShows(/guest login: $/)
    expect(guest.console).toMatch(/guest ready: host=guest addresses=eth0=169\.254\.2\.15\/16\S* source=none/)
    writeDocuments(documents, metadata('late'), '#!/bin/sh\necho "user-data of $(hostname)"\n')
    await guest.consoleShows(/guest ready: host=late addresses=\S+ source=metadata-service[^]*user-data of late/)
  }, 200_000)
})

test('a guest whose network answers nothing still comes up', async () => {
  guest = await boot('pc', ['-netdev', 'hubport,id=first,hubid=1', '-device', 'virtio-net-pci,netdev=first,romfile='])
  try {
    await guest.consoleShows(/guest login: $/)
    const { 1: uptime } = await guest.consoleShows(/guest ready: host=guest addresses=none source=none uptime=([\d.]+)s/)
    // The bounded wait, and then the boot itself on a busy machine.
    expect(Number(uptime)).toBeGreaterThan(10)
  } finally {
    await guest.destroy()
  }
}, 200_000)

function metadata(name: string) {
  const publicKey = readFileSync(`${key}.pub`, 'utf8')
  return {
    uuid: crypto.randomUUID(),
    name,
    hostname: `${name}.novalocal`,
    public_keys: { mine: publicKey },
    keys: [{ name: 'mine', type: 'ssh', data: publicKey }],
  }
}

function writeDocuments(root: string, meta: object, userData?: string): void {
  const latest = join(root, 'openstack', 'latest')
  mkdirSync(latest, { recursive: true })
  writeFileSync(join(latest, 'meta_data.json'), JSON.stringify(meta))
  writeFileSync(join(latest, 'network_data.json'), JSON.stringify({ links: [], networks: [], services: [] }))
  if (userData !== undefined) writeFileSync(join(latest, 'user_data'), userData)
}

async function configDrive(meta: object, userData?: string): Promise<string> {
  const content = mkdtempSync(join(directory, 'drive-'))
  writeDocuments(content, meta, userData)
  const iso = `${content}.iso`
  await run('genisoimage', [
    '-quiet',
    '-o',
    iso,
    '-ldots',
    '-allow-lowercase',
    '-allow-multidot',
    '-l',
    '-J',
    '-r',
    '-V',
    'config-2',
    content,
  ])
  return iso
}

/** A new guest on an overlay of 1 GiB, as the smallest flavor gives it. */
async function boot(machine: 'pc' | 'q35', devices: string[]): Promise<QemuGuest> {
  const place = mkdtempSync(join(directory, 'guest-'))
  const overlay = join(place, 'disk.qcow2')
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image, overlay, '1G'])
  return QemuGuest.start(place, [
    '-machine',
    `${machine},accel=tcg`,
    '-drive',
    `file=${overlay},if=virtio,format=qcow2`,
    ...devices,
  ])
}
