/* SPDX-License-Identifier: MIT */
/* A look at a shared object before the dynamic linker maps it: pages behind the end of a truncated file would be a SIGBUS. */
#ifndef CORE_PLUGIN_ELF_FILE_H
#define CORE_PLUGIN_ELF_FILE_H

#include "core/base/buffer.h"

/* True when the file is an ELF shared object of this machine and as long as its headers say. Else why says what is wrong. */
bool elf_file_check(const char *file, struct buffer *why);

#endif
