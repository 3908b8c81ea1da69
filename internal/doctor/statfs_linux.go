package doctor

import "golang.org/x/sys/unix"

// statfs is what an ordinary user may still write there, and what kind of file
// system it is where that is one that keeps nothing.
func statfs(dir string) (free int64, kind string, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, "", false
	}
	switch uint32(s.Type) { // it has another width and sign on each machine
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		kind = "file system in memory"
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		kind = "network share"
	}
	return int64(s.Bavail) * int64(s.Bsize), kind, true
}
