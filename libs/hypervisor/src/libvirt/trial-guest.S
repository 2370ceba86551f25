# as --64 trial-guest.S -o trial-guest.o && ld -Ttext 0x7c00 --oformat binary trial-guest.o -o trial-guest.bin
# A guest of one sector: real mode, then protected mode, then long mode, writing a line to COM1 in the first and the last.
        .intel_syntax noprefix
        .code16
        .globl _start
_start: cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        mov si, offset real
1:      lodsb
        test al, al
        jz 2f
        mov dx, 0x3f8
        out dx, al
        jmp 1b
2:      # page tables at 0x1000..0x3fff: the first 2 MiB as one large page
        mov edi, 0x1000
        mov cr3, edi
        xor eax, eax
        mov ecx, 0xc00
        rep stosd
        mov word ptr [0x1000], 0x2003
        mov word ptr [0x2000], 0x3003
        mov word ptr [0x3000], 0x0083
        mov eax, cr4
        or eax, 0x620           # PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov ecx, 0xc0000080     # EFER.LME
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        and eax, 0xfffffffb     # no EM
        or eax, 0x80000003      # PG, MP, PE
        mov cr0, eax
        lgdt [gdtr]
        ljmp 0x08, offset long_mode
        .code64
long_mode:
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov ss, eax
        # what a kernel's start does: copy a megabyte, use SSE, call and return
        mov esi, 0x7c00
        mov edi, 0x80000
        mov ecx, 64
        rep movsq
        mov edi, 0x100000
        mov ecx, 0x20000
        mov rax, 0x6f62756e6f62756e
        rep stosq
        movq xmm0, rax
        pxor xmm0, xmm0
        movq rbx, xmm0
        test rbx, rbx
        jnz 4f
        mov esi, offset long
3:      lodsb
        test al, al
        jz 4f
        mov dx, 0x3f8
        out dx, al
        jmp 3b
4:      hlt
        jmp 4b
real:   .asciz "real mode\n"
long:   .asciz "long mode\n"
        .balign 8
gdt:    .quad 0, 0x00209a0000000000
gdtr:   .word gdtr - gdt - 1
        .long gdt
        .org 510
        .word 0xaa55
