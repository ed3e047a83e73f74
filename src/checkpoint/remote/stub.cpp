// x86-64. The kernel leaves rbx and r12 to r15 alone over a system call and destroys rcx and r11;
// rax is free between calls.
#include "checkpoint/remote/stub.h"

#include <array>
#include <cstddef>

#include "checkpoint/remote/batch.h"

namespace umbel::checkpoint::remote {

namespace {

constexpr std::array<std::uint8_t, 84> code{
    0x0f, 0x05,                          // call_entry:  syscall
    0xf6, 0x43, 0x08, 0x02,              // loop_entry:  test byte [rbx + flags], 2
    0x75, 0x58,                          //              jnz way_back
    0x48, 0x8b, 0x43, 0x48,              //              mov rax, [rbx + sources[0]]
    0x48, 0x8b, 0x38,                    //              mov rdi, [rax]
    0x48, 0x8b, 0x43, 0x50,              //              mov rax, [rbx + sources[1]]
    0x48, 0x8b, 0x30,                    //              mov rsi, [rax]
    0x48, 0x8b, 0x43, 0x58,              //              mov rax, [rbx + sources[2]]
    0x48, 0x8b, 0x10,                    //              mov rdx, [rax]
    0x48, 0x8b, 0x43, 0x60,              //              mov rax, [rbx + sources[3]]
    0x4c, 0x8b, 0x10,                    //              mov r10, [rax]
    0x48, 0x8b, 0x43, 0x68,              //              mov rax, [rbx + sources[4]]
    0x4c, 0x8b, 0x00,                    //              mov r8, [rax]
    0x48, 0x8b, 0x43, 0x70,              //              mov rax, [rbx + sources[5]]
    0x4c, 0x8b, 0x08,                    //              mov r9, [rax]
    0x48, 0x8b, 0x03,                    //              mov rax, [rbx + number]
    0x0f, 0x05,                          //              syscall
    0x48, 0x89, 0x43, 0x10,              // after_call:  mov [rbx + answer], rax
    0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff,  //              cmp rax, -4095
    0x72, 0x0b,                          //              jb next
    0xf6, 0x43, 0x08, 0x01,              //              test byte [rbx + flags], 1
    0x74, 0x05,                          //              jz next
    0x4c, 0x89, 0xeb,                    //              mov rbx, r13
    0xeb, 0xb4,                          //              jmp loop_entry
    0x48, 0x83, 0xc3, 0x78,              // next:        add rbx, sizeof record
    0xeb, 0xae,                          //              jmp loop_entry
};
static_assert(offsetof(Record, sources) == 0x48 && offsetof(Record, number) == 0);
static_assert(offsetof(Record, answer) == 0x10 && offsetof(Record, flags) == 8);
static_assert(sizeof(Record) == 0x78);

}  // namespace

Stub stub() {
  return {.code = code, .call_entry = 0, .loop_entry = 2, .after_call = 0x37, .way_back = 0x60};
}

}  // namespace umbel::checkpoint::remote
