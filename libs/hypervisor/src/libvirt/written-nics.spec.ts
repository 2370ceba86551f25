import { describe, expect, it } from '@jest/globals'
import type { PortId } from '@nubo/kernel'
import { renderXml } from '../xml/element.js'
import { nicElement, readNics } from '../xml/nic-xml.js'
import { parseXml } from '../xml/parse.js'
import { testNic } from '../testing/test-nic.js'
import { withNic, withoutNic } from './written-nics.js'

const hostile = '&lt;/devices&gt;&lt;interface type="bridge"&gt;'
const empty = `<domain><metadata><name>${hostile}</name></metadata><devices><disk/></devices><seclabel/></domain>`
/** libvirt quotes attributes in its own way. */
const written = (xml: string) => xml.replaceAll('"', "'")

describe("a domain's description", () => {
  it('takes interfaces in and gives them up, one by one, and nothing else of it changes', () => {
    const nics = [testNic(), testNic(), testNic()]
    const full = nics.reduce((text, nic) => written(withNic(text, renderXml(nicElement(nic, 'test')))), empty)
    expect(readNics(parseXml(full))).toEqual(nics)
    const without = withoutNic(full, nics[1]!)
    expect(readNics(parseXml(without))).toEqual([nics[0], nics[2]])
    expect(nics.reduce((text, nic) => withoutNic(text, nic), full).replace(/\s+/g, '')).toBe(written(empty).replace(/\s+/g, ''))
  })

  it('is as it was where there is no such interface', () => {
    const full = written(withNic(empty, renderXml(nicElement(testNic(), 'test'))))
    expect(withoutNic(full, { portId: '6b29fc40-ca47-4067-b31d-00dd010662da' as PortId })).toBe(full)
  })
})
