/*
 * The numbers of libvirt's public headers that callers need (libvirt-domain.h, virterror.h). libvirt only ever adds to
 * them, so a daemon may send numbers that are not listed here.
 */

/** @returns the name under which `value` is listed in `names`, or the number itself. */
export function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value)
}

/** virErrorNumber. */
export const ErrorCode = {
  Ok: 0,
  InternalError: 1,
  NoMemory: 2,
  NoSupport: 3,
  UnknownHost: 4,
  NoConnect: 5,
  InvalidConnection: 6,
  InvalidDomain: 7,
  InvalidArgument: 8,
  OperationFailed: 9,
  OsType: 16,
  XmlError: 27,
  DomainExists: 28,
  OperationDenied: 29,
  OpenFailed: 30,
  ReadFailed: 31,
  ParseFailed: 32,
  ConfigurationSyntax: 33,
  WriteFailed: 34,
  XmlDetail: 35,
  SystemError: 38,
  Rpc: 39,
  NoDomain: 42,
  NoNetwork: 43,
  AuthenticationFailed: 45,
  NoStoragePool: 49,
  NoStorageVolume: 50,
  NoNodeDevice: 53,
  NoSecurityModel: 54,
  OperationInvalid: 55,
  NoSecret: 66,
  ConfigurationUnsupported: 67,
  OperationTimeout: 68,
  HookScriptFailed: 70,
  NoDomainSnapshot: 72,
  InvalidStream: 73,
  ArgumentUnsupported: 74,
  OperationAborted: 78,
  AuthenticationCancelled: 79,
  NoDomainMetadata: 80,
  MigrateUnsafe: 81,
  Overflow: 82,
  BlockCopyActive: 83,
  OperationUnsupported: 84,
  AgentUnresponsive: 86,
  ResourceBusy: 87,
  AccessDenied: 88,
  CpuIncompatible: 91,
  XmlInvalidSchema: 92,
  AuthenticationUnavailable: 94,
  AgentUnsynced: 97,
  DeviceMissing: 99,
} as const

/** virErrorDomain: the part of libvirt that raised an error. */
export const ErrorDomain = {
  None: 0,
  Xml: 5,
  Dom: 6,
  Rpc: 7,
  Configuration: 9,
  Qemu: 10,
  Test: 12,
  Remote: 13,
  Storage: 18,
  Network: 19,
  Domain: 20,
  Security: 24,
  Cpu: 31,
  Hook: 34,
  Streams: 38,
  Event: 40,
  Locking: 42,
  Capabilities: 44,
  Uri: 45,
  Authentication: 46,
  Identity: 53,
  Cgroup: 54,
  Access: 55,
  Polkit: 60,
  Thread: 61,
} as const

/** virDomainState. */
export const DomainState = {
  NoState: 0,
  Running: 1,
  Blocked: 2,
  Paused: 3,
  ShuttingDown: 4,
  Shutoff: 5,
  Crashed: 6,
  PowerManagementSuspended: 7,
} as const

/** Why a domain is `DomainState.Running` (virDomainRunningReason). */
export const RunningReason = {
  Unknown: 0,
  Booted: 1,
  Migrated: 2,
  Restored: 3,
  FromSnapshot: 4,
  Unpaused: 5,
  MigrationCanceled: 6,
  SaveCanceled: 7,
  Wakeup: 8,
  Crashed: 9,
  PostCopy: 10,
  PostCopyFailed: 11,
} as const

/** Why a domain is `DomainState.Paused` (virDomainPausedReason). */
export const PausedReason = {
  Unknown: 0,
  User: 1,
  Migration: 2,
  Save: 3,
  Dump: 4,
  IoError: 5,
  Watchdog: 6,
  FromSnapshot: 7,
  ShuttingDown: 8,
  Snapshot: 9,
  Crashed: 10,
  StartingUp: 11,
  PostCopy: 12,
  PostCopyFailed: 13,
  ApiError: 14,
} as const

/** Why a domain is `DomainState.Shutoff` (virDomainShutoffReason). */
export const ShutoffReason = {
  Unknown: 0,
  Shutdown: 1,
  Destroyed: 2,
  Crashed: 3,
  Migrated: 4,
  Saved: 5,
  Failed: 6,
  FromSnapshot: 7,
  Daemon: 8,
} as const

/** virDomainEventType: what a lifecycle event says. */
export const LifecycleEventType = {
  Defined: 0,
  Undefined: 1,
  Started: 2,
  Suspended: 3,
  Resumed: 4,
  Stopped: 5,
  Shutdown: 6,
  PowerManagementSuspended: 7,
  Crashed: 8,
} as const

