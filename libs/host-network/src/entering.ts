/**
 * The words before a command that is to run in a network namespace, and in nothing else that is other. `ip -netns` and
 * `ip netns exec` also mount a /sys of its own, and for that want / to be a mount: in a chroot it is none.
 */
export const entering = (namespace: string): [string, ...string[]] => ['nsenter', `--net=/run/netns/${namespace}`]
