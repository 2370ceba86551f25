import { describe, expect, it } from '@jest/globals'
import { CloudError, type ProjectId, type ServerId } from '@nubo/kernel'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import type { GuestDefinition } from '../guest-definition.js'
import { readStamp } from './domain-metadata.js'
import { domainXml, type MachineProfile } from './domain-xml.js'
import { renderXml, writableText } from './element.js'
import { guestMetadata } from './domain-metadata.js'
import { descend, parseXml, type ParsedElement } from './parse.js'

const serverId = '6b29fc40-ca47-4067-b31d-00dd010662da' as ServerId
const projectId = '0f5d3c1e9a6b4a7f8d2e1c3b5a697887' as ProjectId

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
  nics: [],
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