/** The detail of each lifecycle event (virDomainEvent*DetailType), by the event's name. */
export const LifecycleEventDetail = {
  Defined: { Added: 0, Updated: 1, Renamed: 2, FromSnapshot: 3 },
  Undefined: { Removed: 0, Renamed: 1 },
  Started: { Booted: 0, Migrated: 1, Restored: 2, FromSnapshot: 3, Wakeup: 4, Recreated: 5 },
  Suspended: {
    Paused: 0,
    Migrated: 1,
    IoError: 2,
    Watchdog: 3,
    Restored: 4,
    FromSnapshot: 5,
    ApiError: 6,
    PostCopy: 7,
    PostCopyFailed: 8,
  },
  Resumed: { Unpaused: 0, Migrated: 1, FromSnapshot: 2, PostCopy: 3, PostCopyFailed: 4 },
  Stopped: { Shutdown: 0, Destroyed: 1, Crashed: 2, Migrated: 3, Saved: 4, Failed: 5, FromSnapshot: 6, Recreated: 7 },
  Shutdown: { Finished: 0, Guest: 1, Host: 2 },
  PowerManagementSuspended: { Memory: 0, Disk: 1 },
  Crashed: { Panicked: 0, Crashloaded: 1 },
} as const

/** Flags of `domainCreate` and `domainCreateXml` (virDomainCreateFlags). */
export const CreateFlags = { Paused: 1, Autodestroy: 2, BypassCache: 4, ForceBoot: 8, Validate: 16, ResetNvram: 32 } as const

/** Flags of `domainDefineXml` (virDomainDefineFlags). */
export const DefineFlags = { Validate: 1 } as const

/** Flags of `domainShutdown` (virDomainShutdownFlagValues); none: the hypervisor chooses. */
export const ShutdownFlags = { AcpiPowerButton: 1, GuestAgent: 2, Initctl: 4, Signal: 8, Paravirt: 16 } as const

/** Flags of `domainReboot` (virDomainRebootFlagValues); none: the hypervisor chooses. */
export const RebootFlags = { AcpiPowerButton: 1, GuestAgent: 2, Initctl: 4, Signal: 8, Paravirt: 16 } as const

/** Flags of `domainDestroy` (virDomainDestroyFlagsValues). Graceful: SIGTERM alone, and an error where that is not enough. */
export const DestroyFlags = { Graceful: 1, RemoveLogs: 2 } as const

/** Flags of `domainUndefine` (virDomainUndefineFlagsValues). */
export const UndefineFlags = {
  ManagedSave: 1,
  SnapshotsMetadata: 2,
  Nvram: 4,
  KeepNvram: 8,
  CheckpointsMetadata: 16,
  Tpm: 32,
  KeepTpm: 64,
} as const

/** Flags of `domainGetXmlDesc` (virDomainXMLFlags). */
export const XmlFlags = { Secure: 1, Inactive: 2, UpdateCpu: 4, Migratable: 8 } as const

/** What a change touches (virDomainModificationImpact). */
export const ModificationImpact = { Current: 0, Live: 1, Config: 2 } as const

/** virDomainMetadataType. */
export const MetadataType = { Description: 0, Title: 1, Element: 2 } as const

/** Flags of `connectListAllDomains` (virConnectListAllDomainsFlags); none: every domain. */
export const ListDomainsFlags = {
  Active: 1,
  Inactive: 2,
  Persistent: 4,
  Transient: 8,
  Running: 16,
  Paused: 32,
  Shutoff: 64,
  Other: 128,
  ManagedSave: 256,
  NoManagedSave: 512,
  Autostart: 1024,
  NoAutostart: 2048,
  HasSnapshot: 4096,
  NoSnapshot: 8192,
  HasCheckpoint: 16384,
  NoCheckpoint: 32768,
} as const

/** What `connectGetAllDomainStats` shall return (virDomainStatsTypes); none: everything. */
export const StatisticsGroup = {
  State: 1,
  CpuTotal: 2,
  Balloon: 4,
  Vcpu: 8,
  Interface: 16,
  Block: 32,
  Perf: 64,
  IoThread: 128,
  Memory: 256,
  DirtyRate: 512,
  Vm: 1024,
} as const

/** Flags of `connectGetAllDomainStats` (virConnectGetAllDomainStatsFlags). NoWait leaves out what a busy domain cannot say at once. */
export const StatisticsFlags = {
  Active: 1,
  Inactive: 2,
  Persistent: 4,
  Transient: 8,
  Running: 16,
  Paused: 32,
  Shutoff: 64,
  Other: 128,
  NoWait: 0x20000000,
  Backing: 0x40000000,
  EnforceStatistics: 0x80000000,
} as const

/** Flags of `connectOpen`, given as the connection's `readOnly` (virConnectFlags). */
export const ConnectFlags = { ReadOnly: 1 } as const

/** Flags of `openConsole` (virDomainConsoleFlags). Force takes the console from whoever has it. */
export const ConsoleFlags = { Force: 1, Safe: 2 } as const

/** `cell` of `nodeGetMemoryStats` and `cpu` of `nodeGetCpuStats`: all of them together. */
export const allCells = -1
export const allCpus = -1
