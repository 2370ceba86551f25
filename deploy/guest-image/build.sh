#!/usr/bin/env bash
# Builds the small guest image from Debian packages: build.sh OUTPUT.qcow2 CACHE_DIRECTORY
#
# Needs Debian 12 on amd64 with its package lists (apt-get update), and the packages qemu-utils and e2fsprogs.
# No root, no loop device; nothing is installed. Packages are fetched into the cache and checked against apt's hashes;
# the image is kept there too, under the hash of these files and of the packages, so that a second run only compares.
# What is done is printed to standard output, a line a step; what is wrong to standard error, in one line.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

# Dates in the image, so that the same input makes the same image.
readonly epoch=1577836800
readonly boot_mib=24 root_mib=64
readonly here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "guest image: $*"; }
fail() {
  echo "guest image: $*" >&2
  exit 1
}

main() {
  [ $# = 2 ] || fail "usage: build.sh OUTPUT.qcow2 CACHE_DIRECTORY"
  check_machine
  local output=$1 cache
  mkdir -p "$2" "$(dirname "$output")"
  cache=$(cd "$2" && pwd)
  exec 9> "$cache/lock"
  flock 9

  local files packages image
  files=$(hash_of_files)
  if packages=$(candidates $(listed packages.txt) 2> "$cache/apt.log"); then
    image=$cache/guest-$files-$(sha256sum <<< "$packages" | cut -c1-16).qcow2
  else
    # Without package lists an image made earlier from the same files is as good.
    image=$(find "$cache" -name "guest-$files-*.qcow2" | head -n 1)
    [ -n "$image" ] || fail "apt does not know the packages, try apt-get update: $(grep -m1 '^E:' "$cache/apt.log")"
  fi
  [ -s "$image" ] || build "$cache" "$image" "$packages"
  if cmp -s "$image" "$output"; then
    say "$output is up to date"
  else
    cp "$image" "$output.part"
    mv "$output.part" "$output"
    say "$output, $(du -h --apparent-size "$output" | cut -f1)"
  fi
}

check_machine() {
  local tool missing=()
  [ "$(dpkg --print-architecture 2> /dev/null)" = amd64 ] || fail "needs Debian on amd64"
  for tool in qemu-img:qemu-utils mke2fs:e2fsprogs debugfs:e2fsprogs; do
    PATH=$PATH:/usr/sbin:/sbin type "${tool%:*}" > /dev/null 2>&1 || missing+=("${tool#*:}")
  done
  [ ${#missing[@]} = 0 ] || fail "these packages are missing: $(printf '%s\n' "${missing[@]}" | sort -u | paste -sd' ')"
  PATH=$PATH:/usr/sbin:/sbin
}

# The entries of one of the .txt files.
listed() { sed 's/#.*//' "$here/$1"; }

hash_of_files() {
  (cd "$here" && find build.sh ./*.txt syslinux.cfg initramfs rootfs -type f -print0 | sort -z | xargs -0 sha256sum) |
    sha256sum | cut -c1-16
}

# What apt would fetch for the packages: a line each with URI, file name, size and SHA256.
candidates() { apt-get download --print-uris "$@" | sort; }

build() {
  local cache=$1 image=$2 packages=$3 kernel work
  # The listed package is empty and depends on the kernel of the day.
  kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
  [ -n "$kernel" ] || fail "apt names no kernel for linux-image-cloud-amd64"
  packages=$(grep -v '/linux-image-cloud-amd64_' <<< "$packages"; candidates "$kernel")
  fetch "$cache/packages" "$packages"

  rm -rf "$cache"/work.*
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap "rm -rf $(printf %q "$work")" EXIT
  unpack "$cache/packages" "$work/unpacked"
  make_initramfs "$work"
  make_root "$work"
  make_boot "$work"
  make_disk "$work"
  find "$cache" -maxdepth 1 -name 'guest-*.qcow2' -delete
  mv "$work/disk.qcow2" "$image"
}

# Fetches what is not there yet and removes what is no longer wanted.
fetch() {
  local directory=$1 packages=$2 uri name size hash wanted=() missing=() bytes=0
  mkdir -p "$directory"
  while read -r uri name size hash; do
    wanted+=("$name")
    if ! sha256sum --status -c <<< "${hash#SHA256:}  $directory/$name" 2> /dev/null; then
      rm -f "$directory/$name"
      missing+=("${name%%_*}")
      bytes=$((bytes + size))
    fi
  done <<< "$packages"
  find "$directory" -type f $(printf '! -name %s ' "${wanted[@]}") -delete
  [ ${#missing[@]} != 0 ] || return 0

  say "fetching ${#missing[@]} packages, $((bytes >> 20)) MiB"
  local count=0 line
  # As root, apt would fetch as a user who may not be able to read the cache; what comes is checked against its hash.
  (cd "$directory" && apt-get download -q -o APT::Sandbox::User=root "${missing[@]}" 2>&1) |
    tee "$directory/../apt.log" | while read -r line; do
    case $line in Get:*) say "fetching $((count += 1))/${#missing[@]} $(cut -d' ' -f5,7- <<< "$line")" ;; esac
  done || fail "fetching packages failed: $(grep -m1 '^E:' "$directory/../apt.log")"
}

unpack() {
  local package
  say "unpacking"
  for package in "$1"/*.deb; do
    dpkg-deb -x "$package" "$2"
  done
}

# Kernel modules in the order of their loading, and the script that loads them.
make_initramfs() {
  local tree=$1/initramfs busybox=$1/unpacked/bin/busybox version module path
  version=$(ls "$1/unpacked/lib/modules")
  say "initramfs with Linux $version"
  "$busybox" depmod -b "$1/unpacked" "$version"
  mkdir -p "$tree"/{bin,dev,lib/modules,proc,root,sys}
  install_busybox "$busybox" "$tree"
  cp "$here/initramfs/init" "$tree/init"
  for module in $(listed modules.txt); do
    path=$(grep -m1 "/$module\.ko:" "$1/unpacked/lib/modules/$version/modules.dep") || fail "no kernel module $module"
    # The module first, then what it needs, the deepest last.
    tr -d : <<< "$path" | xargs -n1 | tac
  done | awk '!seen[$0]++' > "$1/modules"
  while read -r path; do
    cp "$1/unpacked/lib/modules/$version/$path" "$tree/lib/modules/"
    echo "${path##*/}" >> "$tree/lib/modules/order"
  done < "$1/modules"
  settle "$tree"
  (cd "$tree" && find . | sort | "$busybox" cpio -o -H newc -R 0:0 --renumber-inodes --ignore-devno 2> /dev/null) | gzip -9n > "$1/initrd"
}

install_busybox() {
  local applet
  cp "$1" "$2/bin/busybox"
  for applet in $("$1" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$2/bin/$applet"
  done
}

# Same modes and dates whatever the umask and the time of the clone.
settle() {
  find "$1" -type d -exec chmod 755 {} +
  find "$1" -type f -perm -100 -exec chmod 755 {} +
  find "$1" -type f ! -perm -100 -exec chmod 644 {} +
  find "$1" -exec touch -h -d "@$epoch" {} +
}

make_root() {
  local tree=$1/root from=$1/unpacked program
  say "root file system"
  mkdir -p "$tree"/{bin,dev,etc/dropbear,home/nubo,lib,lib64,mnt,proc,root,run,sbin,sys,tmp,usr/bin,usr/sbin,var/lib}
  ln -s ../run "$tree/var/run"
  cp -R "$here/rootfs/." "$tree"
  install_busybox "$from/bin/busybox" "$tree"
  for program in init halt poweroff reboot; do
    ln -s ../bin/busybox "$tree/sbin/$program"
  done
  for program in usr/sbin/dropbear usr/bin/dropbearkey usr/bin/dbclient usr/sbin/qemu-ga usr/bin/jq sbin/resize2fs sbin/mke2fs; do
    cp "$from/$program" "$tree/usr/${program#usr/}"
    copy_libraries "$from" "$program" "$tree"
  done
  ln -s dbclient "$tree/usr/bin/ssh"
  ln -s mke2fs "$tree/usr/sbin/mkfs.ext4"
  settle "$tree"
  chmod 600 "$tree/etc/shadow"
  chmod 700 "$tree/root" "$tree/home/nubo"

  # The features are named, so that the build machine's mke2fs.conf does not choose them.
  export E2FSPROGS_FAKE_TIME=$epoch MKE2FS_CONFIG=/nonexistent
  local uuid=6e75626f-0000-4000-8000-000000000001
  mke2fs -q -t ext4 -b 4096 -i 16384 -m 0 -J size=4 -L nubo-guest -U $uuid -E "hash_seed=$uuid,lazy_itable_init=1" \
    -O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum \
    -d "$tree" "$1/root.ext4" ${root_mib}m > "$1/mke2fs.log"
  # mke2fs keeps the owners of the files here, which are the builder's, and the dates of their copying.
  (cd "$tree" && find . -printf 'sif "/%P" uid 0\nsif "/%P" gid 0\nsif "/%P" ctime @EPOCH\nsif "/%P" atime @EPOCH\n') |
    sed "s/EPOCH/$epoch/" > "$1/inodes"
  printf 'sif /home/nubo %s 1000\n' uid gid >> "$1/inodes"
  debugfs -w -f "$1/inodes" "$1/root.ext4" > /dev/null 2> "$1/debugfs.log"
  e2fsck -fn "$1/root.ext4" > "$1/e2fsck.log" 2>&1 || fail "the root file system is broken: $(tail -n 1 "$1/e2fsck.log")"
}

# Asks the packages' own loader, not the machine's, which libraries a program needs.
copy_libraries() {
  local from=$1 program=$2 tree=$3 loader library
  loader=$from/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
  "$loader" --library-path "$from/lib/x86_64-linux-gnu:$from/usr/lib/x86_64-linux-gnu" --list "$from/$program" |
    sed -n 's/.* => \(.*\) (0x.*/\1/p' | while read -r library; do
    case $library in
      "$loader") cp -L "$library" "$tree/lib64/" ;;
      "$from"/*) mkdir -p "$tree/lib/x86_64-linux-gnu" && cp -L "$library" "$tree/lib/x86_64-linux-gnu/" ;;
      *) fail "packages.txt lacks the package of $library, for $program" ;;
    esac
  done
}

make_boot() {
  local image=$1/boot.fat
  say "boot partition"
  export PATH=$1/unpacked/usr/bin:$PATH MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null SOURCE_DATE_EPOCH=$epoch
  cp "$1"/unpacked/boot/vmlinuz-* "$1/vmlinuz"
  truncate -s ${boot_mib}M "$image"
  # 64 heads and 32 sectors make a cylinder of 1 MiB; the partition begins at sector 2048.
  mformat -i "$image" -v BOOT -N 6e75626f -h 64 -s 32 -t $boot_mib -H 2048 ::
  cp "$here/syslinux.cfg" "$1/syslinux.cfg"
  touch -d "@$epoch" "$1/vmlinuz" "$1/initrd" "$1/syslinux.cfg"
  mcopy -m -i "$image" "$1/vmlinuz" "$1/initrd" "$1/syslinux.cfg" "$1/unpacked/usr/lib/syslinux/modules/bios/ldlinux.c32" ::
  syslinux --install "$image"
}

make_disk() {
  local disk=$1/disk.raw boot_start=2048 boot_sectors=$((boot_mib * 2048)) root_start root_sectors=$((root_mib * 2048))
  root_start=$((boot_start + boot_sectors))
  say "compressing"
  truncate -s $(((root_start + root_sectors) * 512)) "$disk"
  {
    dd if="$1/unpacked/usr/lib/syslinux/mbr/mbr.bin" bs=440 count=1 conv=sync status=none
    printf 'nubo\0\0'
    printf '\x80\xfe\xff\xff\x06\xfe\xff\xff'; little_endian $boot_start; little_endian $boot_sectors
    printf '\x00\xfe\xff\xff\x83\xfe\xff\xff'; little_endian $root_start; little_endian $root_sectors
    head -c 32 /dev/zero
    printf '\x55\xaa'
  } | dd of="$disk" conv=notrunc status=none
  dd if="$1/boot.fat" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
  dd if="$1/root.ext4" of="$disk" bs=1M seek=$((1 + boot_mib)) conv=notrunc,sparse status=none
  # One coroutine: several write their clusters in the order in which they happen to end.
  qemu-img convert -m 1 -c -f raw -O qcow2 "$disk" "$1/disk.qcow2"
}

# A number as four octets, the lowest first.
little_endian() {
  local shift
  for shift in 0 8 16 24; do
    printf "\\x$(printf %02x $(($1 >> shift & 255)))"
  done
}

main "$@"
