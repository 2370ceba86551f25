/** The unprivileged user that QEMU runs as on every host: Debian's number for libvirt-qemu, which need not exist by name. */
export const guestUser = 64055

/** libvirtd.conf: the unix socket alone, for root alone. */
export function libvirtdConfiguration(hostUuid: string): string {
  return `# Written by Nubo at every start of the host.
listen_tls = 0
listen_tcp = 0
unix_sock_group = "root"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "${hostUuid}"
log_outputs = "3:stderr"
`
}

/** qemu.conf: an unprivileged user that owns its disks only while a guest runs on them, and nothing of systemd. */
export function qemuConfiguration(address: string): string {
  return `# Written by Nubo at every start of the host.
user = "+${guestUser}"
group = "+${guestUser}"
dynamic_ownership = 1
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "logd"
vnc_listen = "127.0.0.1"
migration_address = "${address}"
migration_host = "${address}"
`
}

/** virtlogd.conf: each guest's console, and each of QEMU's own logs, takes at most twice this. */
export function virtlogdConfiguration(): string {
  return `# Written by Nubo at every start of the host.
max_size = ${1024 * 1024}
max_backups = 1
log_outputs = "3:stderr"
`
}
