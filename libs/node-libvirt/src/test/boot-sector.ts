import { chown, writeFile } from 'node:fs/promises'

/**
 * A guest of one sector, for 16-bit real mode on QEMU's `pc`. It says `ready` on its serial port, and then sleeps between
 * ticks of the timer. It echoes what it is sent, and obeys `q` (powers off), `r` (resets) and the ACPI power button. The
 * ACPI registers stand at 0x600, where SeaBIOS puts them.
 */
const program = [
  [0xfc], //                   cld
  [0x31, 0xc0], //             xor ax, ax
  [0x8e, 0xd8], //             mov ds, ax
  [0xba, 0x02, 0x06], //       mov dx, 0x602      PM1 enable
  [0xb8, 0x00, 0x01], //       mov ax, 0x100      the power button's bit
  [0xef], //                   out dx, ax
  [0xbe, 0x50, 0x7c], //       mov si, message
  [0xac], //             print: lodsb
  [0x84, 0xc0], //             test al, al
  [0x74, 0x06], //             jz main
  [0xba, 0xf8, 0x03], //       mov dx, 0x3f8      COM1 data
  [0xee], //                   out dx, al
  [0xeb, 0xf5], //             jmp print
  [0xfb], //              main: sti
  [0xf4], //                   hlt
  [0xba, 0x00, 0x06], //       mov dx, 0x600      PM1 status
  [0xed], //                   in ax, dx
  [0xf6, 0xc4, 0x01], //       test ah, 1         the power button was pressed
  [0x75, 0x17], //             jnz off
  [0xba, 0xfd, 0x03], //       mov dx, 0x3fd      COM1 line status
  [0xec], //                   in al, dx
  [0xa8, 0x01], //             test al, 1         a byte is there
  [0x74, 0xee], //             jz main
  [0xba, 0xf8, 0x03], //       mov dx, 0x3f8
  [0xec], //                   in al, dx
  [0x3c, 0x71], //             cmp al, 'q'
  [0x74, 0x07], //             je off
  [0x3c, 0x72], //             cmp al, 'r'
  [0x74, 0x0d], //             je reset
  [0xee], //                   out dx, al
  [0xeb, 0xdf], //             jmp main
  [0xba, 0x04, 0x06], //   off: mov dx, 0x604      PM1 control
  [0xb8, 0x00, 0x20], //       mov ax, 0x2000     sleep, type 0: soft off
  [0xef], //                   out dx, ax
  [0xf4], //                   hlt
  [0xeb, 0xfd], //             jmp back to hlt
  [0xb0, 0xfe], //       reset: mov al, 0xfe
  [0xe6, 0x64], //             out 0x64, al       the keyboard controller's reset line
  [0xf4], //                   hlt
  [0xeb, 0xfd], //             jmp back to hlt
].flat()

const messageOffset = 0x50

/** Writes a raw disk that boots this guest, owned by QEMU's user. */
export async function writeBootDisk(path: string, owner = 64055): Promise<void> {
  const disk = Buffer.alloc(1024 * 1024)
  disk.set(program, 0)
  disk.write('ready\r\n', messageOffset)
  disk.set([0x55, 0xaa], 510)
  await writeFile(path, disk)
  await chown(path, owner, owner)
}

/** A domain for that guest; its serial port is a pty, as consoles want it. `diskPath` as the daemon sees it. */
export function bootSectorDomain(name: string, diskPath: string, { type = 'qemu' }: { type?: 'qemu' | 'kvm' } = {}): string {
  const cpu = `<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>`
  return `<domain type='${type}'>
  <name>${name}</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  ${type === 'kvm' ? cpu : ''}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='${diskPath}'/><target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>`
}
