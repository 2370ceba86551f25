import { CloudError, type Clock, type PortId } from '@nubo/kernel'
import { LibvirtError, ModificationImpact, XmlFlags, type Domain, type LibvirtConnection } from '@nubo/node-libvirt'
import type { GuestNic } from '../guest-definition.js'
import type { VirtType } from '../hypervisor.js'
import { renderXml } from '../xml/element.js'
import { nicElement, readNics } from '../xml/nic-xml.js'
import { parseXml } from '../xml/parse.js'
import { withNic, withoutNic } from './written-nics.js'

/** How long a guest has to let go of an interface before whoever asked is told that it has not. It takes most 0.7 s. */
const letGoMs = 8_000

/**
 * The network interfaces of domains. A domain that runs has two descriptions, how it is and how it will start: both are
 * changed, the one that is harder to change first, so that a change that failed is nowhere.
 */
export class DomainNics {
  private happened = Promise.withResolvers<void>()

  constructor(
    private readonly connection: LibvirtConnection,
    private readonly virtType: Exclude<VirtType, 'simulated'>,
    private readonly clock: Clock,
  ) {}

  /** Something happened on this host: who waits looks again. */
  onEvent(): void {
    this.happened.resolve()
    this.happened = Promise.withResolvers()
  }

  async of(domain: Domain): Promise<GuestNic[]> {
    return (await this.runs(domain)) ? await this.running(domain) : await this.written(domain)
  }

  async attach(domain: Domain, nic: GuestNic): Promise<void> {
    const xml = this.xmlOf(nic)
    const isMissing = (nics: readonly GuestNic[]) => !nics.some(({ portId }) => portId === nic.portId)
    if (this.virtType === 'test') return await this.rewrite(domain, (description) => withNic(withoutNic(description, nic), xml))
    if ((await this.runs(domain)) && isMissing(await this.running(domain)))
      await this.connection.domainAttachDevice({ domain, xml, flags: ModificationImpact.Live })
    if (isMissing(await this.written(domain)))
      await this.connection.domainAttachDevice({ domain, xml, flags: ModificationImpact.Config })
  }

  async detach(domain: Domain, portId: PortId): Promise<void> {
    if (this.virtType === 'test') return await this.rewrite(domain, (description) => withoutNic(description, { portId }))
    if (await this.runs(domain)) await this.unplug(domain, portId)
    const written = (await this.written(domain)).find((nic) => nic.portId === portId)
    if (!written) return
    await this.connection.domainDetachDevice({ domain, xml: this.xmlOf(written), flags: ModificationImpact.Config })
  }

  /** Asks the guest to let go, and waits until it has. */
  private async unplug(domain: Domain, portId: PortId): Promise<void> {
    const nic = await this.plugged(domain, portId)
    if (!nic) return
    const late = Promise.withResolvers<'late'>()
    const timer = this.clock.after(letGoMs, () => late.resolve('late'))
    try {
      const refusal = await this.askFor(domain, nic)
      for (let outcome: 'late' | void = undefined; outcome !== 'late';) {
        const happened = this.happened.promise
        if (!(await this.plugged(domain, portId))) return
        outcome = await Promise.race([happened, late.promise])
      }
      const details = { outcome: 'unknown' }
      throw new CloudError('Unavailable', 'The guest has not let go of its interface yet', { details, cause: refusal })
    } finally {
      timer.cancel()
    }
  }

  /** What libvirt says against it: the interface may be on its way out since it was asked for before, or gone by now. */
  private async askFor(domain: Domain, nic: GuestNic): Promise<LibvirtError | undefined> {
    try {
      await this.connection.domainDetachDevice({ domain, xml: this.xmlOf(nic), flags: ModificationImpact.Live })
    } catch (error) {
      if (error instanceof LibvirtError) return error
      throw error
    }
    return undefined
  }

  private async plugged(domain: Domain, portId: PortId): Promise<GuestNic | undefined> {
    if (!(await this.runs(domain))) return undefined
    return (await this.running(domain)).find((nic) => nic.portId === portId)
  }

  private xmlOf(nic: GuestNic): string {
    return renderXml(nicElement(nic, this.virtType))
  }

  private async runs(domain: Domain): Promise<boolean> {
    return await this.connection.domainIsActive({ domain })
  }

  private async running(domain: Domain): Promise<GuestNic[]> {
    if (this.virtType === 'test') return await this.written(domain)
    return readNics(parseXml(await this.connection.domainGetXmlDesc({ domain })))
  }

  private async written(domain: Domain): Promise<GuestNic[]> {
    return readNics(parseXml(await this.connection.domainGetXmlDesc({ domain, flags: XmlFlags.Inactive })))
  }

  /** libvirt's test driver has no devices that come and go: its domains are described anew. */
  private async rewrite(domain: Domain, change: (description: string) => string): Promise<void> {
    const description = await this.connection.domainGetXmlDesc({ domain, flags: XmlFlags.Inactive })
    await this.connection.domainDefineXml({ xml: change(description) })
  }
}
