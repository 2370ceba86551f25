import { LibvirtConnectionError } from './errors.js'
import { sessionCalls } from './protocol/calls.js'
import { ConnectFlags } from './protocol/constants.js'
import type { CallOptions, RpcChannel } from './rpc/channel.js'

/** remote_auth_type. */
const AuthenticationType = { None: 0, Sasl: 1, Polkit: 2 } as const

/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE: asking for it makes the daemon begin to ping us. */
export const keepAliveFeature = 10

export interface SessionOptions {
  /** The hypervisor to open: `qemu:///system`, `test:///default`. */
  uri: string
  readOnly: boolean
  keepAlive: boolean
}

/**
 * What has to be said on a new channel before anything else is answered.
 * @throws LibvirtError where the daemon will not open this URI, LibvirtConnectionError where it wants a login that is not
 * supported here.
 */
export async function beginSession(channel: RpcChannel, session: SessionOptions, options: CallOptions): Promise<void> {
  await authenticate(channel, options)
  if (session.keepAlive) {
    await channel.call('connectSupportsFeature', sessionCalls.connectSupportsFeature, { feature: keepAliveFeature }, options)
  }
  const flags = session.readOnly ? ConnectFlags.ReadOnly : 0
  await channel.call('connectOpen', sessionCalls.connectOpen, { uri: session.uri, flags }, options)
}

async function authenticate(channel: RpcChannel, options: CallOptions): Promise<void> {
  const types = await channel.call('authList', sessionCalls.authList, undefined, options)
  const type = types.find((type) => type === AuthenticationType.None || type === AuthenticationType.Polkit)
  if (type === AuthenticationType.Polkit) await channel.call('authPolkit', sessionCalls.authPolkit, undefined, options)
  else if (type === undefined && types.length > 0) {
    throw new LibvirtConnectionError(
      `the daemon wants a login that is not supported (types ${types.join(', ')}; SASL is 1)`,
      'not-sent',
    )
  }
}
