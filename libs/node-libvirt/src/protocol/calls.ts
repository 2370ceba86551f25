import {
  always,
  array,
  int,
  intBoolean,
  nothing,
  optional,
  struct,
  transformed,
  uhyper,
  uint,
  type Codec,
  type Decoder,
} from '../xdr/codecs.js'
import {
  asParameters,
  characters,
  domain,
  domainReference,
  flags,
  optionalString,
  string,
  typedParameter,
  uhyperNumber,
  uuid,
  version,
  type Domain,
  type Parameters,
} from './types.js'

/** One procedure of libvirt's remote program. */
export interface Call<Arguments, Result> {
  procedure: number
  arguments: Codec<Arguments>
  result: Decoder<Result>
  /** A deadline of its own for a procedure that is slow by nature. */
  timeoutMs?: number
}

function call<Arguments, Result>(
  procedure: number,
  args: Codec<Arguments>,
  result: Decoder<Result>,
  options: { timeoutMs?: number } = {},
): Call<Arguments, Result> {
  return { procedure, arguments: args, result, ...options }
}

/** REMOTE_DOMAIN_LIST_MAX. */
const domainListMaximum = 16_384
/** REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX, as large as any libvirt has it. */
const statisticsMaximum = 262_144
/** REMOTE_NODE_MEMORY_STATS_MAX and REMOTE_NODE_CPU_STATS_MAX. */
const nodeStatisticsMaximum = 16
/** REMOTE_AUTH_TYPE_LIST_MAX. */
const authenticationTypesMaximum = 20

/** Spawning QEMU, or waiting for it to end, on a busy host. */
const slowMs = 120_000

const onDomain = struct({ domain: domainReference })
const onDomainWithFlags = struct({ domain: domainReference, flags })
const deviceOfDomain = struct({ domain: domainReference, xml: string, flags })
const nodeStatistic = struct({ field: string, value: uhyper })
const statisticsRecord = struct({ domain, parameters: array(typedParameter, statisticsMaximum) })

/** One domain's numbers, by libvirt's names: `state.state`, `cpu.time`, `balloon.current`, `vcpu.0.time`, `block.0.rd.bytes` ... */
export interface DomainStatistics {
  domain: Domain
  statistics: Parameters
}

/**
 * Every call that this library offers: the procedure's number, what goes in, what comes out (remote_protocol.x). An entry
 * here is all that a new call needs: it becomes a method of `LibvirtConnection`. The names are those of libvirt's C API
 * without `vir`; where that has a variant with flags, it is that variant.
 */
