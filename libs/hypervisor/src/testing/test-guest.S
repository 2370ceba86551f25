# as --64 test-guest.S -o test-guest.o && ld -Ttext 0x7c00 --oformat binary test-guest.o -o test-guest.bin
# A guest of one sector that heeds the power button, lets go of devices when it is asked to, and obeys single letters on COM1:
# o off, r reset, d deaf to both, f flood (256 KiB).
        .intel_syntax noprefix
        .code16
        .set com1, 0x3f8
        .set pm1_status, 0x600
        .set pm1_enable, 0x602
        .set pm1_control, 0x604
        .set pci_down, 0xae04   # QEMU's docs/specs/acpi_pci_hotplug: slots that the host wants back
        .set pci_eject, 0xae08  # written: the guest has let go of these
        .globl _start
_start: xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7c00
        mov bp, 1               # 1: heeds the host
        mov dx, pm1_enable      # ask for power button events
        mov ax, 0x100
        out dx, ax
        mov si, offset ready
        call print
idle:   sti
        hlt                     # the BIOS's timer wakes it 18 times a second
        mov dx, pm1_status
        in ax, dx
        test ah, 1
        jz 1f
        mov ax, 0x100           # written back: cleared
        out dx, ax
        mov si, offset button
        call print
        test bp, bp
        jnz off
1:      mov dx, pci_down
        in eax, dx
        test bp, bp
        jz 5f
        mov dx, pci_eject
        out dx, eax
5:      mov dx, com1 + 5
        in al, dx
        test al, 1
        jz idle
        mov dx, com1
        in al, dx
        cmp al, 'o'
        je off
        cmp al, 'r'
        je reset
        cmp al, 'd'
        je deaf
        cmp al, 'f'
        je flood
        call put
        jmp idle
deaf:   xor bp, bp
        mov si, offset ready
        call print
        jmp idle
flood:  mov cx, 0x1000
2:      mov si, offset line
        call print
        loop 2b
        mov si, offset ready
        call print
        jmp idle
off:    mov dx, pm1_control     # soft off (S5)
        mov ax, 0x2000
        out dx, ax
        jmp idle
reset:  mov al, 0xfe            # the keyboard controller's reset line
        out 0x64, al
        jmp idle
print:  lodsb
        test al, al
        jz 4f
        call put
        jmp print
put:    push ax
        mov dx, com1 + 5
3:      in al, dx
        test al, 0x20
        jz 3b
        pop ax
        mov dx, com1
        out dx, al
4:      ret
ready:  .asciz "ready\n"
button: .asciz "power button\n"
line:   .asciz "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopq\n"
        .org 510
        .word 0xaa55
