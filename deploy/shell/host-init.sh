#!/bin/bash
# The first process of a KVM host: what the kernel and init are to a machine. It sees namespaces of its own (network, mounts,
# host name, processes, IPC); its end, however it comes, is the end of everything on the host, as when the power fails.
# Its one argument is a file of settings, written by deploy/src/host/host.ts:
#   name, directory, runtime, clone, code, guestUser, binds (lines of source, target and ro or rw, with tabs between)
set -u
. "$1"

fail() {
  echo "host-init: $*" >&2
  exit 1
}

# ---- What the host sees of the machine
# In a chroot the mounts that can be named are made private here; elsewhere they are so already.
while read -r _ _ _ _ at _; do mount --make-private "$(printf %b "$at")" 2>/dev/null; done </proc/self/mountinfo
hostname "$name" || fail "cannot set the host name"
# No cgroups: libvirt would look for systemd's and register guests with the machine's own services.
umount --recursive --lazy /sys 2>/dev/null
mount -t sysfs sysfs /sys || fail "cannot mount /sys"
# A fresh /run, as after a boot: none of the machine's sockets (D-Bus, systemd) is in reach. What comes from there is bound first.
stage=$directory/stage
mkdir -p "$stage"
mount -t tmpfs -o mode=755,dev tmpfs "$stage" || fail "cannot mount a temporary file system"
while IFS=$'\t' read -r source target mode; do
  [ -n "$source" ] || continue
  at=$stage${target#/run}
  mkdir -p "$at"
  mount --bind "$source" "$at" || fail "cannot bind $source"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro "$at" || fail "cannot make $source read-only"; fi
done <<<"$binds"
mkdir -p "$stage/libvirt" "$stage/lock" "$stage/boot"
mount --bind "$directory/run" "$stage/libvirt" || fail "cannot bind /run/libvirt"
mount --no-mtab --move "$stage" /run && rmdir "$stage" || fail "cannot lay out /run"

mkdir -p /var/lib/libvirt /etc/libvirt /var/log/libvirt /var/cache/libvirt
mount --bind "$runtime/libvirt" /var/lib/libvirt &&
  mount --bind "$runtime/etc" /etc/libvirt &&
  mount --bind "$runtime/log" /var/log/libvirt &&
  mount --bind "$runtime/cache" /var/cache/libvirt || fail "cannot bind libvirt's folders"
# What belongs to the control plane and to other hosts is out of sight.
for hidden in "$clone/.nubo" "$code/.nubo"; do
  [ -d "$hidden" ] && mount -t tmpfs -o size=4k,mode=700 tmpfs "$hidden"
done

# Every power-on is a boot of its own, and says so where a machine does.
cat /proc/sys/kernel/random/uuid >/run/boot/boot_id
mount --bind /run/boot/boot_id /proc/sys/kernel/random/boot_id || fail "cannot give the host a boot id"
# The machine may keep /dev/kvm to root. QEMU on a host runs as a user of its own, so the host has a node of its own.
if [ -c /dev/kvm ] && mknod -m 666 /run/boot/kvm c 10 232; then mount --bind /run/boot/kvm /dev/kvm; fi

# libvirt refuses to start without the users that its Debian package was built for, even where qemu.conf names others. The
# host has them; the machine need not.
cp /etc/passwd /etc/group /run/boot
grep -q '^libvirt-qemu:' /run/boot/passwd ||
  echo "libvirt-qemu:x:$guestUser:$guestUser:QEMU:/var/lib/libvirt:/usr/sbin/nologin" >>/run/boot/passwd
for group in libvirt-qemu kvm; do
  grep -q "^$group:" /run/boot/group || echo "$group:x:$guestUser:" >>/run/boot/group
done
for file in passwd group; do mount --bind "/run/boot/$file" "/etc/$file" || fail "cannot bind /etc/$file"; done

# ---- What runs on it
control=$runtime/control
# keep NAME COMMAND...: runs it again whenever it ends, unless a file NAME.held is there; slower each time that it ends early.
keep() {
  local name=$1 delay=0.2 child code started
  shift
  while :; do
    if [ -e "$control/$name.held" ]; then
      sleep 0.1
      continue
    fi
    started=$SECONDS
    "$@" >>"/var/log/libvirt/$name.log" 2>&1 </dev/null &
    child=$!
    echo "$child" >"$control/$name.pid"
    wait "$child"
    code=$?
    echo "host-init: $name ended with code $code" >>"/var/log/libvirt/$name.log"
    if [ $((SECONDS - started)) -ge 20 ]; then delay=0.2; fi
    sleep "$delay"
    case $delay in 0.2) delay=0.5 ;; 0.5) delay=1 ;; 1) delay=2 ;; *) delay=5 ;; esac
  done
}

agent() {
  until [ -e "$control/network-is-up" ] && [ -e "$control/agent.sh" ]; do sleep 0.1; done
  exec /bin/sh "$control/agent.sh"
}

trap 'exit 0' TERM
# It writes what guests and QEMU say, within limits; what it does not hear while it is gone is lost until the guest's next start.
keep virtlogd /usr/sbin/virtlogd --pid-file /run/libvirt/virtlogd.pid &
keep libvirtd /usr/sbin/libvirtd --pid-file /run/libvirt/libvirtd.pid &
keep agent agent &
# A trap is run when wait returns; the shell itself reaps what loses its parent, such as QEMU.
while :; do wait; done