export const calls = {
  // The daemon and its host.
  /** virConnectGetType: `QEMU`, `Test`. */
  connectGetType: call(3, nothing, string),
  /** virConnectGetVersion: the hypervisor's. */
  connectGetVersion: call(4, nothing, version),
  /** virConnectGetLibVersion: libvirt's. */
  connectGetLibVersion: call(157, nothing, version),
  /** virConnectGetHostname. */
  connectGetHostname: call(59, nothing, string),
  /** virConnectGetURI: the one that is really open. */
  connectGetUri: call(110, nothing, string),
  /** virConnectGetCapabilities: XML. */
  connectGetCapabilities: call(7, nothing, string),
  /** virConnectGetDomainCapabilities: XML; what is left out is chosen by libvirt. */
  connectGetDomainCapabilities: call(
    342,
    struct({
      emulatorPath: optionalString,
      architecture: optionalString,
      machine: optionalString,
      virtualizationType: optionalString,
      flags,
    }),
    string,
    { timeoutMs: slowMs },
  ),
  /** virNodeGetInfo: memory in KiB, speed in MHz. */
  nodeGetInfo: call(
    6,
    nothing,
    struct({
      model: characters(32),
      memoryKiB: uhyperNumber,
      cpus: int,
      megahertz: int,
      numaNodes: int,
      sockets: int,
      coresPerSocket: int,
      threadsPerCore: int,
    }),
  ),
  /** virNodeGetFreeMemory, in bytes. */
  nodeGetFreeMemory: call(102, nothing, uhyperNumber),
  /** virNodeGetMemoryStats. `count` must be 0, to ask how many there are, or that many: `nodeMemoryStatistics` does both. */
  nodeGetMemoryStats: call(
    228,
    struct({ count: int, cell: int, flags }),
    struct({ statistics: array(nodeStatistic, nodeStatisticsMaximum), count: int }),
  ),
  /** virNodeGetCPUStats. As with `nodeGetMemoryStats`: `nodeCpuStatistics` is the simple form. */
  nodeGetCpuStats: call(
    227,
    struct({ cpu: int, count: int, flags }),
    struct({ statistics: array(nodeStatistic, nodeStatisticsMaximum), count: int }),
  ),

  // Finding domains.
  /** virConnectListAllDomains; see `ListDomainsFlags`. */
  connectListAllDomains: call(
    273,
    // Without need_results the daemon only counts them.
    struct({ needResults: always(int, 1), flags }),
    transformed(struct({ domains: array(domain, domainListMaximum), count: uint }), ({ domains }) => domains),
  ),
  /** virDomainLookupByID. */
  domainLookupById: call(22, struct({ id: int }), domain),
  /** virDomainLookupByName. */
  domainLookupByName: call(23, struct({ name: string }), domain),
  /** virDomainLookupByUUID. */
  domainLookupByUuid: call(24, struct({ uuid }), domain),

  // A domain's life.
  /** virDomainDefineXMLFlags; see `DefineFlags`. */
  domainDefineXml: call(350, struct({ xml: string, flags }), domain),
  /** virDomainUndefineFlags; see `UndefineFlags`. */
  domainUndefine: call(231, onDomainWithFlags, nothing),
  /** virDomainCreateXML: starts a domain that is gone when it stops; see `CreateFlags`. */
  domainCreateXml: call(10, struct({ xml: string, flags }), domain, { timeoutMs: slowMs }),
  /** virDomainCreateWithFlags: starts a defined domain; see `CreateFlags`. */
  domainCreate: call(196, onDomainWithFlags, domain, { timeoutMs: slowMs }),
  /** virDomainDestroyFlags: pulls the plug; see `DestroyFlags`. */
  domainDestroy: call(234, onDomainWithFlags, nothing, { timeoutMs: slowMs }),
  /** virDomainShutdownFlags: asks the guest, and returns before it has obeyed; see `ShutdownFlags`. */
  domainShutdown: call(258, onDomainWithFlags, nothing),
  /** virDomainReboot: asks the guest; see `RebootFlags`. */
  domainReboot: call(27, onDomainWithFlags, nothing),
  /** virDomainReset: the reset button. */
  domainReset: call(245, onDomainWithFlags, nothing),
  /** virDomainSuspend: stops its CPUs. */
  domainSuspend: call(34, onDomain, nothing),
  /** virDomainResume. */
  domainResume: call(28, onDomain, nothing),
  /** virDomainAttachDeviceFlags; see `ModificationImpact`. */
  domainAttachDevice: call(160, deviceOfDomain, nothing),
  /**
   * virDomainDetachDeviceFlags: asks a running guest to let go of it, and may return before it has (the event
   * `deviceRemoved` tells); see `ModificationImpact`.
   */
  domainDetachDevice: call(161, deviceOfDomain, nothing),

  // What a domain is.
  /** virDomainGetState: one of `DomainState`, and why. */
  domainGetState: call(212, onDomainWithFlags, struct({ state: int, reason: int })),
  /** virDomainGetInfo. */
  domainGetInfo: call(
    16,
    onDomain,
    struct({ state: uint, maximumMemoryKiB: uhyperNumber, memoryKiB: uhyperNumber, vcpus: uint, cpuTimeNs: uhyper }),
  ),
  /** virDomainGetXMLDesc; see `XmlFlags`. */
  domainGetXmlDesc: call(14, onDomainWithFlags, string),
  /** virDomainIsActive. */
  domainIsActive: call(150, onDomain, intBoolean),
  /** virDomainIsPersistent. */
  domainIsPersistent: call(151, onDomain, intBoolean),
  /** virDomainGetAutostart. */
  domainGetAutostart: call(15, onDomain, intBoolean),
  /** virDomainSetAutostart. */
  domainSetAutostart: call(29, struct({ domain: domainReference, autostart: intBoolean }), nothing),
  /** virDomainGetMetadata; see `MetadataType`. */
  domainGetMetadata: call(265, struct({ domain: domainReference, type: int, uri: optionalString, flags }), string),
  /** virDomainSetMetadata; without `metadata` it removes what is there. See `MetadataType`, `ModificationImpact`. */
  domainSetMetadata: call(
    264,
    struct({ domain: domainReference, type: int, metadata: optionalString, key: optionalString, uri: optionalString, flags }),
    nothing,
  ),
  /** virConnectGetAllDomainStats; see `StatisticsGroup` and `StatisticsFlags`. No domains named: all of them. */
  connectGetAllDomainStats: call(
    344,
    struct({ domains: array(domainReference, domainListMaximum), groups: flags, flags }),
    transformed(array(statisticsRecord, domainListMaximum), (records): DomainStatistics[] =>
      records.map(({ domain, parameters }) => ({ domain, statistics: asParameters(parameters) })),
    ),
  ),
}

/** Calls that the connection makes itself: to begin and end, to register for events, to open streams. */
export const sessionCalls = {
  /** virConnectOpen. */
  connectOpen: call(1, struct({ uri: optionalString, flags }), nothing),
  /** virConnectClose. */
  connectClose: call(2, nothing, nothing),
  /** The ways to log in that the daemon offers: 0 none, 1 SASL, 2 polkit. */
  authList: call(66, nothing, array(int, authenticationTypesMaximum)),
  /** Asks polkit about this process. */
  authPolkit: call(70, nothing, int),
  /** virDrvSupportsFeature. */
  connectSupportsFeature: call(60, struct({ feature: int }), intBoolean),
  /** virConnectDomainEventRegisterAny; the result is the callback's id. */
  connectDomainEventCallbackRegisterAny: call(316, struct({ eventId: int, domain: optional(domainReference) }), int),
  /** virConnectDomainEventDeregisterAny. */
  connectDomainEventCallbackDeregisterAny: call(317, struct({ callbackId: int }), nothing),
  /** virDomainOpenConsole: what follows its reply is a stream. */
  domainOpenConsole: call(201, struct({ domain: domainReference, device: optionalString, flags }), nothing),
}
