/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what the file system in a qcow2 image is called, or names it. Usage: example IMAGE [OVERLAY NAME] */
#include <e2qcow/io_manager.h>
#include <stdio.h>
#include <string.h>

static int report(errcode_t error, const char* image) {
  com_err("example", error, "while working on %s (%s)", image, e2qcow_last_message());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return 2;
  initialize_ext2_error_table();
  const int flags = argc == 4 ? EXT2_FLAG_RW : 0;
  errcode_t error = argc == 4 ? e2qcow_set_overlay(argv[2]) : 0;
  e2qcow_set_cache_size(16 << 20);
  ext2_filsys fs = NULL;
  if (error == 0) error = ext2fs_open2(argv[1], NULL, flags | EXT2_FLAG_64BITS, 0, 0, e2qcow_io_manager, &fs);
  if (error != 0) return report(error, argv[1]);
  if (argc == 4) {
    strncpy((char*)fs->super->s_volume_name, argv[3], sizeof fs->super->s_volume_name);
    ext2fs_mark_super_dirty(fs);
  }
  printf("%.16s: %llu blocks\n", (const char*)fs->super->s_volume_name,
         (unsigned long long)ext2fs_blocks_count(fs->super));
  error = ext2fs_close_free(&fs);
  return error == 0 ? 0 : report(error, argv[1]);
}
