import { assert } from '@nubo/kernel'

export interface XmlElement {
  name: string
  attributes: Record<string, string | number>
  children: readonly (XmlElement | string)[]
}

/** Left out where a part is absent: `condition && element(...)`. */
type Child = XmlElement | string | undefined | false

const xmlName = /^[A-Za-z][A-Za-z0-9_.-]*(:[A-Za-z][A-Za-z0-9_.-]*)?$/

/** An element, by its name, its attributes (absent where `undefined`) and what it holds. Values may be any text at all. */
export function element(
  name: string,
  attributes: Record<string, string | number | undefined> = {},
  ...children: Child[]
): XmlElement {
  const present = Object.entries(attributes).filter((entry): entry is [string, string | number] => entry[1] !== undefined)
  for (const each of [name, ...present.map(([key]) => key)]) assert(xmlName.test(each), `'${each}' can be a name in XML`)
  return {
    name,
    attributes: Object.fromEntries(present),
    children: children.filter((child): child is XmlElement | string => child !== undefined && child !== false),
  }
}

/** The element as a document of UTF-8 text, indented where that changes no content. */
export function renderXml(root: XmlElement): string {
  return render(root, '') + '\n'
}

function render({ name, attributes, children }: XmlElement, indent: string): string {
  const open = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escape(String(value))}"`)].join(' ')
  if (children.length === 0) return `${indent}<${open}/>`
  if (children.some((child) => typeof child === 'string')) {
    const content = children.map((child) => (typeof child === 'string' ? escape(child) : render(child, ''))).join('')
    return `${indent}<${open}>${content}</${name}>`
  }
  const content = children.map((child) => render(child as XmlElement, indent + '  ')).join('\n')
  return `${indent}<${open}>\n${content}\n${indent}</${name}>`
}

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // As references, since a parser turns the plain characters into spaces in an attribute, and \r into \n anywhere.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** XML 1.0 (section 2.2) has no way at all to write some characters: control characters, lone surrogates, U+FFFE, U+FFFF. */
// oxlint-disable-next-line no-control-regex
const unwritable = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

/** What XML cannot carry, replaced by U+FFFD, as decoders of UTF-8 do. */
export function writableText(text: string): string {
  return text.replace(unwritable, '\u{FFFD}')
}

function escape(text: string): string {
  return writableText(text).replace(/[&<>"'\t\n\r]/g, (character) => escapes[character]!)
}
