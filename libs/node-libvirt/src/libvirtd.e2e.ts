import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '@nubo/deploy'
import { connectLibvirt } from './connection.js'
import { systemClock } from './clock.js'
import { keepAliveFeature } from './session.js'
import { sessionCalls } from './protocol/calls.js'
import { remoteProgram, remoteVersion } from './rpc/channel.js'
import { encodePacket, MessageStatus, MessageType } from './rpc/packets.js'
import { tls, unixSocket } from './rpc/transport.js'
import { rejection } from './test/setup.js'
import { startPrivateLibvirtd, type PrivateLibvirtd } from './testing.js'
import { encode } from './xdr/codecs.js'

/** A libvirtd that pings its clients every second and forgives two unanswered pings, and that listens with TLS. */
let directory: string
let libvirtd: PrivateLibvirtd
let tlsPort: number

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-libvirt-'))
  tlsPort = await freePort()
  makeCertificates()
  libvirtd = await startPrivateLibvirtd({
    directory,
    tcpPort: await freePort(),
    libvirtdConf: `keepalive_interval = 1
keepalive_count = 2
listen_tls = 1
tls_port = "${tlsPort}"
auth_tls = "none"
ca_file = "${directory}/ca.pem"
cert_file = "${directory}/server.pem"
key_file = "${directory}/server.key"`,
  })
})

afterAll(async () => {
  await libvirtd?.stop()
  await rm(directory, { recursive: true })
})

/** An authority, a server and a client that it knows, and a client of an authority that nobody knows. */
function makeCertificates(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  for (const authority of ['ca', 'stranger']) {
    openssl('req', '-x509', ...newKey, '-keyout', `${authority}.key`, '-out', `${authority}.pem`, '-subj', `/CN=${authority}`)
  }
  for (const [name, authority] of [
    ['server', 'ca'],
    ['client', 'ca'],
    ['unknown', 'stranger'],
  ] as const) {
    const extensions = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE']
    const signed = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`]
    openssl(
      'req',
      '-x509',
      ...newKey,
      ...signed,
      ...extensions,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
      '-subj',
      `/CN=${name}`,
    )
  }
}

/** How long libvirtd keeps a client that asks for keepalive and then answers no ping, ms. */
async function patienceWithMuteClient(): Promise<number> {
  const socket = net.connect({ path: libvirtd.socketPath })
  const header = { program: remoteProgram, version: remoteVersion, type: MessageType.Call, status: MessageStatus.Ok }
  const { authList, connectSupportsFeature } = sessionCalls
  socket.write(encodePacket({ ...header, procedure: authList.procedure, serial: 1 }, Buffer.alloc(0)))
  const feature = encode(connectSupportsFeature.arguments, { feature: keepAliveFeature })
  socket.write(encodePacket({ ...header, procedure: connectSupportsFeature.procedure, serial: 2 }, feature))
  const beganMs = systemClock.monotonicMs()
  await once(socket.resume(), 'close')
  return systemClock.monotonicMs() - beganMs
}

describe('a libvirtd that pings', () => {
  it('keeps a client that has nothing to say for longer than one that does not answer', async () => {
    const transport = unixSocket(libvirtd.socketPath)
    await using libvirt = await connectLibvirt({ transport, uri: 'test:///default', keepAlive: { intervalMs: 60_000, count: 5 } })
    const lost: unknown[] = []
    libvirt.on('disconnected', (error) => lost.push(error))
    expect(await patienceWithMuteClient()).toBeGreaterThan(1000)
    await patienceWithMuteClient()
    expect(lost).toEqual([])
    expect(await libvirt.connectGetType()).toBe('TEST')
  })
})

describe('over TLS', () => {
  const credentials = async (name: string) => ({
    ca: await readFile(join(directory, 'ca.pem')),
    cert: await readFile(join(directory, `${name}.pem`)),
    key: await readFile(join(directory, `${name}.key`)),
  })

  it('a client with a certificate is let in', async () => {
    const transport = tls({ host: '127.0.0.1', port: tlsPort, ...(await credentials('client')) })
    await using libvirt = await connectLibvirt({ transport, uri: 'test:///default' })
    expect(await libvirt.connectGetUri()).toBe('test:///default')
    expect(await libvirt.connectGetCapabilities()).toContain('<capabilities>')
  })

  it('one with a certificate that the daemon does not know is not', async () => {
    const transport = tls({ host: '127.0.0.1', port: tlsPort, ...(await credentials('unknown')) })
    expect(await rejection(connectLibvirt({ transport, uri: 'test:///default' }))).toMatchObject({
      name: 'LibvirtConnectionError',
      outcome: 'not-sent',
    })
  })

  it('a daemon that the client does not know is refused', async () => {
    const transport = tls({
      host: '127.0.0.1',
      port: tlsPort,
      ...(await credentials('client')),
      ca: await readFile(join(directory, 'stranger.pem')),
    })
    expect(await rejection(connectLibvirt({ transport, uri: 'test:///default' }))).toMatchObject({
      name: 'LibvirtConnectionError',
    })
  })
})
