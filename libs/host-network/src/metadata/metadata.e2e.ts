import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { bridgeName, tapName } from '../names.js'
import type { PortPlan } from '../plan.js'
import { eventually } from '../testing/eventually.js'
import { Lab, seenAs, Talk } from '../testing/lab.js'
import { anyEgress, emptyPlan, groupOf, testSettings } from '../testing/plans.js'
import { guestPort, servedNetwork } from '../testing/served-networks.js'
import { linkLocalOf } from '../addresses.js'
import { identitiesOf, metadataAddress, metadataAddress6, metadataHost } from './identities.js'
import { entering } from '../entering.js'

const network = servedNetwork(1)
/** Another tenant's, with the same addresses. */
const other = servedNetwork(2)
const closed = groupOf(1, [])
const open = groupOf(2, anyEgress)

const guarded = guestPort(network, 11, { portSecurity: true, groups: [closed.groupId] })
/** May say that it is anybody. */
const unguarded = guestPort(network, 12)
const stranger = guestPort(other, 11, { portSecurity: true, groups: [open.groupId] })
const guests = [guarded, unguarded, stranger]
const plan = { ...emptyPlan, networks: [network, other], ports: guests, groups: [closed, open] }

let lab: Lab

beforeAll(async () => {
  lab = await Lab.open()
  expect((await lab.apply(plan, testSettings)).problems).toEqual([])
  // Tells whoever calls who it is taken for.
  await Talk.serve(lab, undefined, testSettings.metadataPort)
  for (const guest of guests) {
    await lab.plug(nameOf(guest), tapName(guest.portId), bridgeName(guest === stranger ? other : network), guest.mac)
    const place = nameOf(guest)
    await lab.run(...entering(place), 'sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6')
    await lab.address(place, [`${guest.addresses[0]}/24`])
    await lab.run(...entering(place), 'ip', 'route', 'add', `${metadataAddress}/32`, 'via', '10.0.0.2')
  }
})

afterAll(() => lab?.close())

const nameOf = (guest: PortPlan) => guest.hostname! + guest.mac.slice(9, 11)
const call = (guest: PortPlan) => seenAs(lab, nameOf(guest), metadataAddress, 80)
const identityOf = (guest: PortPlan, family: 4 | 6 = 4) =>
  identitiesOf(plan).find(({ port, family: of }) => port.portId === guest.portId && of === family)!.identity

it('knows each caller by its tap, whatever its groups deny and whoever has the same address', async () => {
  for (const guest of guests) expect(await call(guest)).toBe(identityOf(guest))
  expect(new Set(guests.map((guest) => identityOf(guest))).size).toBe(3)
})

it('answers at the link-local address of IPv6 too', async () => {
  const seen = (guest: PortPlan) => seenAs(lab, nameOf(guest), `${metadataAddress6}%eth0`, 80)
  // A guest's own address is good only when nobody has objected to it.
  for (const guest of [guarded, stranger]) await eventually(async () => expect(await seen(guest)).toBe(identityOf(guest, 6)))
})

it('hears nobody who says that he is another', async () => {
  const place = nameOf(unguarded)
  for (const address of [guarded.addresses[0]!, identityOf(guarded), '10.0.0.77']) {
    await lab.run(...entering(place), 'ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
    await lab.address(place, [`${address}/24`])
    await lab.run(...entering(place), 'ip', 'route', 'replace', '10.0.0.2/32', 'dev', 'eth0')
    await lab.run(...entering(place), 'ip', 'route', 'replace', `${metadataAddress}/32`, 'via', '10.0.0.2')
    expect(await call(unguarded)).toBe('-')
  }
  await lab.run(...entering(place), 'ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
  await lab.address(place, [`${unguarded.addresses[0]}/24`])
  await lab.run(...entering(place), 'ip', 'route', 'replace', `${metadataAddress}/32`, 'via', '10.0.0.2')
  expect(await call(unguarded)).toBe(identityOf(unguarded))
})

it('takes from nobody an identity of his own making, over IPv6 either', async () => {
  const place = nameOf(unguarded)
  const inGuest = (...words: string[]) => lab.run(...entering(place), 'ip', '-6', ...words)
  const identity = identityOf(guarded, 6)
  await inGuest('address', 'add', `${identity}/128`, 'dev', 'eth0', 'nodad')
  const service = linkLocalOf(network.service!.mac)
  // Asked where it is, the service would tell the one whose identity it is.
  await inGuest('neighbour', 'replace', service, 'lladdr', network.service!.mac, 'dev', 'eth0', 'nud', 'permanent')
  await inGuest('route', 'replace', `${metadataHost[6]}/128`, 'via', service, 'dev', 'eth0', 'src', identity)
  expect(await seenAs(lab, place, metadataHost[6], testSettings.metadataPort)).toBe('-')
  // The host has not even heard that somebody wants to begin.
  expect(await lab.run('ss', '-Htn', 'state', 'syn-recv')).toBe('')
  await inGuest('address', 'del', `${identity}/128`, 'dev', 'eth0')
  await inGuest('neighbour', 'del', service, 'dev', 'eth0')
})

it('lets nobody hear what another is told, whose MAC he says is his', async () => {
  const place = nameOf(unguarded)
  await lab.run(...entering(place), 'ip', 'link', 'set', 'eth0', 'address', guarded.mac)
  await lab.run(...entering(place), 'ip', 'route', 'replace', `${metadataAddress}/32`, 'via', '10.0.0.2')
  // From now on the bridge holds the other's MAC for his.
  expect(await call(unguarded)).toBe('-')
  expect(await call(guarded)).toBe(identityOf(guarded))
  await lab.run(...entering(place), 'ip', 'link', 'set', 'eth0', 'address', unguarded.mac)
})

it('carries long answers and long questions whole, over both families', async () => {
  const [length, port] = [300_000, 8776]
  // Sends back how much it was sent, and as much again.
  const serve = `import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read(${length}))
class Server(socketserver.ThreadingTCPServer):
    address_family = 10
Server(("::", ${port}), Handler).serve_forever()`
  const ask = (address: string) => `import hashlib, os, socket
sent = os.urandom(${length})
connection = socket.create_connection(("${address}", 80), timeout=10)
connection.sendall(sent)
print(connection.makefile("rb").read() == sent)`
  const server = lab.start(undefined, 'python3', '-c', serve)
  const settings = { ...testSettings, metadataPort: port }
  expect((await lab.apply(plan, settings)).problems).toEqual([])
  const [enter, ...inGuest] = entering(nameOf(guarded))
  for (const address of [metadataAddress, `${metadataAddress6}%eth0`]) {
    await eventually(async () => expect((await lab.run(enter, ...inGuest, 'python3', '-c', ask(address))).trim()).toBe('True'))
  }
  server.kill()
  await lab.apply(plan, testSettings)
})

it('is no way to the host, nor from one network to the other', async () => {
  await Talk.serve(lab, undefined, 8099)
  expect(await seenAs(lab, nameOf(stranger), metadataAddress, 8099)).toBe('-')
  for (const target of ['240.0.0.1', '240.0.0.2', '169.254.169.253']) {
    await lab.run(...entering(nameOf(stranger)), 'ip', 'route', 'replace', `${target}/32`, 'via', '10.0.0.2')
    for (const port of [8099, testSettings.metadataPort]) expect(await seenAs(lab, nameOf(stranger), target, port)).toBe('-')
  }
})

it('changes nothing a second time', async () => {
  expect(await lab.apply(plan, testSettings)).toEqual({ changes: 0, problems: [] })
})
