import { CloudError } from '@nubo/kernel'
import { SaxesParser } from 'saxes'

/** An element as it was read: names without their prefixes, their namespaces beside them. */
export interface ParsedElement {
  name: string
  namespace: string
  attributes: Record<string, string>
  children: ParsedElement[]
  /** The text directly inside, without that of the children. */
  text: string
}

/** Reads a whole document strictly. Throws `Bug` if it is not well-formed: it came from libvirt, or from us. */
export function parseXml(text: string): ParsedElement {
  const parser = new SaxesParser({ xmlns: true })
  const root: ParsedElement = { name: '', namespace: '', attributes: {}, children: [], text: '' }
  const open = [root]
  parser.on('error', (error) => {
    throw new CloudError('Bug', 'XML from the hypervisor cannot be read', { cause: error })
  })
  parser.on('opentag', (tag) => {
    const parsed: ParsedElement = { name: tag.local, namespace: tag.uri, attributes: {}, children: [], text: '' }
    for (const attribute of Object.values(tag.attributes)) parsed.attributes[attribute.local] = attribute.value
    open.at(-1)!.children.push(parsed)
    open.push(parsed)
  })
  parser.on('closetag', () => open.pop())
  const addText = (content: string) => (open.at(-1)!.text += content)
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.write(text).close()
  return root.children[0]!
}

/** The first element reached by these names, one below the other. */
export function descend(from: ParsedElement | undefined, ...names: string[]): ParsedElement | undefined {
  return names.reduce((at, name) => at?.children.find((child) => child.name === name), from)
}
