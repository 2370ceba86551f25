export * from './guest-definition.js'
export * from './hypervisor.js'
export { domainName, domainXml, type CpuChoice, type MachineProfile } from './xml/domain-xml.js'
