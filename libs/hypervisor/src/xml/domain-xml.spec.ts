import { describe, expect, it } from '@jest/globals'
import { CloudError, type PortId, type ProjectId, type ServerId } from '@nubo/kernel'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import type { GuestDefinition } from '../guest-definition.js'
import { readStamp } from './domain-metadata.js'
import { domainXml, type MachineProfile } from './domain-xml.js'
import { renderXml, writableText } from './element.js'
import { guestMetadata } from './domain-metadata.js'
import { readNics } from './nic-xml.js'
import { descend, parseXml, type ParsedElement } from './parse.js'

const serverId = '6b29fc40-ca47-4067-b31d-00dd010662da' as ServerId
const projectId = '0f5d3c1e9a6b4a7f8d2e1c3b5a697887' as ProjectId

const firstPort = '2f1f4e7c-9a01-4e1c-8d5f-0c6f6a1b2c3d' as PortId
const secondPort = '7e9d33c0-b802-4a55-9d0b-5d2f8f6f9a10' as PortId

const guest: GuestDefinition = {
  serverId,
  projectId,
  incarnation: 3,
  fencingEpoch: 2,
  name: 'web & mail </nubo:name><devices/>',
  vcpus: 2,
  memoryMiB: 512,
  disks: [
    { path: '/var/lib/nubo/guests/a/disk.qcow2', format: 'qcow2', backing: { path: '/var/lib/nubo/images/b', format: 'raw' } },
  ],
  configDrivePath: '/var/lib/nubo/guests/a/config.iso',
  nics: [
    { portId: firstPort, mac: 'fa:16:3e:00:00:01', mtu: 1450, bridge: 'nbr-00002a', device: 'tap2f1f4e7c9a01' },
    { portId: secondPort, mac: 'fa:16:3e:00:00:02', mtu: 9000, bridge: 'nbr-00002b', device: 'tap7e9d33c0b802' },
  ],
}

const profiles: Record<string, MachineProfile> = {
  'qemu-pc': { virtType: 'qemu', machine: 'pc', cpu: 'maximum', consoleDirectory: '/run/nubo/consoles' },
  'kvm-q35': { virtType: 'kvm', machine: 'q35', cpu: 'host-model', consoleDirectory: '/run/nubo/consoles' },
  'kvm-named-cpu': { virtType: 'kvm', machine: 'pc', cpu: { model: 'qemu64' }, consoleDirectory: '/run/nubo/consoles' },
  test: { virtType: 'test', machine: 'pc', cpu: 'host-model' },
}

describe('domainXml', () => {
  it.each(Object.keys(profiles))('is what libvirt was shown to take: %s', (name) => {
    expect(domainXml(guest, profiles[name]!)).toBe(readFileSync(`${import.meta.dirname}/golden/${name}.xml`, 'utf8'))
  })

  it('refuses a guest without a processor, and paths that are not absolute', () => {
    expect(() => domainXml({ ...guest, vcpus: 0 }, profiles['qemu-pc']!)).toThrow(CloudError)
    expect(() => domainXml({ ...guest, configDrivePath: 'json:{}' }, profiles['qemu-pc']!)).toThrow('absolute')
  })

  it.each([
    { mac: 'FA:16:3E:00:00:01' },
    { mac: "fa:16:3e:00:00:01'/><x" },
    { mtu: 0 },
    { mtu: 1450.5 },
    { bridge: '' },
    { bridge: '../br0' },
    { bridge: 'longer-than-fits' },
    { device: 'tap"><script' },
    { device: '-tap' },
    { device: 'tap%d' },
    { portId: 'ua-x' as PortId },
    { portId: secondPort },
  ])('refuses an interface that is none, whatever made it: %o', (wrong) => {
    const [first, second] = guest.nics
    for (const profile of Object.values(profiles))
      expect(() => domainXml({ ...guest, nics: [{ ...first!, ...wrong }, second!] }, profile)).toThrow()
  })

  it('reads back the interfaces that it wrote, and no others', () => {
    const xml = domainXml(guest, profiles['qemu-pc']!)
    expect(readNics(parseXml(xml))).toEqual(guest.nics)
    expect(readNics(parseXml(xml.replaceAll('"ua-', '"net')))).toEqual([])
  })

  it('holds no name or project that changes its structure, whatever characters they are made of', () => {
    const shape = (xml: string) => outline(parseXml(xml))
    const expected = shape(domainXml(guest, profiles['qemu-pc']!))
    fc.assert(
      fc.property(hostileText, hostileText, (name, project) => {
        const xml = domainXml({ ...guest, name, projectId: project as ProjectId }, profiles['qemu-pc']!)
        const root = parseXml(xml)
        expect(outline(root)).toEqual(expected)
        expect(descend(root, 'metadata', 'guest', 'name')!.text).toBe(writableText(name))
        expect(descend(root, 'name')!.text).toBe(`nubo-${serverId}`)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('readStamp', () => {
  it('reads back whatever was stamped', () => {
    fc.assert(
      fc.property(
        hostileText,
        fc.uuid(),
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 2 ** 31 }),
        (name, id, incarnation, fencingEpoch) => {
          const stamp = { serverId: id as ServerId, projectId, incarnation, fencingEpoch }
          expect(readStamp(renderXml(guestMetadata({ ...guest, ...stamp, name })))).toEqual(stamp)
        },
      ),
    )
  })

  it.each([
    '<server><stamp server="s" project="p" incarnation="1" fencing-epoch="1"/></server>',
    '<guest/>',
    '<guest><stamp server="s" project="p" incarnation="0" fencing-epoch="1"/></guest>',
    '<guest><stamp server="s" project="p" incarnation="1"/></guest>',
  ])('takes nothing for a stamp that is not one: %s', (metadata) => {
    expect(readStamp(metadata)).toBeUndefined()
  })
})

/** Markup, quotes, entities, control characters, lone surrogates and the rest of Unicode. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '&',
        '"',
        "'",
        ']]>',
        '<!--',
        '-->',
        '<![CDATA[',
        '&lt;',
        '<?xml?>',
        '</nubo:name>',
        '\0',
        '\b',
        '\t',
        '\r',
        '\n',
        '\u{B}',
        '\u{7F}',
        '\u{D800}',
        '\u{DC00}',
        '\u{FFFE}',
        '\u{FFFF}',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.string({ maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''))

/** Names, namespaces and the names of attributes, all the way down. */
function outline(parsed: ParsedElement): unknown {
  return [parsed.namespace, parsed.name, Object.keys(parsed.attributes), parsed.children.map(outline)]
}
