import type { PortId } from '@nubo/kernel'
import { nicAlias } from '../xml/nic-xml.js'

/** A domain's description as libvirt wrote it, with one more interface. What tenants write is escaped in it. */
export function withNic(description: string, nic: string): string {
  const end = description.lastIndexOf('</devices>')
  return `${description.slice(0, end)}${nic}${description.slice(end)}`
}

export function withoutNic(description: string, { portId }: { portId: PortId }): string {
  const isOurs = (text: string) => text.includes(`<alias name='${nicAlias(portId)}'/>`)
  return description.replace(/<interface [^>]*>.*?<\/interface>\s*/gs, (text) => (isOurs(text) ? '' : text))
}
